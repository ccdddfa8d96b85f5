"""The decoders under fuzzing, as much of it as fits into every run; hours of it are `python -m tests.fuzz`."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fault.__main__ import fuzz
from tests.fuzz import target
from tests.fuzz.__main__ import changed, main
from tests.fuzz.corpus import corpus

CORPUS = corpus()


@pytest.mark.parametrize("data", CORPUS[:60])
def test_what_fuzzing_begins_with_is_read_or_refused(data: bytes) -> None:
    """Examples, real touchpoints, and what is broken in known ways."""
    target.judge(data)


@given(st.randoms(use_true_random=False))
def test_what_grows_from_it_is_read_or_refused_in_bounded_time(random: object) -> None:
    """Bytes replaced, cut out, repeated, taken from another."""
    target.judge(changed(random, CORPUS))  # type: ignore[arg-type]  # hypothesis' own Random


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_in_bounded_time(data: bytes) -> None:
    """Nothing but refusals, which every decoder gives a reason for."""
    target.judge(data)


def test_the_fuzzer_tells_what_breaks_a_promise(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An exception of another kind ends it with 1 and the bytes; without any it ends with 0."""
    assert main(["0.001", "1", "--blind"]) == 0

    monkeypatch.setattr(target, "prepare_line", lambda *_: 1 / 0)

    assert main(["0.001", "1", "--blind"]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_chaos_hands_the_decoders_hostile_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As it calls the fuzzer; what was read is said, and nothing was found."""
    is_sound = fuzz([sys.executable, "-m", "tests.fuzz", "0.001", "1", "--blind"], 0.001, tmp_path)

    assert is_sound
    assert "all read or refused" in capsys.readouterr().out


def test_chaos_tells_what_the_fuzzer_finds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code of libFuzzer, or that of a crash: the last lines are shown, all of them are kept."""
    is_sound = fuzz([sys.executable, "-c", "print('seed 1: ZeroDivisionError'); raise SystemExit(77)"], 0.001, tmp_path)

    assert not is_sound
    assert "ZeroDivisionError" in capsys.readouterr().out
    assert "ZeroDivisionError" in (tmp_path / "fuzz.log").read_text()

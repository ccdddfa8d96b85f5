"""What `verify` says of a verdict."""

import json

import pytest

from tests.unit.devkit.test_trial import EMPTY, WITH_ONE, verdict
from touchstone.cli.output import Output
from touchstone.cli.verify import _tell
from touchstone.devkit.trial import Kill

GARBAGE = {**EMPTY, "deadletters": [{"reason": "invalid_json", "detail": "expected JSON"}]}


def test_equal_is_said_with_what_was_compared(capsys: pytest.CaptureFixture[str]) -> None:
    """And T is printed."""
    _tell(verdict(live=WITH_ONE, twin=WITH_ONE, as_of=1_714_557_600_000, touchpoints=1), Output())

    said = capsys.readouterr().out
    assert "1 touchpoints at T = 2024-05-01T10:00:00.000Z" in said
    assert said.splitlines()[-1] == "equal: 1 moments, 0 customers, 0 dead letters"


def test_every_dead_letter_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Its reason, what was found, and what the reason means."""
    _tell(verdict(live=GARBAGE, twin=GARBAGE, as_of=None), Output())

    said = capsys.readouterr().out
    assert "T = no time at all" in said
    assert "The value is not JSON, or its text is not UTF-8." in said


def test_differences_are_readable_lines_and_not_too_many(capsys: pytest.CaptureFixture[str]) -> None:
    """The rest is counted, and said where to be had."""
    live = {**EMPTY, "moments": [{**WITH_ONE["moments"][0], "moment_id": f"m{number}"} for number in range(30)]}

    _tell(verdict(live=live), Output())

    said = capsys.readouterr().out.splitlines()
    assert sum("only in live" in line for line in said) == 20
    assert "… and 10 more; --output json lists all" in said
    assert said[-1] == "different: 30 differences"


def test_kills_are_shown_with_what_they_left_open(capsys: pytest.CaptureFixture[str]) -> None:
    """The proof that they fell into open work."""
    _tell(verdict(kills=(Kill("w2", 3.5, 400, 120, 4),), aborted=77), Output())

    said = capsys.readouterr().out
    assert [line.split() for line in said.splitlines() if line.startswith("w2")] == [["w2", "3.5", "400", "120", "4"]]
    assert "77 records belong to transactions that the kills broke off" in said


def test_a_program_gets_one_object_with_everything(capsys: pytest.CaptureFixture[str]) -> None:
    """All differences too, however many."""
    _tell(verdict(live=WITH_ONE, repeated=2), Output(is_json=True))

    told = json.loads(capsys.readouterr().out)
    assert told["equal"] is False
    assert (told["moments"], told["customers"], told["deadletters"], told["repeated"]) == (1, 0, 0, 2)
    assert len(told["differences"]) == 1

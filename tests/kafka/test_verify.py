"""`touchstone verify` on a real broker."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from touchstone.cli.output import Output
from touchstone.cli.verify import verify
from touchstone.simulate import simulate
from touchstone.testing.generator import generate


def run(kafka: str, *arguments: str) -> Result:
    """Run the command in this process as `main` would."""
    return CliRunner().invoke(verify, [*arguments, "--bootstrap", kafka], obj=Output(), standalone_mode=False)


def told(result: Result) -> dict[str, Any]:
    """The object it has printed."""
    assert result.exception is None, result.exception
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_a_shuffled_file_with_garbage_and_two_kills_is_equal_to_the_twin(kafka: str, tmp_path: Path) -> None:
    """Merges, duplicates, disorder and garbage; both kills fell into open work, every dead letter is explained, nothing is said twice."""
    generated = generate(4_000, seed=5)
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(generated.lines))

    result = run(kafka, str(file), "--kill", "2", "--shuffle", "3", "--output", "json")

    answer = told(result)
    assert result.return_value == 0
    assert answer["equal"]
    assert answer["differences"] == []
    assert answer["repeated"] == 0
    assert [kill["unread"] > 0 for kill in answer["kills"]] == [True, True]
    assert sum(each["count"] for each in answer["reasons"]) == answer["deadletters"] == generated.garbage
    assert answer["touchpoints"] == len(generated.lines)


def test_what_the_twin_says_otherwise_is_a_diff_and_exit_code_1(kafka: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault cannot be caused otherwise: the twin is told of one touchpoint less."""
    monkeypatch.setattr("touchstone.cli.verify.simulate", lambda lines, topology, **given: simulate(lines[:-1], topology, **given))
    touchpoint = {"channel": "web", "occurred_at": "2024-05-01T10:00:00Z", "identifiers": {"user_id": "ada"}}
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(json.dumps({**touchpoint, "event_id": kind, "type": kind}) for kind in ("ad_view", "search")))

    result = run(kafka, str(file), "--workers", "1")

    assert result.exception is None
    assert result.return_value == 1
    said = result.stdout.splitlines()
    assert any(line.startswith("moment ") and "only in live" in line for line in said)
    assert said[-1].startswith("different: ")


def test_a_file_without_a_single_touchpoint_has_no_time_and_is_equal(kafka: str, tmp_path: Path) -> None:
    """There is nothing whose receipt could be passed; it ends all the same."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"{torn\n[]\n")

    result = run(kafka, str(file), "--workers", "1", "--output", "json")

    answer = told(result)
    assert (answer["equal"], answer["as_of"], answer["deadletters"]) == (True, None, 2)

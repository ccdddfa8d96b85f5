"""Stewards at the command line, on files; on a live system: tests/kafka/test_identity.py."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from touchstone.cli.explain import explain
from touchstone.cli.identity import identity
from touchstone.cli.output import Output
from touchstone.errors import UsageError

RULED = ["--who", "ann", "--why", "two brothers"]


def line(number: int, at: str, **identifiers: str) -> str:
    """One touchpoint."""
    stated = {
        "event_id": f"e{number}",
        "channel": "app",
        "type": "search",
        "occurred_at": f"2026-03-02T{at}:00Z",
        "identifiers": identifiers,
    }
    return json.dumps(stated)


SPLIT = json.dumps(
    {
        "command_id": "s1",
        "action": "split",
        "at": "2026-03-02T12:00:00Z",
        "who": "ann",
        "why": "brothers",
        "identifiers": {"device_id": "app7"},
        "others": {"user_id": "u1"},
    }
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two who became one."""
    path = tmp_path / "events.jsonl"
    told = [line(1, "09:00", user_id="u1"), line(2, "09:30", device_id="app7"), line(3, "10:00", user_id="u1", device_id="app7")]
    path.write_text("\n".join(told) + "\n")
    return path


def run(command: click.Command, *words: object) -> Result:
    """Run a command in this process as `main` would."""
    result = CliRunner().invoke(command, [str(word) for word in words], obj=Output(), standalone_mode=False)
    if result.exception:
        raise result.exception
    return result


def rows(command: click.Command, *words: object) -> list[dict[str, Any]]:
    """What it says to programs."""
    return [json.loads(text) for text in run(command, *words, "--output", "json").stdout.splitlines()]


def people(found: list[dict[str, Any]]) -> list[list[str]]:
    """Their identifiers."""
    return sorted(sorted(each["value"] for each in one["identifiers"]) for one in found)


def test_a_split_shows_who_becomes_whom_and_what_is_taken_back(file: Path) -> None:
    """Without --from: from all else that the person has; the file stays as it is."""
    (told,) = rows(identity, "split", "device_id:app7", *RULED, "--file", file)

    assert (people(told["before"]), people(told["after"])) == ([["app7", "u1"]], [["app7"], ["u1"]])
    assert [(each["kind"], each["command"]) for each in told["records"] if each["record"] == "identity"] == [
        ("split", told["command"]["command_id"])
    ]
    assert {each["action"] for each in told["records"] if each["record"] == "moment"} == {"assert"}
    text = run(identity, "split", "device_id:app7", *RULED, "--file", file).stdout
    assert "Now: 1 customer" in text
    assert "Then: 2 customers" in text


def test_an_undo_shows_that_they_are_one_again(file: Path) -> None:
    """Of a command that stands in the file."""
    file.write_text(file.read_text() + SPLIT)

    (told,) = rows(identity, "undo", "s1", *RULED, "--file", file)

    assert (people(told["before"]), people(told["after"])) == ([["app7"], ["u1"]], [["app7", "u1"]])


def test_what_changes_nothing_now_says_so(file: Path) -> None:
    """It holds for what is still to come."""
    text = run(identity, "forbid", "user_id:u1", "--with", "user_id:u9", *RULED, "--file", file).stdout

    assert "It would change nothing now" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["split", "cookie:nobody"], "found cookie:nobody, which nobody has"),
        (["split", "device_id:app7", "user_id:u1"], "there is nothing to split"),
        (["split", "shoe_size:44"], "expected a kind of identifier of the topology"),
        (["join", "user_id:u1", "--with", "email:test@test.com"], "ignored_identifier"),
        (["join", "user_id:u1", "--with", "other/user_id:u1"], "expected identifiers of one tenant"),
        (["join", "user_id:u1", "--with", "user_id:u1"], "expected different ones"),
        (["undo", "nothing"], "expected the id of a command that was given, found 0"),
    ],
)
def test_what_cannot_be_ruled_is_refused_before_anything_is_sent(file: Path, words: list[str], said: str) -> None:
    """In a sentence."""
    with pytest.raises(UsageError, match=said):
        run(identity, *words, *RULED, "--file", file)


def test_an_id_is_given_once_and_an_undo_is_not_undone(file: Path) -> None:
    """Two commands under one id would be undone together."""
    undo = {"command_id": "w1", "action": "undo", "at": "2026-03-02T13:00:00Z", "who": "ann", "why": "no", "undoes": "s1"}
    file.write_text(f"{file.read_text()}{SPLIT}\n{json.dumps(undo)}\n")

    with pytest.raises(UsageError, match="was given already"):
        run(identity, "join", "user_id:u1", "--with", "cookie:c", "--id", "s1", *RULED, "--file", file)
    with pytest.raises(UsageError, match="is an undo itself; give the command s1 again"):
        run(identity, "undo", "w1", *RULED, "--file", file)


def test_explain_shows_the_way_from_one_to_the_other(file: Path) -> None:
    """With the touchpoint; after a split the word that keeps them apart."""
    (one,) = rows(explain, "identity", "user_id:u1", "device_id:app7", "--file", file)
    file.write_text(file.read_text() + SPLIT)
    (two,) = rows(explain, "identity", "user_id:u1", "device_id:app7", "--file", file)

    assert (one["verdict"], [step["touchpoint"] for step in one["path"]]) == ("one", ["app/e3"])
    assert (two["verdict"], [step["refused"] for step in two["path"]]) == ("two", ["forbid"])
    assert [ruling["command"] for ruling in two["kept_apart"]] == ["s1"]
    text = run(explain, "identity", "user_id:u1", "device_id:app7", "--file", file).stdout
    assert "are not one person" in text
    assert "kept apart by the command s1" in text


def test_explain_of_one_identifier_lists_the_person_and_what_was_refused(file: Path) -> None:
    """Each other identifier with its way; of who was never seen it fails."""
    (told,) = rows(explain, "identity", "device_id:app7", "--file", file)

    assert [each["identifier"] for each in told["identifiers"]] == ["user_id:u1"]
    assert told["refused"] == []
    assert "Why they are one" in run(explain, "identity", "device_id:app7", "--file", file).stdout
    assert run(explain, "identity", "cookie:never", "--file", file).return_value == 1

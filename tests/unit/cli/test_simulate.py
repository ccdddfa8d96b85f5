"""`touchstone simulate` at the command line."""

import gzip
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from touchstone.cli.main import main

STORY = [
    {"event_id": "e1", "channel": "web", "type": "cart_add", "occurred_at": "2024-05-01T09:20:00Z", "identifiers": {"cookie": "c1"}},
    {"event_id": "e2", "channel": "phone", "type": "order_paid", "occurred_at": "2024-05-01T09:40:00Z", "identifiers": {"loyalty_id": "l7"}},
    {"event_id": "e3", "channel": "web", "type": "login", "occurred_at": "2024-05-01T10:30:00Z", "identifiers": {"cookie": "c1", "loyalty_id": "l7"}},
    {"event_id": "e4", "channel": "fax", "type": "login", "occurred_at": "2024-05-01T10:31:00Z", "identifiers": {"cookie": "c1"}},
    {"event_id": "e5", "channel": "web", "type": "search", "occurred_at": "2024-05-01T10:32:00Z", "identifiers": {"email": "test@test.com", "cookie": "c2"}},
]  # fmt: skip
CONTENT = b"\n".join(map(msgspec.json.encode, STORY)) + b"\n"


@pytest.fixture
def story(tmp_path: Path) -> str:
    """A file with two people who become one, one broken touchpoint and one placeholder."""
    path = tmp_path / "story.jsonl"
    path.write_bytes(CONTENT)
    return str(path)


def run(*arguments: str) -> int:
    """Run the command line and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(("simulate", *arguments))
    assert isinstance(ended.value.code, int)
    return ended.value.code


def rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was printed, as JSON Lines."""
    return [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]


def test_the_summary_says_who_stands_where_and_what_was_wrong(story: str, capsys: pytest.CaptureFixture[str]) -> None:
    """For people: counts, phases, rules, corrections, dead letters with their meaning; where to look further goes to standard error."""
    assert run(story) == 0

    told = capsys.readouterr()
    text = " ".join(told.out.split())
    assert f"{story}: 5 touchpoints, as of 2024-05-01T10:32:00.000Z" in told.out
    for words in (
        "customers 2",
        "moments that stand 3",
        "identity changes: linked 1",
        "identifiers left out: email blocked 1",
        "dead letters 1",
        "purchase purchase 1",
        "purchase purchased transition decision → purchase 1",
        "unknown_channel The channel is neither",
    ):
        assert words in text, words
    assert "--log" in told.err


def test_json_is_the_final_view(story: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line: the moments that stand, the active customers, the dead letters, with the contracts' names."""
    assert run(story, "--output", "json") == 0

    found = rows(capsys)
    assert [row["record"] for row in found] == ["moment"] * 3 + ["customer"] * 2 + ["deadletter"]
    moments = {(row["from_phase"], row["to_phase"]): row for row in found if row["record"] == "moment"}
    assert moments["decision", "purchase"]["occurred_at"] == "2024-05-01T09:40:00.000Z"
    assert moments["decision", "purchase"]["touchpoints"] == ["call_center/e2"]
    assert {len(row["identifiers"]) for row in found if row["record"] == "customer"} == {1, 2}
    assert found[-1]["reason"] == "unknown_channel"
    assert '"event_id":"e4"' in found[-1]["value"]


def test_the_log_is_everything_that_was_said_in_its_order(story: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As after each touchpoint: what was taken back, by which identity change, with revisions."""
    assert run(story, "--log", "--output", "json") == 0

    found = rows(capsys)
    taken_back = [row for row in found if row.get("action") == "retract"]
    assert [(row["to_phase"], row["corrects"]) for row in taken_back] == [("purchase", "merge")]
    assert [row["kind"] for row in found if row["record"] == "identity"] == ["merged"]
    assert found[0]["record"] == "moment"
    assert found[0]["revision"] > 0
    assert found[0]["detected_at"] == "2024-05-01T09:20:00.000Z"


def test_the_log_for_people_marks_what_was_taken_back(story: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line each."""
    assert run(story, "--log") == 0

    said = capsys.readouterr().out
    assert said.count("TAKEN BACK") == 1
    assert "(corrects: merge)" in said
    assert "unknown_channel" in said


def test_the_log_is_told_while_it_is_read() -> None:
    """What follows from a line is there before the next one comes: nobody waits for the end of a long file."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "touchstone", "simulate", "-", "--log"]

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(CONTENT.splitlines(keepends=True)[0])
        process.stdin.flush()
        first = process.stdout.readline()  # nothing else is written before it came
        process.stdin.close()
        process.stdout.read()

    assert b"asserted" in first
    assert process.returncode == 0


@pytest.mark.parametrize("options", [(), ("--log",), ("--log", "--shuffle", "1")], ids=" ".join)
def test_a_dead_letter_is_named_with_its_place_in_the_file(
    story: str, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Not with the time and the address that a record would have in Kafka; also where the lines came in another order."""
    assert run(story, *options) == 0
    said = capsys.readouterr().out
    assert run(story, *options, "--output", "json") == 0
    letter = next(row for row in rows(capsys) if row["record"] == "deadletter")

    assert f"{story}:4" in said
    assert "found `fax`" in said
    assert "1970" not in said
    assert (letter["file"], letter["line"]) == (story, 4)
    assert letter.keys().isdisjoint({"partition", "offset", "occurred_at"})


def test_what_depends_on_the_portions_is_set_apart(story: str, capsys: pytest.CaptureFixture[str]) -> None:
    """How much is taken back on the way says nothing about the touchpoints: a log has other counts than the summary."""
    assert run(story) == 0

    said = capsys.readouterr().out
    assert said.index("dead letters") < said.index("On the way, 200 touchpoints at a time") < said.index("identity changes: linked")


def test_another_order_ends_in_the_same_view(story: str, capsys: pytest.CaptureFixture[str]) -> None:
    """But for where the dead letters lay."""
    views = []
    for arguments in ((), ("--shuffle", "1"), ("--shuffle", "2")):
        assert run(story, "--output", "json", *arguments) == 0
        views.append(capsys.readouterr().out)

    assert views[0] == views[1] == views[2]


@pytest.mark.parametrize("as_of", ["2024-05-03T09:41:00Z", "1714729260000"])
def test_time_can_be_moved_on(tmp_path: Path, as_of: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Two days after the cart it was abandoned; the time may be written as a text or in milliseconds."""
    path = tmp_path / "cart.jsonl"
    path.write_bytes(msgspec.json.encode(STORY[0]))

    assert run(str(path), "--as-of", as_of, "--output", "json") == 0

    assert {row["rule"] for row in rows(capsys) if row["record"] == "moment"} == {"considered", "abandoned"}


def test_another_topology_tells_another_story(story: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A channel that is only there."""
    shipped = (Path(__file__).parents[3] / "topology.yaml").read_text("utf-8")
    path = tmp_path / "topology.yaml"
    path.write_text(shipped.replace("channels:\n", "channels:\n  fax: {topic: touchpoints.fax.v1, media: owned}\n", 1))

    assert run(story, "--topology", str(path), "--output", "json") == 0

    assert "deadletter" not in {row["record"] for row in rows(capsys)}


@pytest.mark.parametrize("content", [CONTENT, gzip.compress(CONTENT)], ids=["plain", "gzip"])
def test_standard_input_is_read(content: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Plain or gzip."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))

    assert run("-", "--output", "json") == 0

    assert len(rows(capsys)) == 6


def test_a_shipped_data_set_goes_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    """And where nobody has a phase yet, no table is empty."""
    assert run("cfpb-complaints") == 0

    said = capsys.readouterr().out
    assert "60 touchpoints" in said
    assert "Where they stand" not in said


@pytest.mark.parametrize("options", [(), ("--log",), ("--output", "json")], ids=" ".join)
def test_a_file_of_nothing_but_dead_letters_has_failed(
    tmp_path: Path, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """A script that was given the wrong file, or the wrong topology, must be able to tell; what was found is shown all the same."""
    path = tmp_path / "fax.jsonl"
    path.write_bytes(b"".join(msgspec.json.encode(STORY[3] | {"event_id": name}) + b"\n" for name in ("e1", "e2")))

    assert run(str(path), *options) == 1

    told = capsys.readouterr()
    assert "unknown_channel" in told.out
    assert "each of its 2 lines became a dead letter" in told.err


def test_no_touchpoint_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty file has an empty end."""
    (tmp_path / "empty").write_bytes(b"\n")

    assert run(str(tmp_path / "empty")) == 0

    assert "0 touchpoints, nothing was received" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("missing.jsonl",), "missing.jsonl is neither a file nor one of the data sets adobe-luma"),
        (("cfpb-complaints", "--as-of", "tomorrow"), "expected ISO 8601 with a zone"),
        (("cfpb-complaints", "--as-of", "2024-05-01T10:00:00"), "expected ISO 8601 with a zone"),
        (("cfpb-complaints", "--as-of", "2019-01-01T00:00:00Z"), "lies before the latest receipt, 2020-05-03T00:00:00.000Z"),
        (("cfpb-complaints", "--topology", "missing.yaml"), "no topology at missing.yaml"),
        (("cfpb-complaints", "--shuffle", "well"), "is not a valid integer"),
    ],
)
def test_what_was_asked_wrongly_is_code_2(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With what was expected, and no traceback."""
    assert run(*arguments) == 2

    told = capsys.readouterr()
    assert said in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


def test_the_faults_of_a_topology_are_shown(story: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With line and column, as everywhere."""
    path = tmp_path / "topology.yaml"
    path.write_text("version: 1\nname: x\nchanels: {}\n")

    assert run(story, "--topology", str(path)) == 2

    assert "topology.yaml:3:1: chanels: unknown key" in capsys.readouterr().err


def test_ids_are_those_of_a_worker_with_the_same_hash_key(
    story: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the key other ids would be printed than the live system says, and nobody could compare them."""
    run(story, "--log")
    without = capsys.readouterr().out
    key = tmp_path / "hash-key"
    key.write_text("a key\n")
    monkeypatch.setenv("TOUCHSTONE_HASH_KEY_FILE", str(key))

    run(story, "--log")

    assert capsys.readouterr().out.splitlines()[0] != without.splitlines()[0]


@pytest.mark.parametrize("content", [None, b"\n", b"\xff"])
def test_a_hash_key_file_that_holds_none_is_refused_with_its_name(
    content: bytes | None, story: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing, empty, no text: never the built-in key in silence, never a bug of ours."""
    key = tmp_path / "hash-key"
    if content is not None:
        key.write_bytes(content)
    monkeypatch.setenv("TOUCHSTONE_HASH_KEY_FILE", str(key))

    code = run(story)

    assert code == 2
    assert f"TOUCHSTONE_HASH_KEY_FILE={key}" in capsys.readouterr().err

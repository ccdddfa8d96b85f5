"""What `produce` reads and says before anything is sent."""

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from touchstone.cli.judge import Judge
from touchstone.cli.main import main
from touchstone.cli.output import Output
from touchstone.cli.produce import _tell, shift_to
from touchstone.cli.sending import Sent
from touchstone.errors import UsageError
from touchstone.topology.load import default_topology_path, load_topology


@pytest.mark.parametrize(
    ("lines", "latest"),
    [
        ([b'{"occurred_at": 5}', b'{"occurred_at": 9}', b"garbage", b"[]"], 9),
        ([b'{"occurred_at": 5, "received_at": 7}', b'{"occurred_at": 6}'], 7),
        ([b'{"occurred_at": 1925000000000, "sent_at": 1925000000000, "received_at": 30}', b'{"occurred_at": 4}'], 30),
        ([b'{"occurred_at": 5, "attributes": {"received_at": "1970-01-01T00:00:01Z"}}'], 1000),
        ([b'{"occurred_at": "1970-01-01T00:00:02Z", "properties": {}}'], 2000),
    ],
    ids=["occurred", "received counts first", "a clock in the future does not count", "received among attributes", "text"],
)
def test_the_latest_time_is_moved_to_now(lines: list[bytes], latest: int) -> None:
    """All lines move by one amount: from the latest receipt, or occurrence where none is stated, to now."""
    assert shift_to(lines, 1_000_000) == 1_000_000 - latest


def test_nothing_to_shift_is_said() -> None:
    """Lines without any time cannot be moved."""
    with pytest.raises(UsageError, match="found no time in any line"):
        shift_to([b"{}", b"garbage"], 0)


GOOD = {"event_id": "e1", "channel": "web", "type": "search", "occurred_at": "2026-03-02T09:00:00Z", "identifiers": {"cookie": "c1"}}


def lines_of(*changes: dict[str, Any] | bytes) -> bytes:
    """Lines that differ from a good one in a field each, or are what is given; a field that is None is missing."""
    stated = [one if isinstance(one, bytes) else msgspec.json.encode(GOOD | one) for one in changes]
    return b"\n".join(stated) + b"\n"


def run(*arguments: str) -> int:
    """Run the command line and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(("produce", *arguments))
    assert isinstance(ended.value.code, int)
    return ended.value.code


NOWHERE = ("--bootstrap", "127.0.0.1:1")
"""Nothing listens there: whoever sends something fails with 1 and another message."""


def test_what_should_be_mended_is_named_with_its_place_before_anything_is_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All at once, by the number of the line in the file, with the nearest valid word; exit code 2."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(
        lines_of(
            {},
            b"",
            b"{torn",
            {"channel": "wbe"},
            {"identifiers": {"emial": "ada@x.org"}},
            {"identifiers": {"cookie": "c1", "loyality_id": "L7"}},
            {"occurred_at": "yesterday"},
            {"type": None},
            {"event_id": None},
        )
    )

    assert run(str(file), *NOWHERE) == 2

    *named, last = capsys.readouterr().err.splitlines()
    assert [line.removeprefix(f"{file}:").split(": ")[:2] for line in named] == [
        ["3", "invalid_json"],
        ["4", "unknown_channel"],
        ["5", "no_usable_identifier"],
        ["6", "unknown_kind"],
        ["7", "invalid_time"],
        ["8", "missing_field"],
        ["9", "missing_field"],
    ]
    assert "found `wbe`; did you mean `web`?" in named[1]
    assert "found `emial`; did you mean `email`?" in named[2]
    assert "found `loyality_id`; did you mean `loyalty_id`?" in named[3]
    assert "type: expected a text, found nothing" in named[5]
    assert last == (
        "error: 7 of 8 lines should be mended (dead letters: 6, misspelt kinds of identifiers: 1); nothing was sent. "
        "Send them as they are with --anyway"
    )


def test_the_first_twenty_are_named_and_the_others_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong export has a million faults of one kind. Programs get the same as data."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(lines_of(*[{"channel": "wbe"}] * 25))

    assert run(str(file), *NOWHERE) == 2
    assert capsys.readouterr().err.splitlines()[19:21] == [f"{file}:20: {UNKNOWN}", "… and 5 more"]

    assert run(str(file), *NOWHERE, "--output", "json") == 2
    told = msgspec.json.decode(capsys.readouterr().err)
    assert (told["total"], len(told["findings"])) == (25, 20)
    assert told["findings"][3] == {
        "file": str(file),
        "line": 4,
        "reason": "unknown_channel",
        "detail": UNKNOWN.removeprefix("unknown_channel: "),
    }


UNKNOWN = "unknown_channel: channel: expected a channel of the topology or an alias of one, found `wbe`; did you mean `web`?"


@pytest.mark.parametrize(
    ("change", "options"),
    [({}, ()), ({"identifiers": {"cookie": "c1", "shoe_size": "44"}}, ()), ({"channel": "wbe"}, ("--anyway",))],
    ids=["all is well", "a kind that resembles none", "anyway"],
)
def test_everything_else_is_sent(
    tmp_path: Path, change: dict[str, Any], options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Or would be: here nobody listens. A kind of identifier that is like no other may be meant for somebody else."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(lines_of(change))

    assert run(str(file), *options, *NOWHERE) == 1

    assert "127.0.0.1:1" in capsys.readouterr().err


def test_a_steward_s_command_in_a_file_is_looked_at_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that can be carried out is no finding; one that cannot is named like a touchpoint."""
    command = {"command_id": "s1", "action": "split", "at": GOOD["occurred_at"], "who": "ann", "why": "two brothers"}
    command |= {"identifiers": {"cookie": "c1"}, "others": {"user_id": "u1"}}
    file = tmp_path / "events.jsonl"
    file.write_bytes(lines_of({}, msgspec.json.encode(command), msgspec.json.encode(command | {"action": "acept"})))

    assert run(str(file), *NOWHERE) == 2

    told = capsys.readouterr().err
    assert "events.jsonl:3: unknown_action" in told
    assert "events.jsonl:2" not in told


def test_the_summary_counts_by_topic_and_names_what_becomes_a_dead_letter(capsys: pytest.CaptureFixture[str]) -> None:
    """How many, where to, how fast; what was refused, what loses an identifier, what the topology does not know."""
    judge = Judge(load_topology(default_topology_path()), "events.jsonl")
    judge.refused, judge.misspelt, judge.left_out = 2, 1, Counter({"`shoe_size`": 7})

    _tell(Sent(Counter({"touchpoints.web.v1": 1500, "touchpoints.app.v1": 500}), 2000, 4.0), judge, 86_400_000, Output())

    told = capsys.readouterr()
    assert "2,000 sent and acknowledged in 4.0 s (500 a second)" in told.out
    assert "moved by 1 day" in told.out
    assert "2 lines become dead letters" in told.out
    assert "1 line loses an identifier, its kind is misspelt" in told.out
    assert "`shoe_size` (7)" in told.err
    assert told.out.index("touchpoints.app.v1") < told.out.index("touchpoints.web.v1")

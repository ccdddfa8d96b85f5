"""What `deadletters replay` and `drop` do with letters of one kind or another; on Kafka: tests/kafka/test_deadletters.py."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from click.testing import CliRunner, Result

from touchstone.cli import deadletters as command
from touchstone.cli.letters import Letters, Wanted
from touchstone.cli.output import Output
from touchstone.contracts.codec import bundled_codec
from touchstone.errors import UsageError
from touchstone.model.output import DeadLetter
from touchstone.runtime.atomic import Sent
from touchstone.runtime.program import Record
from touchstone.simulate import simulate
from touchstone.topology.load import default_topology_path, load_topology

BROKEN = b'{"event_id":"e1","channel":"web","type":"search","occurred_at":"about ten","identifiers":{"email":"ada@x.org"}}'
FAX = b'{"event_id":"e2","channel":"fax","type":"search","occurred_at":"2024-05-01T10:00:00Z","identifiers":{"email":"ada@x.org"}}'


class Desk:
    """The command on these letters, without a broker; keeps what was written."""

    def __init__(self, letters: Sequence[DeadLetter]) -> None:
        self.letters = letters
        self.written: list[Sent] = []

    async def read(self, _bootstrap: str, _topic: str, wanted: Wanted, *, settled: bool = False) -> list[Any]:
        """In place of the topic."""
        found = Letters(wanted, settled=settled)
        for offset, letter in enumerate(self.letters):
            found.take(Record("deadletters.v1", 0, offset, 0, letter.letter_id.encode(), bundled_codec().encode_dead_letter(letter), ()))
        return found.found()

    async def write(self, _bootstrap: str, together: Sequence[Sent]) -> None:
        """In place of the transaction."""
        self.written += together

    def run(self, *arguments: str) -> Result:
        """Run the command."""
        return CliRunner().invoke(command.deadletters, [*arguments, "--bootstrap", "nowhere:9092"], obj=Output(), standalone_mode=False)

    def says(self, *arguments: str) -> list[dict[str, Any]]:
        """What it answers in JSON."""
        result = self.run(*arguments, "--output", "json")
        assert result.exception is None, result.exception
        return [json.loads(each) for each in result.stdout.splitlines()]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Desk:
    """Two letters: one that is refused for ever, one whose channel the topology of the command has learnt meanwhile."""
    records = simulate([BROKEN, FAX], load_topology(default_topology_path())).records
    made = Desk([record for record in records if isinstance(record, DeadLetter)])
    assert [each.reason for each in made.letters] == ["invalid_time", "unknown_channel"]
    learnt = tmp_path / "topology.yaml"
    learnt.write_text(default_topology_path().read_text().replace("aliases: [website", "aliases: [fax, website", 1))
    monkeypatch.setenv("TOUCHSTONE_TOPOLOGY", str(learnt))
    monkeypatch.setattr(command, "read_letters", made.read)
    monkeypatch.setattr(command, "write_together", made.write)
    return made


def test_what_would_be_refused_again_is_left_alone_and_counted(desk: Desk) -> None:
    """Sent all the same it would be one more letter and one try less; the dry run says the same beforehand."""
    dry = desk.says("replay", "--all", "--dry-run")
    assert desk.written == []
    left, summary = desk.says("replay", "--all")

    assert [each["outcome"] for each in dry[:-1]] == ["would be refused again: invalid_time", "would be used"]
    assert dry[-1] == {"would": "replayed", "letters": 1, "left_alone": 1, "refused_again": 1}
    assert left["outcome"] == "would be refused again: invalid_time"
    assert summary == {"done": "replayed", "letters": 1, "left_alone": 1, "refused_again": 1}
    assert [each.value for each in desk.written] == [FAX, None]
    assert "1 letter replayed; 1 left alone; 1 would be refused again: --anyway sends them too" in desk.run("replay", "--all").stderr


def test_whoever_knows_better_sends_it_anyway(desk: Desk) -> None:
    """The workers may have another topology than the command."""
    (summary,) = desk.says("replay", "--all", "--anyway")

    assert summary == {"done": "replayed", "letters": 2, "left_alone": 0, "refused_again": 1}
    assert [each.value for each in desk.written] == [BROKEN, None, FAX, None]


@pytest.mark.parametrize("what", [["replay"], ["replay", "--dry-run"], ["drop"], ["drop", "--dry-run"]], ids=" ".join)
def test_an_id_that_no_open_letter_has_is_a_mistake(desk: Desk, what: list[str]) -> None:
    """Nothing at all is done then, also with the letter that is named beside it; `show` has it so too."""
    known = desk.letters[1].letter_id

    result = desk.run(*what, "--letter", known, "--letter", "nobody")

    assert isinstance(result.exception, UsageError)  # exit code 2
    assert "expected an open letter whose id begins with 'nobody', found none" in str(result.exception)
    assert desk.written == []


@pytest.mark.parametrize("what", [["replay"], ["drop"], ["list"]], ids=" ".join)
@pytest.mark.parametrize("beginning", ["", "   ", "abc"])
def test_an_id_that_is_too_short_to_mean_a_letter_is_a_mistake(desk: Desk, what: list[str], beginning: str) -> None:
    """A script whose variable is empty must not send or drop every letter there is; `show` has it so too."""
    beginning = desk.letters[0].letter_id[:3] if beginning == "abc" else beginning

    results = [desk.run(*what, "--letter", desk.letters[1].letter_id, "--letter", beginning), desk.run("show", beginning)]

    for result in results:
        assert isinstance(result.exception, UsageError)
        assert f"expected at least the first 4 characters of a letter's id, found {beginning!r}" in str(result.exception)
    assert desk.written == []


def test_the_beginning_of_an_id_is_enough(desk: Desk) -> None:
    """As lists show it."""
    (summary,) = desk.says("drop", "--letter", desk.letters[0].letter_id[:12])

    assert summary["letters"] == 1
    assert [(each.key, each.value) for each in desk.written] == [(desk.letters[0].letter_id.encode(), None)]

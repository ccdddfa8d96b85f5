"""What `topics repartition` and `rebuild` do with an answer; on Kafka: tests/kafka/test_generations.py."""

from typing import Any

import pytest
from aiokafka import TopicPartition
from click.testing import CliRunner, Result

from touchstone.cli import generations as command
from touchstone.cli.output import Output
from touchstone.cli.topics import topics
from touchstone.generations import Change, Recalled
from touchstone.identity.ordering import Ordering
from touchstone.journey.recall import Book
from touchstone.model.component import NEVER
from touchstone.runtime.agreement import Agreement
from touchstone.runtime.inputs import Inputs


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, on an application of two partitions that nobody uses."""
    done: list[str] = []

    async def agreement(*_: Any) -> Agreement:
        return Agreement(partitions=2, clock="wall", fingerprint="", terms={})

    async def recall(*_: Any) -> Recalled:
        inputs = Inputs(
            {TopicPartition("touchpoints.web.v1", number): offset for number, offset in enumerate((0, 7, 9))}, 40, 1_700_000_000_000
        )
        return Recalled(Book(Ordering({})), inputs, NEVER, 0, (5, 2))

    def doing(what: str) -> Any:
        async def do(*_: Any, **__: Any) -> Change:
            done.append(what)
            return Change(2, 4, 0, 0)

        return do

    monkeypatch.setattr(command, "agreement_to_repartition", agreement)
    monkeypatch.setattr(command, "recall", recall)
    for what in ("repartition", "rebuild"):
        monkeypatch.setattr(command, what, doing(what))
    return done


def run(*arguments: str, answer: str = "") -> Result:
    """Run the command for an application of four partitions."""
    return CliRunner().invoke(topics, [*arguments, "--partitions", "4", "--bootstrap", "nowhere:9092"], input=answer, obj=Output())


@pytest.mark.parametrize("what", ["repartition", "rebuild"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_is_not_success(what: str, form: str, done: list[str]) -> None:
    """A script goes on to start the workers only when it was done; and whoever answered reads that it was not."""
    result = run(what, "--output", form, answer="n\n")

    assert result.exit_code == 1
    assert "nothing was done" in result.stderr
    assert done == []


@pytest.mark.parametrize("what", ["repartition", "rebuild"])
def test_yes_is_taken_as_it_is_said(what: str, done: list[str]) -> None:
    """As an answer or as an option."""
    results = [run(what, answer="y\n"), run(what, "--yes")]

    assert [result.exit_code for result in results] == [0, 0], [result.output for result in results]
    assert done == [what, what]


def test_what_a_rebuild_loses_is_said_before_it_asks(done: list[str]) -> None:
    """Retention has cut two of three partitions: whoever answers knows that the state in use may know more than Kafka does."""
    result = run("rebuild", answer="n\n")

    warning, question = (
        result.stderr.index("WARNING: 2 of 3 partitions of touchpoints and commands begin after offset 0"),
        result.stderr.index("Go on?"),
    )
    assert warning < question
    assert "The history before is lost to the rebuild" in " ".join(result.stderr.split())
    assert done == []


@pytest.mark.parametrize("what", ["repartition", "rebuild"])
def test_a_dry_run_asks_nothing(what: str, done: list[str]) -> None:
    """It is no question whether one may look."""
    assert run(what, "--dry-run").exit_code == 0
    assert done == []

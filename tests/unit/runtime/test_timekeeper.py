"""When a worker speaks about its sources, and when it advances its partitions."""

from pathlib import Path
from typing import Any, Literal

from aiokafka import TopicPartition

from touchstone.runtime.batch import End
from touchstone.runtime.partitions import Partitions
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.sources import JourneyClock, Statement
from touchstone.runtime.timekeeper import Timekeeper

WEB = TopicPartition("web", 0)
INNER = TopicPartition("app.journey", 0)


class NoProgram:
    """A program that owns a stage and does nothing."""

    stages: dict[str, dict[str, Any]] = {"journey": {}}  # noqa: RUF012  # never changed
    fingerprint = b""


def timekeeper(mode: Literal["wall", "event"]) -> tuple[Timekeeper, JourneyClock]:
    """A worker that owns one source and one journey partition."""
    settings = WorkerSettings(app="app", bootstrap="", instance="w", data_dir=Path(), partitions=1, channel_topics=("web",), clock=mode)
    program: Any = NoProgram()
    clock = JourneyClock(mode, [WEB])
    partitions = Partitions(settings, program, lambda *_: None)  # type: ignore[arg-type]  # never opened here
    partitions.change([WEB, INNER])
    keeper = Timekeeper(settings, clock, partitions)
    keeper.assign()
    return keeper, clock


def test_while_only_the_wall_clock_moves_a_worker_speaks_once_a_second() -> None:
    """Otherwise the statements of all workers would call for each other without end."""
    keeper, _ = timekeeper("wall")
    first = keeper.statement(10_000, {WEB: 5}, {WEB: End(5, 10_000)})
    assert first is not None
    keeper.said(first, 10_000)

    assert keeper.statement(10_400, {WEB: 5}, {WEB: End(5, 10_400)}) is None
    assert keeper.statement(11_000, {WEB: 5}, {WEB: End(5, 11_000)}) is not None


def test_leaving_the_end_is_said_at_once() -> None:
    """A source that has something to read again holds the time back, so all must know."""
    keeper, _ = timekeeper("wall")
    first = keeper.statement(10_000, {WEB: 5}, {WEB: End(5, 10_000)})
    assert first is not None
    keeper.said(first, 10_000)

    assert keeper.statement(10_100, {WEB: 5}, {WEB: End(9, 10_100)}) == Statement([("web", 0, 9_000, False)], [])


def test_in_event_time_an_idle_worker_is_silent() -> None:
    """Nothing moves when nothing happens."""
    keeper, _ = timekeeper("event")
    keeper.sources.advance(WEB, 77)
    first = keeper.statement(10_000, {WEB: 5}, {WEB: End(5, 10_000)})
    assert first is not None
    keeper.said(first, 10_000)

    assert keeper.statement(99_000, {WEB: 5}, {WEB: End(5, 99_000)}) is None


def test_a_partition_is_advanced_once_for_each_time_and_again_after_it_changed_hands() -> None:
    """What was reached is said; a new owner advances to the same time once more, because it cannot know what the old one had done."""
    keeper, clock = timekeeper("event")
    clock.read(Statement([("web", 0, 77, True)], []))
    positions, ends = {WEB: 5, INNER: 0}, {WEB: End(5, 10_001), INNER: End(0, 10_001)}

    assert keeper.due(10_000, positions, ends) == [(0, 77)]
    keeper.advanced(0, 77)
    assert keeper.due(10_100, positions, ends) == []
    said = keeper.statement(10_100, positions, ends)
    assert said is not None
    assert said.reached == [(0, 77)]

    keeper.assign()
    assert keeper.due(10_200, positions, ends) == [(0, 77)]

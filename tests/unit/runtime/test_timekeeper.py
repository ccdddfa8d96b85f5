"""When a worker speaks about its sources, and when it advances its partitions."""

from pathlib import Path
from typing import Any, Literal

from aiokafka import TopicPartition

from touchstone.runtime.batch import End
from touchstone.runtime.broker_time import BrokerTime
from touchstone.runtime.partitions import Partitions
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.sources import JourneyClock, Statement
from touchstone.runtime.timekeeper import Timekeeper

WEB = TopicPartition("web", 0)
INNER = TopicPartition("app.journey", 0)


SINCE_THE_START = BrokerTime()
"""The brokers have counted from the moment at which the monotonic clock was zero."""
SINCE_THE_START.heard(0, 0.0)


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
    keeper = Timekeeper(settings, clock, partitions, SINCE_THE_START)
    keeper.assign()
    return keeper, clock


def test_while_only_the_wall_clock_moves_a_worker_speaks_once_a_second() -> None:
    """Otherwise the statements of all workers would call for each other without end."""
    keeper, _ = timekeeper("wall")
    first = keeper.statement(10.0, {WEB: 5}, {WEB: End(5, 10.0)})
    assert first is not None
    keeper.said(first, 10.0)

    assert keeper.statement(10.4, {WEB: 5}, {WEB: End(5, 10.4)}) is None
    assert keeper.statement(11.0, {WEB: 5}, {WEB: End(5, 11.0)}) is not None


def test_leaving_the_end_is_said_at_once() -> None:
    """A source that has something to read again holds the time back, so all must know."""
    keeper, _ = timekeeper("wall")
    first = keeper.statement(10.0, {WEB: 5}, {WEB: End(5, 10.0)})
    assert first is not None
    keeper.said(first, 10.0)

    assert keeper.statement(10.1, {WEB: 5}, {WEB: End(9, 10.1)}) == Statement([("web", 0, 9_000, False)], [])


def test_in_event_time_an_idle_worker_is_silent() -> None:
    """Nothing moves when nothing happens."""
    keeper, _ = timekeeper("event")
    keeper.sources.advance(WEB, 77)
    first = keeper.statement(10.0, {WEB: 5}, {WEB: End(5, 10.0)})
    assert first is not None
    keeper.said(first, 10.0)

    assert keeper.statement(99.0, {WEB: 5}, {WEB: End(5, 99.0)}) is None


def test_a_partition_is_advanced_once_for_each_time_and_again_after_it_changed_hands() -> None:
    """What was reached is said; a new owner advances to the same time once more, because it cannot know what the old one had done."""
    keeper, clock = timekeeper("event")
    clock.read(Statement([("web", 0, 77, True)], []))
    positions = {WEB: 5, INNER: 0}

    def due(at: float) -> list[tuple[int, int]]:
        """What is due at this moment, with an answer of the broker that came just before."""
        return keeper.due(at, positions, {WEB: End(5, at - 0.05), INNER: End(0, at - 0.05)})

    assert [due(10.0), due(10.1), due(10.2)] == [[], [], [(0, 77)]]
    keeper.advanced(0, 77)
    assert due(10.3) == []
    said = keeper.statement(10.3, positions, {WEB: End(5, 10.0)})
    assert said is not None
    assert said.reached == [(0, 77)]

    keeper.assign()
    assert due(10.4) == [(0, 77)]

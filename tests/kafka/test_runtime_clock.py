"""The time of the journey partitions, across workers and their deaths."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.runtime_rig import Rig, rig, wait_until
from touchstone.runtime.client import journey_clock, read_topic


@pytest.fixture
def toy(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[Rig]:
    """A toy application."""
    with rig(kafka, topic_prefix, tmp_path) as application:
        yield application


def latest_source_time(toy: Rig) -> int:
    """The latest time of any source record."""

    async def latest() -> int:
        return max([record.timestamp async for record in read_topic(toy.bootstrap, [f"{toy.app}-source", f"{toy.app}-other"])])

    return asyncio.run(latest())


def reached(toy: Rig) -> dict[int, int]:
    """How far the journey partitions are."""
    return asyncio.run(journey_clock(toy.bootstrap, toy.app))


def test_event_time_reaches_the_latest_time_seen_anywhere_on_every_partition(toy: Rig) -> None:
    """Two workers, one of which dies: in the end every partition has been advanced to the latest source time, and no further."""
    first, second = toy.start("a", clock="event"), toy.start("b", clock="event")
    first.wait_until_ready()
    second.wait_until_ready()
    toy.produce(1_000)
    second.kill()
    toy.produce(1_000)
    toy.wait_until_done()
    latest = latest_source_time(toy)

    wait_until(lambda: reached(toy) == dict.fromkeys(range(4), latest), 30, lambda: f"{reached(toy)} {latest}\n{toy.logs()}")

    assert toy.outcome().is_exact


def test_wall_time_moves_on_while_nothing_happens(toy: Rig) -> None:
    """Absence is an event too: without any record the time passes the last one by more than a second."""
    toy.produce(100)
    toy.start("a", clock="wall")
    toy.wait_until_done()
    latest = latest_source_time(toy)

    wait_until(lambda: len(reached(toy)) == 4 and min(reached(toy).values()) > latest + 1_000, 30, toy.logs)

"""The time of the journey partitions, across workers and their deaths."""

import asyncio
import time
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


def now_ms() -> int:
    """What time it is here, and at the broker."""
    return time.time_ns() // 1_000_000


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


def test_a_wall_clock_that_jumps_a_day_and_back_neither_hurries_the_time_nor_stops_it(toy: Rig, tmp_path: Path) -> None:
    """Whoever sets the clock of a worker's machine: the time of the journeys is the brokers'."""
    clock_file = tmp_path / "clock"
    clock_file.write_text("0")
    toy.produce(100)
    worker = toy.start("a", clock="wall", clock_file=clock_file)
    toy.wait_until_done()
    wait_until(lambda: len(reached(toy)) == 4, 30, toy.logs)
    seen = clock_file.with_name(f"clock.{worker.process.pid}")
    for jump in ("86400", "-86400", "0"):
        clock_file.write_text(jump)
        wait_until(lambda wanted=jump: seen.exists() and seen.read_text() == wanted, 30, toy.logs)  # type: ignore[misc]
        since = now_ms()

        wait_until(lambda passed=since: min(reached(toy).values()) > passed + 1_000, 30, lambda: f"{reached(toy)}\n{toy.logs()}")  # type: ignore[misc]

        assert max(reached(toy).values()) <= now_ms()


def test_topics_whose_time_is_the_producers_are_named_where_the_wall_clock_counts(toy: Rig) -> None:
    """The toy's own sources are such; with event time it does not matter."""
    wall = toy.start("a", clock="wall")
    wall.wait_until_ready()
    wall.terminate()
    event = toy.start("b", clock="event")
    event.wait_until_ready()

    assert f"found CreateTime of {toy.app}-other, {toy.app}-source: a producer whose clock is wrong" in wall.text()
    assert "CreateTime" not in event.text()

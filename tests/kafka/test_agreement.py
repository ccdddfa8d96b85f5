"""What the workers of one application must agree on, on a real broker; and what a channel that lags does to the time."""

import asyncio
import itertools
import json
import time
from pathlib import Path

from tests.kafka.test_end_to_end import run, system_on, until
from touchstone.contracts.partitioner import partition_of
from touchstone.intake.lines import prepare_line
from touchstone.model.output import Moment
from touchstone.runtime import client
from touchstone.topology.load import default_topology_path


def test_two_clocks_in_one_application_are_refused_and_one_after_the_other_is_not(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """A worker with another clock is told so before it joins, and the one that runs is not disturbed; once that has left it may start."""
    event, wall = (system_on(kafka, tmp_path, topic_prefix, clock=clock) for clock in ("event", "wall"))

    async def story() -> None:
        event.start("w1")
        await event.until_ready("w1")
        wall.start("w2")
        assert await asyncio.to_thread(wall.workers.pop("w2").wait, 60) == 2
        assert "go by clock: event" in wall.log_tail("w2")
        assert await asyncio.to_thread(event.stop) == {"w1": 0}

        wall.start("w2")
        await wall.until_ready("w2")
        assert await asyncio.to_thread(wall.stop) == {"w2": 0}

    try:
        run(event, story)
    finally:
        wall.stop()


def test_a_channel_that_lags_causes_no_false_timeout_after_a_restart(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """Nobody runs while a cart is left on the web and bought in the store, in time. The store is read so slowly that the web's records are
    long through: the silence of 2 s does not speak, because the clock of the journeys waits for the store.
    """
    file = tmp_path / "topology.yaml"
    file.write_text(default_topology_path().read_text().replace("for: 48h", "for: 2s"))
    system = system_on(kafka, tmp_path / "state", topic_prefix, file, clock="wall")

    def line(number: int, channel: str, kind: str, who: str, at: int) -> bytes:
        fields = {"event_id": f"{number}", "channel": channel, "type": kind, "occurred_at": at, "identifiers": {"user_id": who}}
        return json.dumps(fields).encode()

    def place(touchpoint: bytes) -> int:
        """In which partition of its channel it lies."""
        return partition_of(prepare_line(touchpoint, system.topology).key or b"", system.topology.partitions)

    async def moments() -> list[Moment]:
        return [r for r in await system.records([system.topology.topics.moments]) if isinstance(r, Moment)]

    async def is_all_read() -> bool:
        lags = await client.group_lag(kafka, system.app, system.reads)
        return not sum(lag.records for lag in lags)

    async def has_spoken() -> bool:
        return any(m.kind == "timeout" for m in await moments())

    async def story() -> None:
        system.start("w1")
        await system.until_ready("w1")
        began = time.time_ns() // 1_000_000
        await system.send([line(0, "web", "search", "ada", began)])
        await until(is_all_read, "the first touchpoint to be read")
        system.kill("w1")
        where = place(line(1, "store", "order_paid", "ada", began))
        many = (line(n, "store", "page_view", f"other{n}", began) for n in itertools.count(2))
        await system.send(itertools.islice((each for each in many if place(each) == where), 20_000))
        left = time.time_ns() // 1_000_000
        await system.send([line(1, "web", "cart_add", "ada", left), line(1, "store", "order_paid", "ada", left + 1_000)])
        await asyncio.sleep(3)  # the deadline passes while nobody runs: this is what is tried out, nothing is waited for
        system.start("w1")
        await until(is_all_read, "everything to be read", 120)
        await system.until_quiet(time.time_ns() // 1_000_000, seconds=60)

        records = await moments()
        said = [(m.kind, m.from_phase, m.to_phase, m.action) for m in records if m.customer_id == records[0].customer_id]
        assert ("transition", "decision", "purchase", "assert") in said
        assert not [moment for moment in said if moment[0] == "timeout"], said

        await system.send([line(2, "web", "cart_add", "bob", time.time_ns() // 1_000_000)])
        await until(has_spoken, "a silence that is one")

    run(system, story)

"""A flood of poison on a real broker: the worker stops instead of draining the topic, forgets nothing, and goes on when it is told to."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

from touchstone.devkit.live import LiveSystem
from touchstone.model.output import DeadLetter, Moment
from touchstone.simulate import simulate
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.view import FinalView, diff

POISON = 60
ALLOWED = 20
STOPPED = 65


def line(number: int, what: str, occurred_at: str) -> bytes:
    """A touchpoint of one and the same person: all lie in one partition, in this order."""
    stated = {"event_id": str(number), "channel": "web", "type": what, "occurred_at": occurred_at, "identifiers": {"user_id": "ada"}}
    return json.dumps(stated).encode()


BEFORE = [line(1, "search", "2024-05-01T10:00:00Z")]
FLOOD = [line(number, "cart_add", "yesterday") for number in range(100, 100 + POISON)]
BEHIND = [line(2, "order_paid", "2024-05-01T11:00:00Z")]
LINES = [*BEFORE, *FLOOD, *BEHIND]


def system_with(in_a_row: int, kafka: str, folder: Path, prefix: str) -> LiveSystem:
    """A live system of the shipped topology with another limit: several of these are one system whose topology was changed."""
    file = folder / f"topology-{in_a_row}.yaml"
    file.write_text(default_topology_path().read_text().replace("limits: {", f"limits: {{dead_letters: {{in_a_row: {in_a_row}}}, "))
    topology = replace(load_topology(file), partitions=2, clock="event")
    return LiveSystem(kafka, file, topology, folder / "state", app=f"{prefix}app", prefix=prefix, session_timeout_s=3)


async def until_it_ends(system: LiveSystem, name: str) -> tuple[int, str]:
    """Start a worker and wait until it ends by itself; its exit code and the end of its log."""
    system.start(name)
    code = await asyncio.to_thread(system.workers.pop(name).wait, 60)
    return code, system.log_tail(name)


def test_a_flood_of_poison_stops_the_worker_and_a_raised_limit_lets_it_go_on(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """What lies before the flood is worked on, so much of it as allowed becomes dead letters, and nothing is touched behind.

    Neither the same worker nor another one with an empty disk forgets: both stop at the same record, with the same sentence, having
    committed nothing more. With the limit raised all goes through, and the end is what the twin says of all of it: nothing lost or doubled.
    """
    strict = system_with(ALLOWED, kafka, tmp_path, topic_prefix)
    raised = system_with(100_000, kafka, tmp_path, topic_prefix)
    truth = simulate(LINES, raised.topology)

    async def story() -> None:
        await strict.create_topics()
        await strict.send(LINES)
        for name in ("w1", "w1", "w2"):
            code, log = await until_it_ends(strict, name)
            said = await strict.records()
            assert code == STOPPED
            assert f"this would be dead letter number {ALLOWED + 1} in a row" in log
            assert "invalid_time" in log
            assert "touchstone deadletters list --channel web" in log
            assert "Traceback" not in log
            assert [m.to_phase for m in said if isinstance(m, Moment)] == ["interest"]
            assert sum(isinstance(r, DeadLetter) for r in said) == ALLOWED
        raised.start("w1")
        await raised.until_ready("w1")
        await raised.until_quiet(truth.as_of, seconds=60)
        said = await raised.records()
        letters = [r.letter_id for r in said if isinstance(r, DeadLetter)]
        assert not diff(FinalView(said).final(truth.as_of, raised.topology.retention_ms), truth.final)
        assert len(letters) == len(set(letters)) == POISON

    try:
        asyncio.run(story())
    finally:
        strict.stop()
        raised.stop()

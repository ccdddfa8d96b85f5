"""The whole product on a real broker: whatever is killed on the way, what readers believe is what the offline twin says."""

import asyncio
import json
import shutil
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from touchstone.app import channel_topics, output_topics
from touchstone.devkit.live import LiveSystem
from touchstone.model.output import Customer, DeadLetter, Moment
from touchstone.pipeline import IDENTITY, JOURNEY, OutputRecord
from touchstone.runtime import client
from touchstone.runtime.names import changelog_topic, internal_topic
from touchstone.simulate import simulate
from touchstone.testing.generator import generate
from touchstone.topology.load import default_topology_path, load_text, load_topology
from touchstone.view import FinalView, diff

TOUCHPOINTS = 20_000
KILLS = 4
ISOLATIONS: tuple[client.Isolation, ...] = ("read_uncommitted", "read_committed")


def system_on(kafka: str, folder: Path, prefix: str, topology_file: Path | None = None, clock: str = "event") -> LiveSystem:
    """A live system of its own on the session's broker."""
    file = topology_file or default_topology_path()
    topology = replace(load_topology(file), partitions=4, clock=clock)  # type: ignore[arg-type]  # one of the two words
    return LiveSystem(kafka, file, topology, folder, app=f"{prefix}app", prefix=prefix, session_timeout_s=3)


def run(system: LiveSystem, story: Callable[[], Awaitable[None]]) -> None:
    """Run the story and leave nothing behind, whatever happens."""

    async def told() -> None:
        await system.create_topics()
        await story()

    try:
        asyncio.run(told())
    finally:
        system.stop()


async def until(condition: Callable[[], Awaitable[int]], what: str, seconds: float = 60) -> int:
    """Wait for a condition that becomes true, and return what it returned."""
    deadline = time.monotonic() + seconds
    while not (found := await condition()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
    return found


async def in_open_work(system: LiveSystem) -> int:
    """How many records wait while a transaction is open; 0 when none is."""
    waiting = await unread(system)
    return waiting if await client.has_open_transaction(system.bootstrap, written(system)) else 0


def written(system: LiveSystem) -> list[str]:
    """The topics that workers write to."""
    own = [topic for stage in (IDENTITY, JOURNEY) for topic in (internal_topic(system.app, stage), changelog_topic(system.app, stage))]
    return [*own, *output_topics(system.topology)]


async def unread(system: LiveSystem) -> int:
    """Records of channel topics that no committed offset covers."""
    return sum(lag.records for lag in await client.group_lag(system.bootstrap, system.app, channel_topics(system.topology)))


async def aborted_records(system: LiveSystem) -> int:
    """Records that were written in transactions which never committed."""
    counts = {}
    for isolation in ISOLATIONS:
        records = client.read_topic(system.bootstrap, written(system), isolation)
        counts[isolation] = len([record.offset async for record in records])
    return counts["read_uncommitted"] - counts["read_committed"]


def repeated(records: Iterable[OutputRecord]) -> int:
    """How many records a read_committed reader saw twice."""
    seen = [
        (r.moment_id, r.revision) if isinstance(r, Moment) else (r.customer_id, r.revision) if isinstance(r, Customer) else (r.letter_id, 0)
        for r in records
        if isinstance(r, Moment | Customer | DeadLetter)
    ]
    return len(seen) - len(set(seen))


@pytest.mark.slow
@pytest.mark.parametrize("wiped", [False, True], ids=["state kept", "state wiped"])
def test_four_kills_change_nothing(kafka: str, topic_prefix: str, tmp_path: Path, wiped: bool) -> None:
    """20,000 touchpoints with merges, duplicates, disorder and garbage; two workers, one of them killed -9 four times in open work."""
    generated = generate(TOUCHPOINTS, seed=7)
    lines = list(generated.lines)
    system = system_on(kafka, tmp_path, topic_prefix)
    truth = simulate(lines, system.topology)
    random = Random(11)
    killed_with_unread: list[int] = []

    async def story() -> None:
        for name in ("w1", "w2"):
            system.start(name)
        await system.until_ready("w1", "w2")
        for start in range(0, TOUCHPOINTS, TOUCHPOINTS // KILLS):
            await system.send(lines[start : start + TOUCHPOINTS // KILLS])
            killed_with_unread.append(await until(lambda: in_open_work(system), "a transaction that is open while records wait"))
            victim = random.choice(sorted(system.workers))
            system.kill(victim)
            if wiped:
                shutil.rmtree(system.folder / victim)
            system.start(victim)
        await system.until_quiet(truth.as_of, seconds=240)
        records = await system.records()
        final = FinalView(records).final(truth.as_of, system.topology.retention_ms)
        assert not diff(final, truth.final)
        assert repeated(records) == 0
        assert len(final["deadletters"]) == generated.garbage > 0
        assert len(killed_with_unread) == KILLS
        assert all(killed_with_unread)
        assert await aborted_records(system) > 0, "no kill fell into an open transaction"

    run(system, story)


def test_a_channel_added_in_the_topology_alone_works_end_to_end(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """F13: `voice_assistant` is new in topology.yaml; nothing else changes, and a state made without it lives on."""
    text = default_topology_path().read_text()
    file = tmp_path / "topology.yaml"
    file.write_text(text.replace("channels:\n", "channels:\n  voice_assistant: {media: owned, aliases: [smart_speaker]}\n", 1))
    before = {"event_id": "1", "channel": "web", "type": "search", "occurred_at": "2024-05-01T10:00:00Z", "identifiers": {"user_id": "ada"}}
    spoken = before | {"event_id": "2", "channel": "smart_speaker", "type": "cart_add", "occurred_at": "2024-05-01T11:00:00Z"}

    async def story(system: LiveSystem, line: Mapping[str, object]) -> list[OutputRecord]:
        await system.create_topics()
        system.start("w1")
        await system.until_ready("w1")
        await system.send([json.dumps(line).encode()])
        await system.until_quiet(1_714_557_600_000)
        records = await system.records()
        assert system.stop() == {"w1": 0}
        return records

    async def both() -> None:
        await story(old, before)
        moments = [r for r in await story(new, spoken) if isinstance(r, Moment)]
        assert [(m.from_phase, m.to_phase, m.channel) for m in moments] == [
            (None, "interest", "web"),
            ("interest", "decision", "voice_assistant"),
        ]
        assert not [r for r in await new.records() if isinstance(r, DeadLetter)]

    old = system_on(kafka, tmp_path / "state", topic_prefix)
    new = system_on(kafka, tmp_path / "state", topic_prefix, file)
    try:
        asyncio.run(both())
    finally:
        old.stop()
        new.stop()


def test_silence_speaks_once_also_over_a_restart(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """C6: with the wall clock and no further input the timeout fires, once, although the worker is killed around its time."""
    file = tmp_path / "topology.yaml"
    file.write_text(default_topology_path().read_text().replace("for: 48h", "for: 3s"))
    assert load_text(file.read_text(), str(file)).journeys[0].rules
    system = system_on(kafka, tmp_path / "state", topic_prefix, file, clock="wall")

    async def moments() -> list[Moment]:
        return [r for r in await system.records([system.topology.topics.moments]) if isinstance(r, Moment)]

    async def decided() -> bool:
        return any(m.to_phase == "decision" for m in await moments())

    async def timed_out() -> bool:
        return any(m.kind == "timeout" for m in await moments())

    async def story() -> None:
        system.start("w1")
        await system.until_ready("w1")
        now = time.time_ns() // 1_000_000
        line = {"event_id": "1", "channel": "web", "type": "cart_add", "occurred_at": now, "identifiers": {"cookie": "c1"}}
        await system.send([json.dumps(line).encode()])
        await until(decided, "the decision")
        system.kill("w1")
        system.start("w1")
        await until(timed_out, "the timeout")
        system.kill("w1")
        system.start("w1")
        await system.until_ready("w1")
        await system.until_quiet(now + 3_000)
        said = [(m.kind, m.to_phase, m.rule, m.occurred_at - now, m.action) for m in await moments()]
        assert said == [("transition", "decision", "considered", 0, "assert"), ("timeout", "interest", "abandoned", 3_000, "assert")]

    run(system, story)


def test_a_state_folded_with_another_topology_is_refused(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """A worker whose topology means something else says so and ends with 2 instead of mixing two meanings."""
    file = tmp_path / "topology.yaml"
    file.write_text(default_topology_path().read_text().replace("for: 48h", "for: 47h"))
    line = (
        b'{"event_id": "1", "channel": "web", "type": "search", "occurred_at": "2024-05-01T10:00:00Z", "identifiers": {"user_id": "ada"}}'
    )
    old = system_on(kafka, tmp_path / "state", topic_prefix)
    new = system_on(kafka, tmp_path / "state", topic_prefix, file)

    async def story() -> None:
        await old.create_topics()
        old.start("w1")
        await old.until_ready("w1")
        await old.send([line])
        await old.until_quiet(1_714_557_600_000)
        old.stop()
        new.start("w1")
        code = await asyncio.to_thread(new.workers.pop("w1").wait, 60)
        assert code == 2
        assert "another topology" in new.log_tail("w1")

    try:
        asyncio.run(story())
    finally:
        old.stop()
        new.stop()


def test_missing_topics_are_named_with_the_remedy(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """A worker on a Kafka without topics says which are missing and what to do, and ends with 2."""
    system = system_on(kafka, tmp_path, topic_prefix)
    system.start("w1")

    code = system.workers.pop("w1").wait(60)

    assert code == 2
    assert "touchpoints.web.v1: missing" in system.log_tail("w1")
    assert "touchstone topics apply" in system.log_tail("w1")

"""Reads from a live system what the checker judges: topics, changelogs, headers, logs, stores."""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tests.fault.checker import Readings, Row, Said, Source, held_in, state_key, unaccounted_sources
from tests.fault.crew import Crew
from tests.fault.workload import Acknowledged
from touchstone.app import input_topics, output_topics, topic_specs
from touchstone.contracts.codec import bundled_codec
from touchstone.errors import StateUnusable
from touchstone.intake.lines import prepare_line
from touchstone.model.output import DeadLetter
from touchstone.pipeline import IDENTITY, JOURNEY, stages_of
from touchstone.runtime.admin import group_offsets
from touchstone.runtime.client import Isolation, read_topic
from touchstone.runtime.names import changelog_topic, internal_topics
from touchstone.runtime.program import Record
from touchstone.simulate import Simulation, simulate
from touchstone.state.keys import ROW, row_of
from touchstone.state.rocksdb import RocksBackend, RocksEnvironment
from touchstone.topology.compile import Topology

_UNREADABLE_S = (
    120.0  # the transaction timeout, the time until a broker looks for what has timed out, and a marker for a broker that was away
)
_LOOK_AGAIN_S = 2.0
_ID = re.compile(rb"tp-(?:large-)?\d+|st-(?:undo-)?\d+")
"""Of a touchpoint, or a command."""


async def sources(bootstrap: str, topology: Topology) -> list[Source]:
    """All records of the channel topics and of the commands."""
    found = read_topic(bootstrap, input_topics(topology))
    return [Source(r.topic, r.partition, r.offset, r.value) async for r in found]


async def said(bootstrap: str, topology: Topology) -> list[Said]:
    """All records of the output topics, committed."""
    names, codec = topology.topics, bundled_codec()
    wanted = [names.moments, names.customers, names.identities, names.deadletters]
    return [
        Said(r.topic, r.partition, r.offset, codec.decode_record(r.value))
        async for r in read_topic(bootstrap, wanted)
        if r.value is not None
    ]


async def rows(bootstrap: str, app: str, stage: str, *, ever: bool = False) -> list[Row]:
    """The rows of a stage as its changelog leaves them; with `ever` also those that were deleted since."""
    standing: dict[tuple[int, bytes], bytes] = {}
    async for record in read_topic(bootstrap, [changelog_topic(app, stage)]):
        if record.key is None or record.key[:1] != ROW:
            continue
        if record.value is not None:
            standing[record.partition, record.key] = record.value
        elif not ever:
            standing.pop((record.partition, record.key), None)
    return [Row(partition, *row_of(key), value) for (partition, key), value in standing.items()]


async def unaccounted(bootstrap: str, app: str, topology: Topology) -> list[str]:
    """Records below the committed offsets of which nothing durable is left. May be asked at any moment, also while all is broken.

    Offsets are asked for first: what is committed later is not judged. A touchpoint or command counts as durable when the changelog has ever held it,
    when it is a dead letter, or when it is in a committed message between workers. What is committed is not readable while an older
    transaction of somebody else is open in the same partition, or while the broker that leads it was away and has not got the marker yet;
    and a component that moves while this reads may be seen neither here nor there. So this looks again for what it missed.
    """
    offsets = await group_offsets(bootstrap, app)
    committed = {(tp.topic, tp.partition): offset for tp, offset in offsets.items()}
    below = [s for s in await sources(bootstrap, topology) if s.offset < committed.get((s.topic, s.partition), 0)]
    lost = await _without_trace(bootstrap, app, topology, below)
    deadline = time.monotonic() + _UNREADABLE_S
    while lost and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_AGAIN_S)
        lost = await _without_trace(bootstrap, app, topology, lost)
    return [f"{source.topic}[{source.partition}]@{source.offset}" for source in lost]


async def _without_trace(bootstrap: str, app: str, topology: Topology, below: Sequence[Source]) -> list[Source]:
    journey = await rows(bootstrap, app, JOURNEY, ever=True)
    held = held_in(journey, await rows(bootstrap, app, IDENTITY, ever=True))
    ids = {found for row in journey if row.name.startswith("s") for found in _ID.findall(row.value)}  # pieces that wait for others
    async for record in read_topic(bootstrap, internal_topics(app, stages_of(topology))):
        ids.update(_ID.findall(record.value or b""))
    keys = {s.value: key for s in below if (key := state_key(s.value, topology)) is not None}
    in_flight = frozenset(key for value, key in keys.items() if _own_id(value) in ids)
    letters = [each for each in await said(bootstrap, topology) if isinstance(each.record, DeadLetter)]
    return unaccounted_sources(below, held, letters, topology, in_flight)


def _own_id(value: bytes | None) -> bytes:
    stated = msgspec.json.decode(value or b"")
    return str(stated.get("event_id") or stated.get("command_id")).encode()


async def count(bootstrap: str, topics: Sequence[str], isolation: Isolation) -> int:
    """How many records there are."""
    return sum([1 async for _ in read_topic(bootstrap, topics, isolation)])


def written(app: str, topology: Topology) -> list[str]:
    """The topics that workers write to."""
    return [
        *internal_topics(app, stages_of(topology)),
        *(changelog_topic(app, stage) for stage in stages_of(topology)),
        *output_topics(topology),
    ]


async def aborted(bootstrap: str, app: str, topology: Topology) -> int:
    """Records that lie in topics but belong to transactions that never committed (a compacted topic may have lost some)."""
    topics = written(app, topology)
    return await count(bootstrap, topics, "read_uncommitted") - await count(bootstrap, topics, "read_committed")


async def headers(bootstrap: str, app: str, topology: Topology) -> str:
    """All headers of all topics of an application, one line each."""
    lines = []
    async for record in read_topic(bootstrap, [spec.name for spec in topic_specs(topology, app)]):
        lines += [_header_line(record, name, value) for name, value in record.headers]
    return "\n".join(lines)


def _header_line(record: Record, name: str, value: bytes | None) -> str:
    return f"{record.topic}[{record.partition}]@{record.offset} {name}={(value or b'').decode(errors='replace')}"


def twin(acknowledged: Sequence[Acknowledged], found: Sequence[Source], topology: Topology) -> Simulation:
    """What the offline twin says of the records that lie in the topics, in an order of its own: it must not matter.

    A line may lie there twice although it was acknowledged once: the answer was lost. So the log decides, not the workload.
    """
    by_value = {(p := prepare_line(a.line, topology)).topic + "\0" + (p.value or b"").decode("latin-1"): a.line for a in acknowledged}
    lines = [by_value[s.topic + "\0" + (s.value or b"").decode("latin-1")] for s in found]
    return simulate(lines, topology)


def local_offsets(folder: Path, worker: str, topology: Topology) -> dict[tuple[str, int], int]:
    """The offset of each store on a worker's disk. The worker must have ended."""
    environment, found = RocksEnvironment(), {}
    for stage in stages_of(topology):
        for directory in sorted(folder.glob(f"{worker}/{stage}-*")):
            try:
                backend = RocksBackend(directory, environment)
            except StateUnusable:
                continue  # damaged by a fault, and the partition never came back here to be rebuilt
            found[stage, int(directory.name.rpartition("-")[2])] = backend.offset
            backend.close()
    return found


async def read_everything(
    bootstrap: str, crew: Crew, acknowledged: Sequence[Acknowledged], found: Sequence[Source], simulation: Simulation
) -> Readings:
    """Everything that the checker asks for but the offsets on disk, for which the workers have to end first."""
    system = crew.system
    topology, app = system.topology, system.app
    texts: Mapping[str, str] = {
        **{f"log of {name.parent.name}": name.read_text(errors="replace") for name in system.folder.glob("*/log")},
        **crew.pages,
        "headers": await headers(bootstrap, app, topology),
    }
    return Readings(
        topology=topology,
        as_of=simulation.as_of,
        acknowledged=[(a.topic, a.partition, a.offset) for a in acknowledged],
        sources=found,
        said=await said(bootstrap, topology),
        rows={stage: await rows(bootstrap, app, stage) for stage in stages_of(topology)},
        twin=await asyncio.to_thread(lambda: simulation.final),
        texts=texts,
        samples=crew.samples,
    )

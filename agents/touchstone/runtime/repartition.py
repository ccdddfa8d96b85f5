"""The state of an application moved to another number of partitions: every row, timer and message under way is addressed anew.

What is copied are the records of the changelogs, in their order: a group of rows (an identifier, a component) lies in one partition before
and in one afterwards, so the last word on each key stays the last. How far each old partition was read is committed in the transaction that
wrote what was read: killed at any moment, it goes on exactly there.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from touchstone.errors import InvariantBroken
from touchstone.runtime.admin import group_offsets, partition_counts
from touchstone.runtime.agreement import Agreement
from touchstone.runtime.closing import stop
from touchstone.runtime.generation import Hand, NewGeneration, existing, until_decided
from touchstone.runtime.metadata import know
from touchstone.runtime.names import changelog_topic, clock_topic, internal_topic
from touchstone.runtime.partitions import FINGERPRINT
from touchstone.runtime.producer import Item, Outgoing
from touchstone.runtime.program import Program
from touchstone.runtime.reach import reaching
from touchstone.runtime.security import connection
from touchstone.runtime.sources import Statement, decode_statement, encode_statement
from touchstone.runtime.to_end import to_end
from touchstone.state.keys import group_of, meta_key

_CLOCK_KEY = b"generation"
_REMEDY = "Nothing is lost and nothing is in use that is half done. Mend it and run the command again: it goes on where it was"

Route = Callable[[bytes | None, bytes | None], int | None]
"""(key, value) of a record -> its new partition; None: it belongs to the old generation only."""


@dataclass
class Moved:
    """What was written into the new generation by this run."""

    rows: int = 0
    messages: int = 0


class Repartition:
    """Fills a new generation from the one in use. `partition_of`: identifier or root of a component -> its new partition."""

    def __init__(self, new: NewGeneration, program: Program, partition_of: Callable[[str], int]) -> None:
        self._new = new
        self._program = program
        self._partition_of = partition_of
        self.moved = Moved()

    async def run(self, hand: Hand, tell: Callable[[str, int, int], None] = lambda *_: None) -> None:
        """Move everything; `tell` is told of which stage how much of how much was read.

        Raises:
            UsageError: A worker has started meanwhile.
            Retriable: The brokers cannot be reached, or a partition cannot be read to its end. Run again, it goes on where it was.
        """
        new, stages = self._new, self._program.stages
        old = [topic for stage in stages for topic in (changelog_topic(new.old_base, stage), internal_topic(new.old_base, stage))]
        await until_decided(new.bootstrap, new.app, old)
        progress = await group_offsets(new.bootstrap, new.progress_group)
        committed = await group_offsets(new.bootstrap, new.app)
        for stage in stages:
            self.moved.rows += await self._copy(
                hand, changelog_topic(new.old_base, stage), changelog_topic(new.base, stage), self._row_route, progress, tell
            )
            self.moved.messages += await self._copy(
                hand,
                internal_topic(new.old_base, stage),
                internal_topic(new.base, stage),
                self._message_route(stage),
                committed | progress,
                tell,
            )
        await hand.finish(self._agreement(), {**self._fingerprints(), **await self._clock()})

    def _row_route(self, key: bytes | None, _value: bytes | None) -> int | None:
        group = None if key is None else group_of(key)
        return None if group is None else self._partition_of(group)

    def _message_route(self, stage: str) -> Route:
        def route(_key: bytes | None, value: bytes | None) -> int:
            if value is None:
                raise InvariantBroken(f"expected messages on the internal topic of {stage}, found a tombstone")
            return self._partition_of(self._program.receive(stage, value).to)

        return route

    async def _copy(
        self,
        hand: Hand,
        source: str,
        target: str,
        route: Route,
        begin_at: Mapping[TopicPartition, int],
        tell: Callable[[str, int, int], None],
    ) -> int:
        """Copy a topic to its end, a transaction per portion. Returns how many records were written."""
        written = 0
        async with _reader(self._new.bootstrap) as reader:
            counts = await partition_counts(self._new.bootstrap, [source])
            partitions = [TopicPartition(source, number) for number in range(counts[source])]
            await know(reader, partitions)
            ends = await reader.end_offsets(partitions)
            starts = await reader.beginning_offsets(partitions)
            total = sum(ends[tp] - starts[tp] for tp in partitions)
            reader.assign(partitions)
            for tp in partitions:
                reader.seek(tp, max(starts[tp], begin_at.get(tp, 0)))
            async for fetched, stands in to_end(reader, ends, _REMEDY):
                items: Outgoing = {}
                for records in fetched.values():
                    for record in records:
                        partition = route(record.key, record.value)
                        if partition is not None:
                            items.setdefault(TopicPartition(target, partition), []).append(Item(record.key, record.value))
                if fetched:
                    written += sum(map(len, items.values()))
                    await hand.write(items, {tp: stands[tp] for tp in fetched})
                tell(source, total - sum(max(0, ends[tp] - stands[tp]) for tp in partitions), total)
        return written

    def _fingerprints(self) -> dict[TopicPartition, Iterable[Item]]:
        value = self._program.fingerprint
        numbers = range(self._new.begun.partitions)
        return {
            TopicPartition(changelog_topic(self._new.base, stage), number): [Item(meta_key(FINGERPRINT), value)]
            for stage in self._program.stages
            for number in numbers
        }

    async def _clock(self) -> dict[TopicPartition, Iterable[Item]]:
        """What all workers have said about the sources, in one statement. Every new partition was told at least what every old one was."""
        sources: dict[tuple[str, int], tuple[int | None, bool]] = {}
        reached: dict[int, int] = {}
        for statement in await statements(self._new.bootstrap, clock_topic(self._new.old_base)):
            for topic, partition, at, at_end in statement.sources:
                known = sources.get((topic, partition), (None, False))[0]
                sources[topic, partition] = (at if known is None or (at is not None and at > known) else known, at_end)
            for partition, at in statement.reached:
                reached[partition] = max(at, reached.get(partition, at))
        told = min(reached.values()) if len(reached) == self._new.before.partitions else None
        joined = Statement(
            [(topic, partition, at, at_end) for (topic, partition), (at, at_end) in sorted(sources.items())],
            [] if told is None else [(number, told) for number in range(self._new.begun.partitions)],
        )
        return {TopicPartition(clock_topic(self._new.base), 0): [Item(_CLOCK_KEY, encode_statement(joined))]}

    def _agreement(self) -> Agreement:
        return msgspec.structs.replace(
            self._new.before,
            generation=self._new.begun.generation,
            partitions=self._new.begun.partitions,
            fingerprint=self._program.fingerprint.decode(errors="replace"),
            terms=dict(self._program.terms),
            begun=None,
        )


async def statements(bootstrap: str, topic: str) -> list[Statement]:
    """What stands on a clock topic; nothing where there is none.

    Raises:
        Retriable: The brokers cannot be reached, or the topic cannot be read to its end.
    """
    if not await existing(bootstrap, [topic]):
        return []
    found = []
    async with _reader(bootstrap) as reader:
        tp = TopicPartition(topic, 0)
        ends, starts = await reader.end_offsets([tp]), await reader.beginning_offsets([tp])
        reader.assign([tp])
        reader.seek(tp, starts[tp])
        async for fetched, _ in to_end(reader, ends, _REMEDY):
            for records in fetched.values():
                found += [decode_statement(record.value) for record in records if record.value is not None]
    return found


@asynccontextmanager
async def _reader(bootstrap: str) -> AsyncIterator[Any]:
    reader = AIOKafkaConsumer(
        **connection(bootstrap),
        client_id="touchstone-generation",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_max_wait_ms=50,
        max_partition_fetch_bytes=4 << 20,
    )
    async with reaching(bootstrap):
        try:
            await reader.start()
            yield reader
        finally:
            await stop(reader)

"""Bring the state of the assigned partitions up to the last committed transaction before anything flows."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from touchstone.errors import StateUnusable, UsageError
from touchstone.runtime.closing import stop
from touchstone.runtime.failpoint import Failpoints
from touchstone.runtime.metadata import know
from touchstone.runtime.offset_metadata import owner_of
from touchstone.runtime.partitions import KeptStore, Partitions
from touchstone.runtime.security import connection
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.status import RuntimeStatus
from touchstone.runtime.transaction import abort_left_behind

log = logging.getLogger(__name__)

_AT_ONCE = 10_000
"""Records between two breaths of the event loop: about 40 ms."""

_TOMBSTONES_MS = 20 * 3_600_000
"""Kafka drops tombstones a day (delete.retention.ms) after it compacted them; a store that slept longer could miss a deletion."""

_PATIENCE_S = 0.5
_PATIENCE_WITH_THE_LIVING_S = 10.0
"""How long an open transaction of somebody else is waited for before it is aborted. A dead worker's would last until its timeout; a live
worker's ends by itself, be it slowly, and to abort it means to put its owner out of the group: on a busy machine they did so in turns."""


@dataclass(slots=True)
class _Range:
    """What is left to read of one changelog: from `position` until it reaches `end`."""

    stage: str
    partition: int
    position: int
    end: int


class Restorer:
    """Reads changelogs into stores.

    The end to reach is the high watermark of *read_uncommitted*: the last stable offset would miss a transaction that is decided but
    whose marker is still being written. It is read as *read_committed*, until the reader's position has passed it: markers and aborted
    records occupy offsets, so records cannot be counted.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        partitions: Partitions,
        status: RuntimeStatus,
        failpoints: Failpoints,
        is_alive: Callable[[str], bool],
    ) -> None:
        self._settings = settings
        self._partitions = partitions
        self._status = status
        self._failpoints = failpoints
        self._is_alive = is_alive

    async def restore(self, committed: Mapping[TopicPartition, OffsetAndMetadata]) -> int:
        """Restore every open store from its own offset; returns how many records that took.

        A store that is ahead of its changelog, older than its beginning, or corrupt, is thrown away and read from the beginning.
        `committed` are the group's offsets: their metadata names the previous owners.

        Raises:
            UsageError: A changelog is empty although a store was written with it: the topic was deleted and made again. Nothing is wiped:
                what is on this disk may be the last copy.
        """
        stores = self._partitions.stores
        by_changelog = {self._partitions.changelog(stage, partition): (stage, partition) for stage, partition in stores}
        if not by_changelog:
            return 0
        started = time.monotonic()
        async with self._reader("read_uncommitted") as reader:
            await know(reader, by_changelog)
            starts = await reader.beginning_offsets(list(by_changelog))
            ends = await reader.end_offsets(list(by_changelog))
            slept = await that_slept_too_long(reader, {tp: stores[of].offset for tp, of in by_changelog.items()}, ends)
        ranges = {}
        for tp, (stage, partition) in by_changelog.items():
            offset = stores[stage, partition].offset
            if offset > 0 == ends[tp]:
                raise UsageError(_emptied(tp, offset))
            if offset > ends[tp] or 0 < offset < starts[tp]:
                log.warning(
                    "state of %s[%d] is at %d, its changelog spans %d..%d: rebuilding", stage, partition, offset, starts[tp], ends[tp]
                )
                offset = self._partitions.rebuild(stage, partition).offset
            elif tp in slept:
                log.warning("state of %s[%d] has slept too long: deletions may be gone from its changelog, rebuilding", stage, partition)
                offset = self._partitions.rebuild(stage, partition).offset
            if max(offset, starts[tp]) < ends[tp]:
                ranges[tp] = _Range(stage, partition, max(offset, starts[tp]), ends[tp])
        restored = await self._read(ranges, committed) if ranges else 0
        self._status.restore_seconds += time.monotonic() - started
        self._status.restore_remaining = 0
        return restored

    async def _read(self, ranges: dict[TopicPartition, _Range], committed: Mapping[TopicPartition, OffsetAndMetadata]) -> int:
        restored, progress_at, aborted = 0, time.monotonic(), False
        async with self._reader("read_committed") as reader:
            reader.assign(list(ranges))
            for tp, range_ in ranges.items():
                reader.seek(tp, range_.position)
            while ranges:
                fetched = await reader.getmany(timeout_ms=50, max_records=_AT_ONCE)
                for tp, records in fetched.items():
                    self._load(ranges, reader, tp, records)
                    restored += len(records)
                    self._status.restored += len(records)
                    self._failpoints.reached("restore.while_reading")
                for tp in list(ranges):
                    await self._pass(ranges, reader, tp)
                self._status.restore_remaining = sum(range_.end - range_.position for range_ in ranges.values())
                if fetched:
                    progress_at = time.monotonic()
                elif ranges and not aborted:
                    aborted = await self.abort_previous(self._owners(ranges.values(), committed), time.monotonic() - progress_at)
                await asyncio.sleep(0)
        return restored

    def _load(self, ranges: dict[TopicPartition, _Range], reader: Any, tp: TopicPartition, records: list[Any]) -> None:
        range_ = ranges.get(tp)
        if range_ is None:
            return
        store = self._partitions.stores[range_.stage, range_.partition]
        try:
            store.load([(record.key, record.value) for record in records], records[-1].offset + 1)
        except StateUnusable as error:
            log.warning("%s", error)
            self._partitions.rebuild(range_.stage, range_.partition)
            reader.seek(tp, 0)
            range_.position = 0

    async def _pass(self, ranges: dict[TopicPartition, _Range], reader: Any, tp: TopicPartition) -> None:
        range_ = ranges[tp]
        range_.position = await reader.position(tp)
        if range_.position >= range_.end:
            self._store(range_).load([], range_.position)
            del ranges[tp]

    async def beginnings(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The first offset that each of these still has."""
        wanted = list(partitions)
        async with self._reader("read_uncommitted") as reader:
            await know(reader, wanted)
            offsets: dict[TopicPartition, int] = await reader.beginning_offsets(wanted)
        return offsets

    def _store(self, range_: _Range) -> KeptStore:
        return self._partitions.stores[range_.stage, range_.partition]

    def _owners(self, ranges: Iterable[_Range], committed: Mapping[TopicPartition, OffsetAndMetadata]) -> set[str]:
        numbers = {range_.partition for range_ in ranges}
        return {
            owner_of(offset.metadata) for tp, offset in committed.items() if tp in self._partitions.internal and tp.partition in numbers
        }

    async def abort_previous(self, transactional_ids: Iterable[str], waited_s: float) -> bool:
        """Abort what previous owners left open, once that was waited for; otherwise everyone waits for their transaction timeout.

        Returns whether it was time to. (26 s were seen without it.)
        """
        ours = self._settings.transactional_id
        theirs = {each for each in transactional_ids if each != ours and each.startswith(f"{self._settings.app}-")}
        if waited_s < (_PATIENCE_WITH_THE_LIVING_S if any(map(self._is_alive, theirs)) else _PATIENCE_S):
            return False
        for transactional_id in sorted(theirs):
            log.warning("aborting the transaction that %s left open", transactional_id)
            await abort_left_behind(transactional_id, self._settings.bootstrap)
            self._status.aborted += 1
        return True

    @asynccontextmanager
    async def _reader(self, isolation_level: str) -> AsyncIterator[Any]:
        reader = AIOKafkaConsumer(
            **connection(self._settings.bootstrap),
            client_id=f"{self._settings.transactional_id}-restore",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level=isolation_level,
            fetch_max_wait_ms=20,
            max_partition_fetch_bytes=4 << 20,
        )
        try:
            await reader.start()  # inside: a restore that is cancelled meanwhile must not leave connections behind
            yield reader
        finally:
            await stop(reader)


def _emptied(tp: TopicPartition, offset: int) -> str:
    return (
        f"expected {tp.topic}[{tp.partition}] to reach offset {offset}, found it empty: the topic was deleted and made again, and with it "
        "the state. This worker's disk may hold the last copy, so it is left alone. Bring the topic back, or "
        "build the state anew from what is left (`touchstone topics rebuild`, docs/operate.md)"
    )


async def that_slept_too_long(
    reader: Any, offsets: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> set[TopicPartition]:
    """The changelogs that hold, behind the offset of our store, something older than a tombstone is sure to last.

    The marker of the transaction that wrote our last change lies directly behind it: one offset is nothing that we lack.
    """
    asleep = [tp for tp, offset in offsets.items() if 0 < offset < ends[tp] - 1]
    if not asleep:
        return set()
    since = time.time_ns() // 1_000_000 - _TOMBSTONES_MS
    young = await reader.offsets_for_times(dict.fromkeys(asleep, since))
    return {tp for tp in asleep if (young[tp].offset if young.get(tp) else ends[tp]) > offsets[tp] + 1}

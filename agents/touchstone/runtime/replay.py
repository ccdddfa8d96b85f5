"""A topic read together with its history: each partition from its beginning whenever it becomes ours.

For readers whose memory is a function of what the partition holds (touchstone.consumer): they need the old records to know what the
new ones mean. The group's committed offset says which records are new.
"""

import time
from collections.abc import AsyncIterator, Collection
from types import TracebackType
from typing import NamedTuple, Self

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, RebalanceInProgressError

from touchstone.errors import UsageError
from touchstone.runtime.admin import partition_counts
from touchstone.runtime.batch import program_record
from touchstone.runtime.closing import stop
from touchstone.runtime.program import Record
from touchstone.runtime.reach import unreachable
from touchstone.runtime.security import connection

COMMIT_INTERVAL_S = 1.0
"""How often positions are committed while reading; a crash repeats at most that much."""


class Replayed(NamedTuple):
    """A record, and whether it lies behind the position of the group."""

    record: Record
    is_new: bool


class ReplayingReader:
    """One member of a group (or, without a group, a reader of everything) over one topic, `read_committed`.

    A partition that was lost and comes back is continued where this reader stood, so a memory made of its records stays true; what
    other members did in between is read silently. `owns` tells whose memory may be dropped.
    """

    def __init__(self, bootstrap: str, topic: str, group: str | None) -> None:
        self._bootstrap, self._topic, self._group = bootstrap, topic, group
        self._consumer: AIOKafkaConsumer | None = None
        self._ours: set[TopicPartition] = set()
        self._unplaced: set[TopicPartition] = set()
        self._new_from: dict[TopicPartition, int] = {}
        self._next: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._commit_due = 0.0

    async def __aenter__(self) -> Self:
        """Connect and join the group.

        Raises:
            Retriable: no broker answers there.
            UsageError: it has no such topic.
        """
        partitions = (await partition_counts(self._bootstrap, [self._topic])).get(self._topic)
        if partitions is None:
            raise UsageError(f"expected a topic {self._topic}, found none; run `touchstone topics apply`")
        consumer = AIOKafkaConsumer(
            **connection(self._bootstrap),
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=100,
        )
        try:
            await consumer.start()
        except KafkaError as error:
            await stop(consumer)
            raise await unreachable(self._bootstrap, error) from error
        self._consumer = consumer
        if self._group is None:
            self._ours = {TopicPartition(self._topic, number) for number in range(partitions)}
            consumer.assign(self._ours)
        else:
            consumer.subscribe([self._topic], listener=_Listener(self))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Commit what was dealt with and leave the group."""
        if self._consumer is not None:
            await self.commit()
            await stop(self._consumer)
            self._consumer = None

    def owns(self, partition: int) -> bool:
        """Whether the partition is ours; the memory of one that is not may be dropped, it would be read from its beginning."""
        return TopicPartition(self._topic, partition) in self._ours

    async def __aiter__(self) -> AsyncIterator[Replayed]:
        """Records, partition by partition in order, for ever; a record counts as dealt with when the next one is asked for."""
        consumer = self._running()
        while True:
            await self._place()
            for tp, records in (await consumer.getmany(timeout_ms=500)).items():
                for record in records:
                    if tp in self._unplaced or tp not in self._ours:
                        break  # the group moved on while the caller was busy: what is left of the batch is read again, or not ours
                    yield Replayed(program_record(record), record.offset >= self._new_from.get(tp, 0))
                    if tp in self._ours:
                        self._next[tp] = record.offset + 1
            if time.monotonic() >= self._commit_due:
                await self.commit()

    async def commit(self) -> None:
        """Commit the positions of what was dealt with; silently nothing where the group has moved on, it is read again then."""
        self._commit_due = time.monotonic() + COMMIT_INTERVAL_S
        consumer = self._running()
        if self._group is None:
            return
        ours = consumer.assignment() - self._unplaced
        offsets = {
            tp: at for tp, at in self._next.items() if tp in ours and at > max(self._new_from.get(tp, 0), self._committed.get(tp, 0))
        }
        if not offsets:
            return
        try:
            await consumer.commit(offsets)
        except (CommitFailedError, RebalanceInProgressError, IllegalStateError):
            return
        self._committed |= offsets

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """The group gave us these; nothing of them is handed out before their place is known. For the listener."""
        self._ours, self._unplaced = set(partitions), set(partitions)
        self._committed.clear()
        for tp in self._next.keys() - self._ours:
            del self._next[tp]

    async def _place(self) -> None:
        """Seek newly assigned partitions. Outside the callback, because aiokafka's heartbeats start only after it."""
        consumer = self._running()
        while self._unplaced:
            wanted = set(self._unplaced)
            places = {tp: await consumer.committed(tp) for tp in wanted}
            if wanted != self._unplaced:
                continue
            for tp, committed in places.items():
                self._new_from[tp] = max(committed or 0, self._next.get(tp, 0))
                if tp in self._next:
                    consumer.seek(tp, self._next[tp])
                else:
                    await consumer.seek_to_beginning(tp)
            self._unplaced -= wanted

    def _running(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise UsageError("the reader is not connected; use it in `async with`")
        return self._consumer


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Tells the reader what became of its partitions."""

    def __init__(self, reader: ReplayingReader) -> None:
        self._reader = reader

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Commit while they are still ours."""
        if revoked:
            await self._reader.commit()

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Note them; they are placed before the next read."""
        self._reader.assigned(assigned)

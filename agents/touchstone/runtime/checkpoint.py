"""The commit protocol: outputs, state, offsets and time become true together, or not at all."""

import time
from collections.abc import Mapping

from aiokafka import TopicPartition

from touchstone.clock import Clock
from touchstone.runtime.batch import End, Slice
from touchstone.runtime.delivery import Delivery
from touchstone.runtime.failpoint import Failpoints
from touchstone.runtime.names import clock_topic
from touchstone.runtime.partitions import KeptStore, Partitions
from touchstone.runtime.producer import Item, Outgoing, Producer
from touchstone.runtime.program import Program
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.sources import Statement, encode_statement
from touchstone.runtime.status import RuntimeStatus
from touchstone.runtime.timekeeper import Timekeeper


class Checkpoint:
    """Knows what was done since the last commit, and makes it durable. All calls happen under the loop's lock.

    The offset of a record is committed in the same transaction as everything the record caused, so a crash at any moment leaves either
    all of it or nothing. The local store is written last: it is a cache that may lag behind its changelog, never be ahead of it.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        program: Program,
        *,
        partitions: Partitions,
        delivery: Delivery,
        producer: Producer,
        timekeeper: Timekeeper,
        clock: Clock,
        failpoints: Failpoints,
        status: RuntimeStatus,
    ) -> None:
        self._settings = settings
        self._program = program
        self._partitions = partitions
        self._delivery = delivery
        self._producer = producer
        self._timekeeper = timekeeper
        self._clock = clock
        self._failpoints = failpoints
        self._status = status
        self._clock_partition = TopicPartition(clock_topic(settings.app), 0)
        self._positions: dict[TopicPartition, int] = {}
        self._ends: Mapping[TopicPartition, End] = {}
        self._moved: set[TopicPartition] = set()
        self._records = 0
        self._begun_at: float | None = None
        self._looked_at = 0.0

    def start(self, positions: Mapping[TopicPartition, int]) -> None:
        """Begin at these positions, with nothing to commit."""
        self._positions = dict(positions)
        self._ends = {}
        self.forget()

    def forget(self) -> None:
        """Drop what was not committed."""
        self._moved.clear()
        self._records = 0
        self._begun_at = None
        self._delivery.forget()

    def processed(self, piece: Slice) -> None:
        """A slice is done, including everything that it caused in memory."""
        self._records += len(piece.records)
        self.moved(piece.tp, piece.position)

    def moved(self, tp: TopicPartition, position: int) -> None:
        """The position of a partition is this now."""
        if self._positions.get(tp) != position:
            self._positions[tp] = position
            self._moved.add(tp)
            if self._begun_at is None:
                self._begun_at = time.monotonic()

    def learn_ends(self, ends: Mapping[TopicPartition, End]) -> None:
        """Take what the last fetches said about the ends of the partitions."""
        self._ends = ends

    @property
    def lag(self) -> dict[str, int]:
        """Records, and markers, between our positions and the ends of the partitions, per topic."""
        lag: dict[str, int] = {}
        for tp, end in self._ends.items():
            lag[tp.topic] = lag.get(tp.topic, 0) + max(0, end.highwater - self._positions.get(tp, end.highwater))
        return lag

    @property
    def is_due(self) -> bool:
        """Whether to commit now: enough records, enough time since the first of them, or something to say about the time."""
        now = time.monotonic()
        if self._begun_at is not None:
            return self._records >= self._settings.commit_records or self._is_long_enough(now - self._begun_at)
        if now - self._looked_at < self._interval_s:
            return False
        self._looked_at = now
        return self._timekeeper.wants_commit(self._clock.now_ms(), self._positions, self._ends)

    def _is_long_enough(self, seconds: float) -> bool:
        if seconds < self._interval_s:
            return False
        is_behind = sum(self.lag.values()) > self._settings.poll_records
        return not is_behind or seconds * 1_000 >= self._settings.commit_interval_behind_ms

    async def commit(self) -> None:
        """Commit what was done since the last time.

        1. Settle: advance the partitions whose time has come, let the program finish what it put off, deliver in memory, until
           nothing moves.
        2. Wait until all outputs and messages are acknowledged. They are in the open transaction: no `read_committed` reader sees them.
        3. Write the changes of all stores to their changelogs, and our statement about the sources, in the same transaction.
        4. Put the offsets into it, as member of the present group generation: from here on a later owner waits for its outcome. A
           transaction that read nothing commits the unchanged positions again, so that it is fenced all the same.
        5. End the transaction: all of it is visible now.
        6. Write the stores, together with the offset behind their changes in the changelog.

        Raises:
            Fenced: Somebody else owns the partitions now; nothing was committed.
            StateUnusable: A store broke; what it lacks is in its changelog.
        """
        started = time.monotonic()
        self._failpoints.reached("commit.before_settle")
        await self._settle()
        self._failpoints.reached("commit.before_outputs")
        await self._producer.flush()
        self._failpoints.reached("commit.before_changelog")
        changed, statement, next_offsets = await self._write_changes()
        if self._moved or statement is not None or changed or self._producer.in_transaction:
            self._failpoints.reached("commit.before_offsets")
            moved = self._moved or set(self._positions)
            positions = {tp: self._positions[tp] for tp in moved}
            await self._producer.commit(positions, lambda: self._failpoints.reached("commit.before_end"))
            self._failpoints.reached("commit.before_stores")
            for changelog, store in changed.items():
                store.commit(next_offsets[changelog])
            self._failpoints.reached("commit.after_stores")
            self._program.committed()
            self._count(time.monotonic() - started)
        if statement is not None:
            self._timekeeper.said(statement, self._clock.now_ms())
        self.forget()

    async def _settle(self) -> None:
        wall_ms = self._clock.now_ms()
        for partition, now in self._timekeeper.due(wall_ms, self._positions, self._ends):
            self._program.advance(partition, now, self._delivery)
            self._timekeeper.advanced(partition, now)
        await self._delivery.drain()
        while self._program.settle(self._delivery, wall_ms) or not self._delivery.idle:
            await self._delivery.drain()
        self._delivery.emit()

    async def _write_changes(self) -> tuple[dict[TopicPartition, KeptStore], Statement | None, dict[TopicPartition, int]]:
        changed: dict[TopicPartition, KeptStore] = {}
        changes: Outgoing = {}
        for (stage, partition), store in self._partitions.stores.items():
            pending = store.pending()
            if pending:
                changelog = self._partitions.changelog(stage, partition)
                changed[changelog] = store
                changes[changelog] = [Item(key, value) for key, value in pending]
        statement = self._timekeeper.statement(self._clock.now_ms(), self._positions, self._ends)
        if statement is not None:
            changes[self._clock_partition] = [Item(self._timekeeper.key, encode_statement(statement))]
        return changed, statement, await self._producer.write(changes) if changes else {}

    def _count(self, seconds: float) -> None:
        status = self._status
        status.commits += 1
        status.commit_seconds += seconds
        status.commit_times.append(seconds)
        status.commit_seconds_max = max(status.commit_seconds_max, seconds)
        status.clock_ms = self._timekeeper.now
        status.lag = self.lag

    @property
    def _interval_s(self) -> float:
        return self._settings.commit_interval_ms / 1_000

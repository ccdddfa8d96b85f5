"""The commit protocol: outputs, state, offsets and time become true together, or not at all."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

from touchstone.clock import Clock
from touchstone.errors import InvariantBroken
from touchstone.runtime.batch import End, Slice
from touchstone.runtime.delivery import Delivery
from touchstone.runtime.failpoint import Failpoints
from touchstone.runtime.names import clock_topic, first_name, internal_topic
from touchstone.runtime.partitions import KeptStore, Partitions
from touchstone.runtime.producer import Item, Outgoing, Producer
from touchstone.runtime.program import Program
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.sources import Statement, encode_statement
from touchstone.runtime.status import RuntimeStatus
from touchstone.runtime.timekeeper import Timekeeper


@dataclass(frozen=True, slots=True)
class Sealed:
    """What one transaction carries: what goes out, the stores and where their changes go, positions with the program's notes beside them,
    what is said of the time.
    """

    outgoing: Outgoing
    stores: Mapping[TopicPartition, KeptStore]
    positions: Mapping[TopicPartition, int]
    notes: Mapping[TopicPartition, str]
    statement: Statement | None
    began: float


class Checkpoint:
    """Knows what was done since the last commit, and makes it durable. All calls happen under the loop's lock.

    The offset of a record is committed in the same transaction as everything the record caused, so a crash at any moment leaves either
    all of it or nothing. The local store is written last: it is a cache that may lag behind its changelog, never be ahead of it.

    One commit at a time is under way, in the background, and the next records are processed meanwhile: what they cause stays in memory
    until it has ended. Should it fail, nothing of either stands.
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
        self._clock_partition = TopicPartition(clock_topic(settings.base), 0)
        self._positions: dict[TopicPartition, int] = {}
        self._ends: Mapping[TopicPartition, End] = {}
        self._moved: set[TopicPartition] = set()
        self._records = 0
        self._begun_at: float | None = None
        self._looked_at = 0.0
        self._under_way: asyncio.Task[None] | None = None
        self._failed: Exception | None = None
        self._begun_commit_at = 0.0
        self._when_ended: Callable[[], None] = lambda: None

    def tell(self, when_ended: Callable[[], None]) -> None:
        """Whom to wake when a commit has ended: the next one may be due."""
        self._when_ended = when_ended

    def start(self, positions: Mapping[TopicPartition, int], notes: Mapping[TopicPartition, str]) -> None:
        """Begin at these positions, with what the program had noted there, and nothing to commit."""
        self._positions = dict(positions)
        for tp in positions:
            if tp.topic in self._settings.channel_topics:
                self._program.resume(tp.topic, tp.partition, notes.get(tp, ""))
        self._ends = {}
        self.forget()

    def forget(self) -> None:
        """Drop what was not committed."""
        self._failed = None
        self._moved.clear()
        self._records = 0
        self._begun_at = None
        self._delivery.forget()

    def processed(self, piece: Slice) -> None:
        """A slice is done, including everything that it caused in memory."""
        self._records += len(piece.records)
        self.moved(piece.tp, piece.position)

    def stopped(self, tp: TopicPartition, position: int, latest: int | None) -> None:
        """A slice is done up to this position only; `latest` is the latest source time before it."""
        self._timekeeper.sources.advance(tp, latest)
        self.moved(tp, position)

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
            topic = first_name(tp.topic, self._settings.app, self._settings.base)
            lag[topic] = lag.get(topic, 0) + max(0, end.highwater - self._positions.get(tp, end.highwater))
        return lag

    @property
    def is_due(self) -> bool:
        """Whether to commit now: enough records, enough time since the first of them, or something to say about the time."""
        if self.is_under_way:
            return self._records >= self._settings.commit_records
        now = time.monotonic()
        if self._begun_at is not None:
            return self._records >= self._settings.commit_records or self._is_long_enough(now - self._begun_at)
        if now - self._looked_at < self._interval_s:
            return False
        self._looked_at = now
        return self._timekeeper.wants_commit(now, self._positions, self._ends)

    @property
    def due_in_s(self) -> float:
        """How long to wait for records before looking whether to commit."""
        if self._begun_at is None or self.is_under_way:
            return self._interval_s / 2
        return max(0.0, self._begun_at + self._interval_s - time.monotonic())

    def _is_long_enough(self, seconds: float) -> bool:
        if seconds < self._interval_s:
            return False
        is_behind = sum(self.lag.values()) > self._settings.poll_records
        return not is_behind or seconds * 1_000 >= self._settings.commit_interval_behind_ms

    @property
    def is_under_way(self) -> bool:
        """Whether a commit has begun and not ended."""
        return self._under_way is not None and not self._under_way.done()

    @property
    def committing_since(self) -> float | None:
        """When the commit began that is under way, by the monotonic clock."""
        return self._begun_commit_at if self.is_under_way else None

    async def commit(self) -> None:
        """Begin to commit what was done since the last time; returns when it is decided what that is.

        1. Wait for the commit before this one.
        2. Settle: advance the partitions whose time has come, let the program finish what it put off, deliver in memory, until
           nothing moves.
        3. Seal: what goes out, the changes of all stores, the positions and our statement about the sources belong to this transaction;
           what is done from now on belongs to the next.
        4. In the background, `_carry_out`.

        Raises:
            Fenced: Somebody else owns the partitions now; nothing was committed.
            StateUnusable: A store broke; what it lacks is in its changelog.
            Exception: The commit before this one failed with it, and what it carried was not dropped since.
        """
        await self.finish()
        if self._failed is not None:
            raise self._failed
        started = time.monotonic()
        self._failpoints.reached("commit.before_settle")
        await self._settle()
        sealed = self._seal(started)
        if sealed is not None:
            self._producer.hold()
            self._begun_commit_at = started
            self._under_way = asyncio.create_task(self._carry_out(sealed), name="touchstone-commit")

    async def finish(self) -> None:
        """Wait until the commit that is under way has ended; with its errors, as `commit`."""
        under_way = self._under_way
        if under_way is not None:
            try:
                await asyncio.shield(under_way)
            finally:
                if under_way.done():
                    self._under_way = None

    def check(self) -> None:
        """Raise what a commit has failed with that ended meanwhile."""
        if self._under_way is not None and self._under_way.done():
            under_way, self._under_way = self._under_way, None
            under_way.result()

    async def _carry_out(self, sealed: Sealed) -> None:
        """The transaction.

        5. Write what goes out and the changes of the stores to their changelogs. At the same time put the offsets into the transaction, as
           member of the present group generation: from here on a later owner waits for its outcome. So that every later owner does, a
           partition whose state changes has an offset in it also where nothing of it was read, because what changed it came by memory. A
           transaction that read nothing commits the unchanged positions again, so that it is fenced all the same.
        6. When all of it is acknowledged, end the transaction. Until now no `read_committed` reader sees anything of it; now all of it.
        7. Write the stores, together with the offset behind their changes in the changelog.
        """
        try:
            await self._transact(sealed)
        except Exception as error:
            self._failed = error  # what was done since stands on what failed: no commit may follow, whoever asks for it on the way out
            raise
        finally:
            self._when_ended()

    async def _transact(self, sealed: Sealed) -> None:
        await self._failpoints.passed("commit.before_write")
        ends = await self._producer.transact(
            sealed.outgoing, sealed.positions, lambda: self._failpoints.reached("commit.before_end"), sealed.notes
        )
        self._program.committed()
        self._failpoints.reached("commit.before_stores")
        for changelog, store in sealed.stores.items():
            written = len(sealed.outgoing[changelog])
            if ends[changelog] - written < store.offset:
                raise InvariantBroken(
                    f"expected {changelog.topic}[{changelog.partition}] to go on behind offset {store.offset}, found {written} records that end "
                    f"at {ends[changelog]}: was it deleted and made again?"
                )
            store.commit(ends[changelog])
        self._failpoints.reached("commit.after_stores")
        if sealed.statement is not None:
            self._timekeeper.said(sealed.statement, time.monotonic())
        self._count(time.monotonic() - sealed.began)
        self._producer.release()

    async def _settle(self) -> None:
        wall_ms = self._clock.now_ms()
        for partition, now in self._timekeeper.due(time.monotonic(), self._positions, self._ends):
            self._program.advance(partition, now, self._delivery)
            self._timekeeper.advanced(partition, now)
        await self._delivery.drain()
        while self._program.settle(self._delivery, wall_ms) or not self._delivery.idle:
            await self._delivery.drain()

    def _seal(self, started: float) -> Sealed | None:
        """Take what belongs to this transaction; None when there is nothing to commit."""
        outgoing = self._delivery.take()
        stores: dict[TopicPartition, KeptStore] = {}
        changed: set[TopicPartition] = set()
        for (stage, partition), store in self._partitions.stores.items():
            changes = store.seal()
            if changes:
                changelog = self._partitions.changelog(stage, partition)
                stores[changelog] = store
                changed.add(TopicPartition(internal_topic(self._settings.base, stage), partition))
                outgoing[changelog] = [Item(key, value) for key, value in changes]
        statement = self._timekeeper.statement(time.monotonic(), self._positions, self._ends)
        if statement is not None:
            outgoing[self._clock_partition] = [Item(self._timekeeper.key, encode_statement(statement))]
        moved = (self._moved or set(self._positions)) | (changed & self._positions.keys())
        has_work = bool(self._moved or outgoing or self._producer.in_transaction)
        positions = {tp: self._positions[tp] for tp in moved}
        self._moved = set()
        self._records = 0
        self._begun_at = None
        if not has_work:
            return None
        notes = self._notes(positions)
        self._program.sealed()
        return Sealed(outgoing, stores, positions, notes, statement, started)

    def _notes(self, positions: Iterable[TopicPartition]) -> dict[TopicPartition, str]:
        channels = self._settings.channel_topics
        return {tp: self._program.note(tp.topic, tp.partition) for tp in positions if tp.topic in channels}

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

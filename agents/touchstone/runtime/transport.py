"""Faust's extension point: a transport whose consumer hands over whole batches, and leaves state and offsets to us.

What is kept of Faust's consumer: the thread it lives in (heartbeats go on while the main loop works), group membership, subscription.
What is replaced: the drain loop, which would make two tasks per message; the commit, which loses acknowledgements; the seek.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

import faust
from aiokafka import TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import ConsumerStoppedError
from aiokafka.structs import OffsetAndMetadata
from faust.tables.manager import TableManager
from faust.transport.drivers import aiokafka as driver
from mode.threads import WorkerThread

from touchstone.errors import Retriable
from touchstone.runtime.batch import Batch, End
from touchstone.runtime.failpoint import Failpoints
from touchstone.runtime.loop import Loop
from touchstone.runtime.metadata import unknown_topics
from touchstone.runtime.program import Prepare
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.transaction import Membership, StableOffsets, fetch_stable_offsets

log = logging.getLogger(__name__)

_FAUST_LOG = logging.getLogger("faust.touchstone")
"""Faust talks a lot; its words go under its own name."""

_POLL_S = 0.2
_FEW = 200
_AGAIN_S = 1.0
"""How long is waited before something that was not to be had is asked for again."""
_NAP_S = 0.01
"""After a small batch the next poll waits: at 1,000 records/s that halves the processor time for 10 ms of latency."""


class Rebalancing(Protocol):
    """Who is told about partitions that come and go."""

    async def revoked(self) -> None:
        """Awaited before the group is joined again."""
        ...

    def assigned(self, partitions: Iterable[TopicPartition], membership: Membership, consumer: Any) -> None:
        """Must return at once: heartbeats begin after it."""
        ...


class Engine(NamedTuple):
    """What the transport drives."""

    settings: WorkerSettings
    loop: Loop
    rebalance: Rebalancing
    failpoints: Failpoints
    prepare: Prepare | None = None


class EngineApp(faust.App):
    """A Faust app that carries the engine."""

    logger = _FAUST_LOG
    engine: Engine


class NoTables(TableManager):
    """Faust's manager of tables, of which there are none: it would sleep for a second before it starts."""

    logger = _FAUST_LOG

    async def on_start(self) -> None:
        """Start at once."""
        await self._update_channels()
        await self.recovery.start()


class Polled(NamedTuple):
    """What one poll in the consumer's thread returned."""

    records: Mapping[TopicPartition, Any]
    positions: dict[TopicPartition, int]
    ends: dict[TopicPartition, End]


class Answers:
    """Since when an answer of the broker is known. aiokafka notes the wall clock at each, which somebody may set: it only tells two apart."""

    def __init__(self) -> None:
        self._last: dict[TopicPartition, tuple[int, float, float]] = {}

    def told(self, tp: TopicPartition, stamp: int, now: float) -> float:
        """When this partition was last looked at without this answer being there, on the monotonic clock; 0.0 at the first look."""
        last_stamp, answered, looked_at = self._last.get(tp, (None, 0.0, 0.0))
        if stamp != last_stamp:
            answered = looked_at
        self._last[tp] = (stamp, answered, now)
        return answered


class DaemonThread(WorkerThread):
    """A thread that does not keep the process from ending: stopped while it starts, Faust's would run for ever."""

    def __init__(self, service: Any, **kwargs: Any) -> None:
        super().__init__(service, **kwargs)
        self.daemon = True

    def run(self) -> None:
        """Work until stopped. What ends it otherwise is noticed by the watchdog; on the way out, when Kafka is away, it means nothing."""
        try:
            super().run()
        except Exception as error:  # noqa: BLE001  # a thread has nobody above it but Python's printer of tracebacks
            log.log(logging.DEBUG if self.service.should_stop else logging.WARNING, "the consumer's thread has ended: %r", error)


class EngineConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread in which the group's consumer lives."""

    Worker = DaemonThread
    logger = _FAUST_LOG
    app: EngineApp

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answers = Answers()

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer: Any = super()._create_worker_consumer(transport)
        settings = self.app.engine.settings
        # Faust hard-codes 1500 ms here (p99 794 ms at 1,000/s); its assignor refuses brokers by name, and round robin, its other
        # choice, does not co-partition.
        consumer._fetch_max_wait_ms = settings.fetch_wait_ms
        consumer._fetch_min_bytes = settings.fetch_min_bytes
        consumer._isolation_level = "read_committed"
        if settings.static_membership:
            consumer._group_instance_id = settings.instance
        consumer._partition_assignment_strategy = consumer._assignors = [RangePartitionAssignor]
        return consumer

    def on_crash(self, msg: str, *fmt: Any, **_kwargs: Any) -> None:
        """Not on standard error, as a bare traceback: `DaemonThread.run` says it."""
        log.debug("%s", msg.format(*fmt))

    async def poll(self, partitions: frozenset[TopicPartition]) -> Polled:
        """Fetch, and read positions and ends in the same breath. Called in the main loop, runs in the thread."""
        polled: Polled = await self.call_thread(self._poll, partitions)
        return polled

    async def _poll(self, partitions: frozenset[TopicPartition]) -> Polled:
        await self.app.engine.failpoints.passed("consumer.poll")
        consumer: Any = self._ensure_consumer()
        limit = self.app.engine.settings.poll_records
        wanted: Any = partitions  # Faust asks for a set of its own TP: equal, as tuples are
        records = await self._fetch_records(consumer, wanted, timeout=_POLL_S, max_records=limit)
        positions: dict[TopicPartition, int] = {}
        ends: dict[TopicPartition, End] = {}
        assignment = consumer._subscription.subscription.assignment
        for tp in partitions:
            state = assignment.state_value(tp) if assignment is not None else None
            if state is not None and state._position is not None:
                positions[tp] = state._position
                if state.highwater is not None:
                    ends[tp] = End(state.highwater, self._answers.told(tp, state.timestamp, time.monotonic()))
        return Polled(records, positions, ends)

    async def stable_offsets(self, partitions: Iterable[TopicPartition]) -> StableOffsets:
        """The committed offsets, refusing to guess about open transactions."""
        coordinator = self._ensure_consumer()._coordinator
        offsets: StableOffsets = await self.call_thread(fetch_stable_offsets, coordinator, partitions)
        return offsets

    async def seek_all(
        self, partitions: Iterable[TopicPartition], offsets: Mapping[TopicPartition, OffsetAndMetadata]
    ) -> dict[TopicPartition, int]:
        """Go to these offsets, or to the beginning where there is none."""
        positions: dict[TopicPartition, int] = await self.call_thread(self._seek_all, partitions, offsets)
        return positions

    async def _seek_all(
        self, partitions: Iterable[TopicPartition], offsets: Mapping[TopicPartition, OffsetAndMetadata]
    ) -> dict[TopicPartition, int]:
        consumer: Any = self._ensure_consumer()
        for tp, offset in offsets.items():
            consumer.seek(tp, offset.offset)
        fresh = [tp for tp in partitions if tp not in offsets]
        if fresh:
            await consumer.seek_to_beginning(*fresh)
        return {tp: await consumer.position(tp) for tp in partitions}

    async def topics_gone(self) -> list[str]:
        """The subscribed topics that the brokers do not know any more."""
        gone: list[str] = await self.call_thread(self._topics_gone)
        return gone

    async def _topics_gone(self) -> list[str]:
        consumer: Any = self._ensure_consumer()
        return await unknown_topics(consumer.subscription(), consumer._client)

    def broken(self) -> BaseException | None:
        """Why the consumer no longer works, if its thread or one of its background tasks has died. Faust would live on without it."""
        consumer: Any = self._consumer
        if self._thread is not None and not self._thread.is_alive():
            return RuntimeError("its thread has ended")
        if consumer is None or consumer._coordinator is None:  # still connecting; the fetcher is there before the coordinator
            return None
        for task in (consumer._fetcher._fetch_task, consumer._coordinator._coordination_task):
            if task.done() and not task.cancelled() and task.exception() is not None:
                error: BaseException = task.exception()
                return error
        return None


class EngineConsumer(driver.Consumer):
    """Feeds the loop with batches and tells the rebalance what comes and goes."""

    logger = _FAUST_LOG
    app: EngineApp
    _thread: EngineConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fetch_lock = asyncio.Lock()
        self._assigned: frozenset[TopicPartition] = frozenset()

    def _new_consumer_thread(self) -> EngineConsumerThread:
        return EngineConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # What the rebalance asks for

    async def stable_offsets(self, partitions: Iterable[TopicPartition]) -> StableOffsets:
        """The committed offsets, and the partitions where that is not decided yet."""
        return await self._thread.stable_offsets(partitions)

    async def go_to(
        self, partitions: Iterable[TopicPartition], offsets: Mapping[TopicPartition, OffsetAndMetadata]
    ) -> dict[TopicPartition, int]:
        """Go to these offsets, or to the beginning where there is none; returns the positions."""
        return await self._thread.seek_all(partitions, offsets)

    async def topics_gone(self) -> list[str]:
        """The subscribed topics that the brokers do not know any more."""
        return await self._thread.topics_gone()

    def broken(self) -> BaseException | None:
        """Why the consumer no longer works, if so."""
        return self._thread.broken()

    # What Faust calls: in the main loop, on behalf of the coordinator in the thread

    async def on_partitions_revoked(self, revoked: set[Any]) -> None:
        """Before JoinGroup."""
        await self.app.engine.rebalance.revoked()
        self._assigned = frozenset()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[Any], generation_id: int = 0) -> None:
        """After SyncGroup. Nothing slow may be awaited here: aiokafka starts heartbeats when this returns."""
        await super().on_partitions_assigned(assigned, generation_id)
        if self.app.should_stop:
            return
        consumer: Any = self._thread._ensure_consumer()
        membership = Membership(generation_id, consumer._coordinator.member_id, consumer._group_instance_id)
        self._assigned = frozenset(TopicPartition(tp.topic, tp.partition) for tp in assigned)
        self.app.engine.rebalance.assigned(self._assigned, membership, self)

    async def wait_empty(self) -> None:
        """Before the consumer stops: what was done is committed."""
        await self.app.engine.rebalance.revoked()

    # Faust's own positions and commits are switched off

    async def perform_seek(self) -> None:
        """Nothing: we seek after the restore."""

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: ARG002  # Faust's signature
        """Nothing: offsets are part of our transactions."""
        return False

    async def verify_all_partitions_active(self) -> None:
        """Nothing: it judges by Faust's own bookkeeping."""

    async def _drain_messages(self, fetcher: Any) -> None:
        """Poll batches into the loop's queue while the gate is open.

        A fetch that was begun before the gate closed belongs to an old epoch: what it returns is dropped, and read again by whoever owns
        the partition then.
        """
        loop = self.app.engine.loop
        while not (self._stopped.is_set() or fetcher._stopped.is_set()):
            if not (loop.gate.is_set() and self.flow_active and self._assigned):
                await asyncio.sleep(_NAP_S)
                continue
            await loop.wait_for_room()
            async with self.fetch_lock:
                epoch = loop.epoch
                if not loop.gate.is_set():
                    continue
                try:
                    polled = await self._thread.poll(self._assigned)
                except ConsumerStoppedError:
                    return
            if self.app.engine.prepare is not None and polled.records:
                await self._prepare(self.app.engine.prepare, polled, epoch)
            loop.put(Batch(epoch, polled.records, polled.positions), polled.ends)
            await asyncio.sleep(_NAP_S if sum(map(len, polled.records.values())) < _FEW else 0)

    async def _prepare(self, prepare: Prepare, polled: Polled, epoch: int) -> None:
        """Wait until everything is there that the records need, or until they are not ours any more.

        No lock is held: commits and rebalances go on, and heartbeats have a thread of their own. Empty batches say meanwhile that we
        live, and how far away the ends are, so that no clock runs ahead of records that wait here.
        """
        loop, is_waiting = self.app.engine.loop, False
        while loop.epoch == epoch and not self._stopped.is_set():
            try:
                await prepare(polled.records)
            except Retriable as error:
                if not is_waiting:
                    log.warning("records wait, nothing is lost: %s", error)
                is_waiting = True
                loop.put(Batch(epoch, {}, {}), polled.ends)
                await asyncio.sleep(_AGAIN_S)
            else:
                if is_waiting:
                    log.warning("what records waited for is there again")
                return


class EngineTransport(driver.Transport):
    """Kafka through aiokafka, with our consumer."""

    Consumer = EngineConsumer

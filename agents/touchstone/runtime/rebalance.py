"""What happens when partitions come and go."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from touchstone.errors import InvariantBroken, StateUnusable, UsageError
from touchstone.runtime.checkpoint import Checkpoint
from touchstone.runtime.delivery import Delivery
from touchstone.runtime.failpoint import Failpoints
from touchstone.runtime.loop import Loop
from touchstone.runtime.offset_metadata import note_of
from touchstone.runtime.partitions import Partitions
from touchstone.runtime.producer import Producer
from touchstone.runtime.restore import Restorer
from touchstone.runtime.standby import Standby
from touchstone.runtime.status import RuntimeStatus
from touchstone.runtime.timekeeper import Timekeeper
from touchstone.runtime.transaction import Membership, StableOffsets

log = logging.getLogger(__name__)

_ASK_AGAIN_S = 0.05


class GroupConsumer(Protocol):
    """What is needed of the group's consumer; it lives in a thread of its own."""

    fetch_lock: asyncio.Lock
    """Held while a fetch is under way."""

    async def stable_offsets(self, partitions: Iterable[TopicPartition]) -> StableOffsets:
        """The committed offsets, and the partitions where that is not decided yet."""
        ...

    async def go_to(
        self, partitions: Iterable[TopicPartition], offsets: Mapping[TopicPartition, OffsetAndMetadata]
    ) -> dict[TopicPartition, int]:
        """Go to these offsets, or to the beginning where there is none; returns the positions."""
        ...

    async def topics_gone(self) -> list[str]:
        """The subscribed topics that the brokers do not know any more."""
        ...


class Rebalance:
    """Takes partitions over from others and hands them on, always between two transactions."""

    def __init__(
        self,
        *,
        loop: Loop,
        checkpoint: Checkpoint,
        delivery: Delivery,
        partitions: Partitions,
        producer: Producer,
        restorer: Restorer,
        standby: Standby,
        timekeeper: Timekeeper,
        is_known: tuple[asyncio.Event, ...],
        failpoints: Failpoints,
        status: RuntimeStatus,
        fail: Callable[[BaseException], Awaitable[None]],
        topic_options: str,
        confirm: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        """`confirm` returns when all that the workers have agreed on still stands; it raises what says why this one cannot go on."""
        self._loop = loop
        self._checkpoint = checkpoint
        self._delivery = delivery
        self._partitions = partitions
        self._producer = producer
        self._restorer = restorer
        self._standby = standby
        self._timekeeper = timekeeper
        self._is_known = is_known
        self._failpoints = failpoints
        self._status = status
        self._fail = fail
        self._topic_options = topic_options
        self._confirm = confirm
        self._consumer: GroupConsumer | None = None
        self._task: asyncio.Task[None] | None = None
        self.membership = Membership(-1, "", None)

    async def revoked(self) -> None:
        """Hand the partitions back. Awaited before the group is joined again: when it returns, nothing is processed any more.

        1. Close the gate: what the consumer still fetches belongs to an old epoch.
        2. Cancel a restore that is under way; a commit that it has begun ends while we are still members of the generation it names.
        3. Under the lock, when no body runs: end the commit that is under way, and commit what was done since.
        4. Drop the batches that wait.
        """
        was_running = self._loop.gate.is_set()
        self._loop.close_gate()
        if self._status.phase in {"running", "restoring"}:
            self._status.phase = "rebalancing"
        await self._cancel_restore()
        await self._standby.stop()
        async with self._loop.lock:
            try:
                await self._producer.ended()
                await self._failpoints.passed("rebalance.before_commit")
                if was_running:
                    await self._checkpoint.commit()
                await self._checkpoint.finish()
                self._failpoints.reached("rebalance.after_commit")
            except StateUnusable as error:
                await self._throw_away(error)
            except Exception as error:  # noqa: BLE001  # whatever it is, the worker must not go on
                await self._fail(error)
            self._loop.drop_queued()
            self._checkpoint.forget()

    def assigned(self, partitions: Iterable[TopicPartition], membership: Membership, consumer: GroupConsumer) -> None:
        """Take these partitions over, in the background: heartbeats begin only after the caller has returned."""
        self._failpoints.reached("rebalance.assigned")
        self._loop.close_gate()
        self.membership = membership
        self._consumer = consumer
        self._status.rebalances += 1
        self._status.generation = membership.generation
        before, self._task = self._task, None
        self._task = asyncio.create_task(self._take_over(frozenset(partitions), before), name="touchstone-restore")

    async def recover(self, error: StateUnusable) -> None:
        """A store broke while running: undo the open transaction and rebuild. The caller holds the lock."""
        self._loop.close_gate()
        self._loop.drop_queued()
        await self._throw_away(error)
        self._task = asyncio.create_task(self._take_over(self._partitions.assigned, self._task), name="touchstone-restore")

    async def stop(self) -> None:
        """Commit, and close all stores. The partitions stay ours until we leave the group."""
        self._status.phase = "draining"
        await self.revoked()
        async with self._loop.lock:
            self._partitions.close()

    async def _throw_away(self, error: StateUnusable) -> None:
        log.warning("%s", error)
        with suppress(StateUnusable):  # of the same store, or of another, which its restore will find
            await self._checkpoint.finish()
        await self._producer.restart()
        self._status.aborted += 1
        self._partitions.rebuild_at(error.path)
        self._checkpoint.forget()

    async def _cancel_restore(self) -> None:
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task])

    async def _take_over(self, assigned: frozenset[TopicPartition], before: asyncio.Task[None] | None) -> None:
        try:
            if before is not None and not before.done():
                before.cancel()
                await asyncio.wait([before])
            confirming = asyncio.create_task(self._confirm(), name="touchstone-confirm")
            try:
                await self._restore(assigned, self._loop.epoch, confirming)
            finally:
                confirming.cancel()
        except Exception as error:  # noqa: BLE001  # whatever it is, the worker must not go on
            await self._fail(error)

    async def _restore(self, assigned: frozenset[TopicPartition], epoch: int, confirming: Awaitable[None]) -> None:
        """Bring everything to the last committed transaction, then open the gate.

        1. Close lost stores, open new ones.
        2. Committed offsets, waiting for transactions that are not decided.
        3. State, from the stored offset of each store, also of partitions that were kept.
        4. Fingerprints; a state that is gone although its touchpoints were read is not begun anew in silence. And what the workers agree
           on, as of a moment at which we are a member: who changes it offline sees us, or we see what was changed.
        5. Seek while no fetch is in flight; commit those positions under our name: that proves the group takes us for the owner, and
           a successor learns whose transaction to abort.
        6. Open the gate.
        """
        started = time.monotonic()
        self._status.phase = "restoring"
        await self._standby.stop()
        await self._check_topics()
        self._partitions.change(assigned)
        self._status.partitions = tuple(sorted(self._partitions.owned))
        self._partitions.open()
        await self._failpoints.passed("restore.before_read")
        for known in self._is_known:  # the clock, which also tells who is alive, and the table
            await known.wait()
        committed = await self._decided_offsets()
        restored = await self._restorer.restore(committed)
        self._failpoints.reached("restore.after_read")
        await self._check_changelogs(committed)
        self._check_fingerprints()
        await confirming
        consumer = self._require_consumer()
        async with consumer.fetch_lock, self._loop.lock:
            if epoch != self._loop.epoch:
                return
            positions = await consumer.go_to(assigned, committed)
            self._failpoints.reached("restore.before_stamp")
            notes = {tp: note_of(offset.metadata) for tp, offset in committed.items() if tp in positions}
            if positions:
                await self._producer.commit(positions, lambda: None, notes)
            self._failpoints.reached("restore.after_stamp")
            if epoch != self._loop.epoch:
                return
            self._checkpoint.start(positions, notes)
            self._delivery.own(self._partitions.owned)
            self._partitions.hand_over()
            self._timekeeper.assign()
            self._status.phase = "running"
            self._status.answered_at = time.monotonic()
            self._loop.gate.set()
            self._standby.start()
        log.info("group generation %d: %d partitions ready, %d records restored in %.2f s", *self._summary(restored, started))

    def _summary(self, restored: int, started: float) -> tuple[int, int, int, float]:
        return self.membership.generation, len(self._partitions.owned), restored, time.monotonic() - started

    async def _check_topics(self) -> None:
        gone = await self._require_consumer().topics_gone()
        if gone:
            raise UsageError(
                f"expected the topics {', '.join(gone)}, found them deleted while this worker ran; nothing of them is read any more. Create "
                f"them again with `touchstone topics apply{self._topic_options}`, then start the workers"
            )

    async def _check_changelogs(self, committed: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """See that no state is gone: where the touchpoints of a partition were read, its stores were committed with them.

        Raises:
            UsageError: A changelog has lost what was committed.
        """
        fresh = self._partitions.without_fingerprint()
        read = [tp for tp in self._partitions.beside(fresh) if tp in committed and committed[tp].offset > 0]
        beginnings = await self._restorer.beginnings(read) if read else {}
        lost = [tp for tp in read if committed[tp].offset > beginnings[tp]]
        if lost:
            where = ", ".join(f"{tp.topic}[{tp.partition}] up to {committed[tp].offset}" for tp in lost[:3])
            raise UsageError(
                f"expected a state of partitions {sorted({tp.partition for tp in lost})}, found none in their changelogs, although the group "
                f"has read {where}: were the changelog topics deleted and made again? Going on would forget everybody in silence. Bring the "
                "topics back, or begin anew under another application id"
            )

    def _check_fingerprints(self) -> None:
        wrong = self._partitions.check_fingerprints()
        if wrong is not None:
            raise UsageError(wrong)

    async def _decided_offsets(self) -> Mapping[TopicPartition, OffsetAndMetadata]:
        consumer, assigned = self._require_consumer(), self._partitions.assigned
        if not assigned:
            return {}
        started, aborted = time.monotonic(), False
        while True:
            offsets = await consumer.stable_offsets(assigned)
            if not offsets.undecided:
                return offsets.committed
            if not aborted:
                aborted = await self._restorer.abort_previous(offsets.last_owners, time.monotonic() - started)
            await asyncio.sleep(_ASK_AGAIN_S)

    def _require_consumer(self) -> GroupConsumer:
        if self._consumer is None:
            raise InvariantBroken("a restore began before any partition was assigned")
        return self._consumer

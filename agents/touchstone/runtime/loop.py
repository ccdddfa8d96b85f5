"""One worker's loop: batches in, portions to the agents, a commit now and then."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

from touchstone.errors import StateUnusable, TooManyDeadLetters
from touchstone.runtime.batch import Batch, End, Portion, portions
from touchstone.runtime.checkpoint import Checkpoint
from touchstone.runtime.delivery import Delivery
from touchstone.runtime.failpoint import Failpoints
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.status import RuntimeStatus

_QUEUED_BATCHES = 2


@dataclass(frozen=True, slots=True)
class Work:
    """A portion in the hands of an agent. The agent answers; the loop, not the agent, decides about errors."""

    portion: Portion
    _answer: "asyncio.Future[None]"

    def done(self) -> None:
        """The body has handled all of it."""
        self._answer.set_result(None)

    def failed(self, error: Exception) -> None:
        """The body raised."""
        self._answer.set_exception(error)


class Mailbox:
    """Where one agent finds its portions, one at a time."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Work] = asyncio.Queue()

    async def hand_over(self, portion: Portion) -> None:
        """Give a portion to the agent and wait until it is handled.

        Raises:
            Exception: Whatever the agent's body raised.
        """
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(Work(portion, answer))
        await answer

    async def work(self) -> AsyncIterator[Work]:
        """The portions as they come, for ever."""
        while True:
            yield await self._queue.get()


class Loop:
    """Takes batches from the consumer, hands portions to the agents, one at a time, and commits.

    Everything happens under one lock. Whoever holds it (a rebalance, the drain before leaving) knows that no body runs and that what was
    done since the last commit is complete. Records flow only while the gate is open; every opening is a new epoch, and batches of an
    older one are dropped: their records were not committed and are read again.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        *,
        topics: Iterable[str],
        checkpoint: Checkpoint,
        delivery: Delivery,
        failpoints: Failpoints,
        status: RuntimeStatus,
        recover: Callable[[StateUnusable], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._checkpoint = checkpoint
        self._delivery = delivery
        self._failpoints = failpoints
        self._status = status
        self._recover = recover
        self._mailboxes = {topic: Mailbox() for topic in topics}
        self._queue: asyncio.Queue[Batch | None] = asyncio.Queue()
        self._room = asyncio.Event()
        self._room.set()
        self.gate = asyncio.Event()
        self.lock = asyncio.Lock()
        self.epoch = 0
        self.alive_at = time.monotonic()
        self._answered = 0.0
        checkpoint.tell(self._wake)

    @property
    def lag(self) -> dict[str, int]:
        """Records behind, per topic, as the last fetches told."""
        return self._checkpoint.lag

    @property
    def committing_since(self) -> float | None:
        """When the commit began that is under way."""
        return self._checkpoint.committing_since

    def mailbox(self, topic: str) -> Mailbox:
        """The mailbox of the agent for this topic."""
        return self._mailboxes[topic]

    # What the consumer does

    async def wait_for_room(self) -> None:
        """Wait until another batch may be put; returns at once when the gate closes."""
        while self._queue.qsize() >= _QUEUED_BATCHES and self.gate.is_set():
            self._room.clear()
            await self._room.wait()

    def put(self, batch: Batch, ends: Mapping[TopicPartition, End]) -> None:
        """Take what a poll returned."""
        if batch.epoch == self.epoch:
            self.alive_at = time.monotonic()
            self._checkpoint.learn_ends(ends)
            answered = max((end.answered for end in ends.values()), default=0.0)
            if answered != self._answered:
                self._answered, self._status.answered_at = answered, self.alive_at
            self._queue.put_nowait(batch)

    # What a rebalance does

    def close_gate(self) -> None:
        """Let nothing in any more; a batch that is being handled stops at its next portion."""
        self.epoch += 1
        self.gate.clear()
        self._room.set()

    def drop_queued(self) -> None:
        """Forget batches that were not begun."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._room.set()

    # The loop

    async def run(self) -> None:
        """Work until cancelled. An error ends the worker, but for unusable state, which is rebuilt."""
        while True:
            batch = await self._next()
            async with self.lock:
                try:
                    self._checkpoint.check()
                    if batch is not None and batch.epoch == self.epoch:
                        await self._handle(batch)
                    if self.gate.is_set() and self._checkpoint.is_due:
                        await self._checkpoint.commit()
                        self.alive_at = time.monotonic()
                except StateUnusable as error:
                    await self._recover(error)
            await asyncio.sleep(0)

    def _wake(self) -> None:
        """A commit has ended: look whether the next one is due, though no batch has come."""
        self.alive_at = time.monotonic()
        self._queue.put_nowait(None)

    async def _next(self) -> Batch | None:
        if self._queue.empty():
            try:
                async with asyncio.timeout(self._checkpoint.due_in_s):
                    batch = await self._queue.get()
            except TimeoutError:
                return None
        else:
            batch = self._queue.get_nowait()
        self._room.set()
        return batch

    async def _handle(self, batch: Batch) -> None:
        for portion in portions(batch, self._settings.slice_records):
            started = time.perf_counter()
            try:
                await self._mailboxes[portion.topic].hand_over(portion)
            except TooManyDeadLetters as stop:
                await self._stop_before(portion, stop)
                raise
            await self._delivery.drain()
            self._failpoints.reached("batch.after_body")
            for piece in portion.slices:
                self._checkpoint.processed(piece)
            self._status.batches += 1
            self._status.records += portion.size
            seconds = time.perf_counter() - started
            self._status.batch_seconds += seconds
            self._status.batch_times.append(seconds)
            if self._checkpoint.is_due:
                await self._checkpoint.commit()
            await asyncio.sleep(0)
            if batch.epoch != self.epoch:
                return
        for tp, position in batch.positions.items():
            self._checkpoint.moved(tp, position)

    async def _stop_before(self, portion: Portion, stop: TooManyDeadLetters) -> None:
        """Commit everything before the record that the program refuses to take, and let nothing in any more."""
        for piece in portion.slices:
            if (piece.tp.topic, piece.tp.partition) == (stop.topic, stop.partition):
                self._checkpoint.stopped(piece.tp, stop.offset, stop.latest)
                break
            self._checkpoint.processed(piece)
        await self._checkpoint.commit()
        await self._checkpoint.finish()

"""Where the stages put what they say: memory, an internal topic, an output topic."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition

from touchstone.contracts.partitioner import partition_of
from touchstone.errors import InvariantBroken
from touchstone.runtime.failpoint import Failpoints
from touchstone.runtime.names import internal_topic
from touchstone.runtime.producer import Item, Outgoing, Producer
from touchstone.runtime.program import Program
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.status import RuntimeStatus

_BREATHE_S = 0.02
_LOOK_AT_CLOCK_EVERY = 32
_WAVE_RECORDS = 500
"""Records that go out before the commit asks for it: a write costs 0.1 ms a partition however little it carries."""


class Delivery:
    """The runtime's `Out`.

    A message for a partition that this worker owns is handed over in memory, inside the same transaction; that is sound because the
    stages converge even when any message overtakes any other. What a stage says to itself goes first: so identifiers have found their root
    before its component hears of them, and less has to move. All else goes out with the transaction. Nothing is kept over a commit.
    """

    def __init__(
        self, settings: WorkerSettings, program: Program, producer: Producer, status: RuntimeStatus, failpoints: Failpoints
    ) -> None:
        self._program = program
        self._deliver = failpoints.around(program.deliver)
        self._producer = producer
        self._status = status
        self._local = settings.local_delivery
        self._topics = {stage: internal_topic(settings.base, stage) for stage in program.stages}
        self._outputs: dict[str, list[TopicPartition]] = {}
        self._owned: frozenset[int] = frozenset()
        self._here: deque[tuple[str, int, Any]] = deque()
        self._speaking: str | None = None
        self._outgoing: Outgoing = {}
        self._waiting = 0

    def know_outputs(self, counts: Mapping[str, int]) -> None:
        """Take the partition counts of the output topics."""
        self._outputs = {topic: [TopicPartition(topic, number) for number in range(count)] for topic, count in counts.items()}

    def own(self, partitions: frozenset[int]) -> None:
        """From now on these partitions are reached by memory."""
        self._owned = partitions

    def message(self, stage: str, partition: int, message: Any) -> None:
        """To a stage's partition."""
        if self._local and partition in self._owned:
            put = self._here.appendleft if stage == self._speaking else self._here.append
            put((stage, partition, message))
        else:
            tp = TopicPartition(self._topics[stage], partition)
            self._put(tp, Item(None, self._program.encode(message)))

    def record(self, topic: str, key: bytes, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """To an output topic, into the partition of the key.

        Raises:
            InvariantBroken: The topic was not among the worker's output topics.
        """
        partitions = self._outputs.get(topic)
        if partitions is None:
            raise InvariantBroken(f"the program wrote to {topic!r}, which is not one of its output topics {sorted(self._outputs)}")
        self._put(partitions[partition_of(key, len(partitions))], Item(key, value, headers))

    @property
    def idle(self) -> bool:
        """Whether no message waits in memory."""
        return not self._here

    async def drain(self) -> None:
        """Deliver in memory until nothing is left, let the event loop breathe, and start to write what goes out where that is much."""
        here, deliver = self._here, self._deliver
        done, started = 0, time.perf_counter()
        while here:
            stage, partition, message = here.popleft()
            self._speaking = stage
            deliver(stage, partition, message, self)
            self._speaking = None
            done += 1
            if done % _LOOK_AT_CLOCK_EVERY == 0 and time.perf_counter() - started > _BREATHE_S:
                self._emit_much()
                await asyncio.sleep(0)
                started = time.perf_counter()
        self._status.delivered_locally += done
        self._emit_much()

    def take(self) -> Outgoing:
        """All that goes out and was not given to the producer yet; it is the caller's now."""
        outgoing, self._outgoing, self._waiting = self._outgoing, {}, 0
        return outgoing

    def forget(self) -> None:
        """Drop what was not sent (the partitions went away)."""
        self._here.clear()
        self._outgoing.clear()
        self._waiting = 0

    def _put(self, tp: TopicPartition, item: Item) -> None:
        self._outgoing.setdefault(tp, []).append(item)
        self._waiting += 1

    def _emit_much(self) -> None:
        if self._waiting >= _WAVE_RECORDS and not self._producer.is_held:
            self._producer.emit(self.take())

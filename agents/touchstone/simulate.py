"""The offline twin: the same stages over a file, with no broker; what the live system must agree with on every input."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from touchstone.clock import ManualClock
from touchstone.identity.ordering import DEFAULT_SECRET, Ordering
from touchstone.intake.lines import prepare_line
from touchstone.model.component import NEVER
from touchstone.model.erasure import Forgotten
from touchstone.observe.metrics import Metric
from touchstone.pipeline import OutputRecord, Pipeline
from touchstone.runtime.program import Out, Record
from touchstone.state.memory import DictBackend
from touchstone.state.rows import RowStore
from touchstone.topology.compile import Topology
from touchstone.view import Final, FinalView

LINES_AT_ONCE = 200
"""Lines between two looks at what was put off: less saying in between, the same end."""


class Memory:
    """The twin's `Out`: messages wait here, records are not needed (the publisher keeps the structs).

    What a stage says to itself goes first, as in a worker (runtime/delivery.py).
    """

    def __init__(self) -> None:
        self.waiting: deque[tuple[str, int, Any]] = deque()
        self.speaking: str | None = None

    def message(self, stage: str, partition: int, message: Any) -> None:
        """To a stage."""
        put = self.waiting.appendleft if stage == self.speaking else self.waiting.append
        put((stage, partition, message))

    def drain(self, pipeline: Pipeline) -> None:
        """Deliver until nothing is left."""
        while self.waiting:
            stage, partition, message = self.waiting.popleft()
            self.speaking = stage
            pipeline.deliver(stage, partition, message, self)
            self.speaking = None

    def record(self, topic: str, key: bytes, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """Not called: the twin's publisher takes structs."""
        raise NotImplementedError(topic)


class Twin:
    """A whole system in memory. Feed it lines, move its clock, look at what it says."""

    def __init__(
        self, topology: Topology, say: Callable[[OutputRecord], None], *, partitions: int = 1, secret: bytes = DEFAULT_SECRET
    ) -> None:
        self._topology = replace(topology, clock="event")
        self._ordering = Ordering(topology.kinds, secret)
        self._clock = ManualClock(1)
        self._out = Memory()
        self._offset = 0
        self._partitions = partitions
        self.now = NEVER

        self.decided: list[Forgotten] = []

        def publish(record: OutputRecord | Forgotten, _: Out) -> None:
            if isinstance(record, Forgotten):
                self.decided.append(record)
                self.pipeline.learn(record)
            else:
                say(record)

        self.pipeline = Pipeline(self._topology, self._ordering, partitions, publish, self._clock)
        self.stores = [
            {stage: RowStore(DictBackend(), rows, None) for stage, rows in self.pipeline.stages.items()} for _ in range(partitions)
        ]
        for partition, stores in enumerate(self.stores):
            self.pipeline.opened(partition, stores)

    def feed(self, lines: Iterable[bytes]) -> None:
        """Take lines in, in their order, and say what follows; the clock moves to the latest receipt."""
        now = self.now
        for line in lines:
            prepared = prepare_line(line, self._topology)
            now = self._process(Record(prepared.topic, 0, self._offset, 0, prepared.key, prepared.value, prepared.headers), now)
        self.move_to(now)

    def take(self, record: Record) -> None:
        """Take one record in as it is, such as one that is sent again, and say what follows."""
        self.move_to(self._process(record, self.now))

    def _process(self, record: Record, now: int) -> int:
        self._offset += 1
        time = self.pipeline.process([record], self._out)
        if time is not None and time > now:
            now = time
            self._clock.move_to(max(now, 1))
        self._drain()
        return now

    def move_to(self, now: int) -> None:
        """Let the clock reach `now` (milliseconds); it never goes back."""
        self.now = max(self.now, now)
        self._clock.move_to(max(self.now, 1))
        if self.now > NEVER:
            for partition in range(self._partitions):
                self.pipeline.advance(partition, self.now, self._out)
        self._drain()
        while self.pipeline.settle(self._out, self._clock.now_ms()):
            self._drain()

    def _drain(self) -> None:
        self._out.drain(self.pipeline)


@dataclass(frozen=True)
class Simulation:
    """What came out: everything that was said, in order, the view at `as_of` (milliseconds), and what the metrics would have counted."""

    records: list[OutputRecord]
    as_of: int
    final: Final
    counted: list[tuple[Metric, tuple[str, ...], int]]


def simulate(
    lines: Iterable[bytes],
    topology: Topology,
    *,
    as_of: int | None = None,
    lines_at_once: int = LINES_AT_ONCE,
    secret: bytes = DEFAULT_SECRET,
    progress: Callable[[int], None] = lambda _: None,
    heard: Callable[[OutputRecord], None] = lambda _: None,
) -> Simulation:
    """Run lines through the twin. `as_of` moves the clock further than the latest receipt; it cannot lie before it.

    `progress` is told how many lines more were read, `heard` everything that is said, at once.
    """
    records: list[OutputRecord] = []
    view = FinalView()

    def say(record: OutputRecord) -> None:
        records.append(record)
        view.apply(record)
        heard(record)

    twin = Twin(topology, say, secret=secret)
    batch: list[bytes] = []
    for line in lines:
        if line.strip():
            batch.append(line.strip())
        if len(batch) >= lines_at_once:
            twin.feed(batch)
            progress(len(batch))
            batch = []
    twin.feed(batch)
    progress(len(batch))
    if as_of is not None:
        twin.move_to(as_of)
    return Simulation(records, twin.now, view.final(twin.now, topology.retention_ms), twin.pipeline.counts.items())

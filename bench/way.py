"""The whole way of a touchpoint without Kafka: all stages, the rows in RocksDB, the outputs encoded, a commit now and then.

What a live worker costs beyond this is Kafka: fetching, producing, transactions. Best also for profiling:
`python -m cProfile -s tottime -m bench.way`.
"""

import gc
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.load import mixed, registrations
from bench.report import Figure
from touchstone.clock import SystemClock
from touchstone.contracts.codec import bundled_codec
from touchstone.contracts.envelope import Envelope
from touchstone.contracts.partitioner import partition_of
from touchstone.identity.ordering import Ordering
from touchstone.intake.lines import Prepared, prepare_line
from touchstone.observe.metrics import Counts
from touchstone.pipeline import Pipeline
from touchstone.publisher import Publisher
from touchstone.runtime.program import Record
from touchstone.simulate import Memory
from touchstone.state.rocksdb import RocksBackend, RocksEnvironment
from touchstone.state.rows import RowStore
from touchstone.topology.compile import Topology
from touchstone.topology.load import default_topology_path, load_topology

_HOT_ROWS = 60_000
_AT_ONCE = 200
_IN_A_COMMIT = 1_000


class Counted(Memory):
    """An `Out` that hands messages over in memory and counts what would go to Kafka."""

    sent = 0

    def record(self, topic: str, key: bytes, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()) -> None:  # noqa: ARG002
        """To an output topic."""
        partition_of(key, 12)
        self.sent += 1


class Way:
    """Pipeline, stores and publisher as a worker has them."""

    def __init__(self, topology: Topology, folder: Path) -> None:
        clock, partitions = SystemClock(), topology.partitions
        publish = Publisher(topology, bundled_codec(), Envelope("/bench"), clock, Counts())
        self._topology = topology
        self._out = Counted()
        self.pipeline = Pipeline(topology, Ordering(topology.kinds), partitions, publish, clock)
        environment = RocksEnvironment()
        hot = _HOT_ROWS // (2 * partitions)
        self._stores: list[RowStore] = []
        self._offset = 0
        for partition in range(partitions):
            stores = {
                stage: RowStore(RocksBackend(folder / f"{stage}-{partition}", environment), rows, hot)
                for stage, rows in self.pipeline.stages.items()
            }
            self._stores += stores.values()
            self.pipeline.opened(partition, stores)

    def prepare(self, lines: Iterable[bytes]) -> list[Record]:
        """Lines as the records that a worker reads."""
        prepared: list[Prepared] = [prepare_line(line, self._topology) for line in lines]
        now = time.time_ns() // 1_000_000
        return [Record(each.topic, 0, offset, now, each.key, each.value, each.headers) for offset, each in enumerate(prepared)]

    def run(self, records: Sequence[Record]) -> None:
        """Process records in portions, with a commit every thousand."""
        for start in range(0, len(records), _AT_ONCE):
            by_topic: dict[str, list[Record]] = {}
            for record in records[start : start + _AT_ONCE]:
                by_topic.setdefault(record.topic, []).append(record)
            for each in by_topic.values():
                self.pipeline.process(each, self._out)
            self._drain()
            if (start + _AT_ONCE) % _IN_A_COMMIT == 0:
                self._commit()
        self._commit()

    def close(self) -> None:
        """Release the stores."""
        for store in self._stores:
            store.close()

    def _drain(self) -> None:
        self._out.drain(self.pipeline)

    def _commit(self) -> None:
        while self.pipeline.settle(self._out, time.time_ns() // 1_000_000):
            self._drain()
        self._offset += 1
        for store in self._stores:
            if store.seal():
                store.commit(self._offset)


def way(customers: int, touchpoints: int, rounds: int) -> list[Figure]:
    """CPU time a touchpoint, of new customers and of the mix."""
    topology = load_topology(default_topology_path())
    with tempfile.TemporaryDirectory(prefix="touchstone-bench-") as folder:
        whole = Way(topology, Path(folder))
        now = time.time_ns() // 1_000_000
        new = _microseconds(whole, whole.prepare(registrations(customers, now)))
        mixes = (
            whole.prepare(mixed(customers, touchpoints, now + customers + number * touchpoints, seed=50 + number))
            for number in range(rounds)
        )
        found = [_microseconds(whole, records) for records in mixes]
        whole.close()
    of = f"{touchpoints:,} touchpoints of {customers:,} customers, 10 % new; RocksDB, outputs encoded, no Kafka"
    return [
        Figure("stages alone: a new customer", "µs", (new,), f"CPU time; {customers:,} registrations"),
        Figure("stages alone: a touchpoint", "µs", tuple(found), f"CPU time; {of}"),
    ]


def _microseconds(whole: Way, records: list[Record]) -> float:
    before = time.process_time()
    whole.run(records)
    return (time.process_time() - before) / len(records) * 1e6


if __name__ == "__main__":
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)  # as in a worker
    for figure in way(10_000, 10_000, 3):
        print(f"{figure.name:32} {figure.value:8.1f} {figure.unit}   {figure.spread}")

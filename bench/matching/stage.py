"""`python -m bench.matching.stage`: what a description costs in the stages that match, over the real rows in RocksDB, without Kafka.

Records of invented people come as touchpoints' profiles do: described (intake/describe.py), taken by the identifier (identity/agent.py), put into
blocks and compared there (matching/agent.py), and committed. The journey stage, which hears of likenesses, is measured elsewhere. What is
known before is filled in through the same rows, but not compared. For profiling: `python -m cProfile -s tottime -m bench.matching.stage`.
"""

import argparse
import gc
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

import numpy as np

from bench.matching.invented import ROLES, Invention
from bench.matching.sheet import RECORD_ID, Row
from bench.pace import pace
from bench.report import machine
from touchstone.identity.agent import Identity
from touchstone.identity.ordering import Ordering
from touchstone.intake.describe import Describer
from touchstone.matching.agent import Matcher, MatchPartition
from touchstone.matching.judge import judge_of
from touchstone.model.component import IDENTITY_ROWS, MATCH_ROWS
from touchstone.model.message import AddLikeness, Compare, Describe
from touchstone.model.touchpoint import Touchpoint
from touchstone.observe.metrics import CLOSED_BLOCKS, COMPARED, LIKENESSES, WEIGHED_PAIRS, Counts
from touchstone.state.rocksdb import RocksBackend, RocksEnvironment
from touchstone.state.rows import RowStore
from touchstone.topology.compile import Matching
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.topology.model_matching import WrittenMatching

_PARTITIONS = 4
_HOT_ROWS = 60_000
"""As a worker has them: shared among the partitions of three stages."""
_FILLED_AT_ONCE = 20
_IN_A_COMMIT = 1_000
_LIMIT: int = WrittenMatching.model_fields["block_limit"].default


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run has shown.

    Attributes:
        known: Records that were there before.
        records: Records that were measured.
        batch: So many came at once, and were compared and committed together.
        describing_us: CPU time a record to describe it, which intake spends; not in the others.
        per_cpu_s: Records a CPU second, in identity and matching.
        p50_ms: Half of the batches took no more, by the clock on the wall.
        p99_ms: 99 % of the batches took no more.
        pace_ms: How fast the machine was then (bench/pace.py).
        counted: What the metrics say of it, a record.
    """

    known: int
    records: int
    batch: int
    describing_us: float
    per_cpu_s: float
    p50_ms: float
    p99_ms: float
    pace_ms: float
    counted: dict[str, float]


class Stages:
    """Identity and matching of a few partitions as a worker has them, each over a RocksDB of its own."""

    def __init__(self, folder: Path, limit: int = _LIMIT) -> None:
        matching = Matching(ROLES, {}, None, limit, None, None, 50, None)
        topology = load_topology(default_topology_path())
        self._ordering = Ordering(topology.kinds)
        self.describer = Describer(matching, self._ordering.digest)
        self.counts = Counts()
        self._matcher = Matcher(judge_of(matching), limit, self._ordering.strength, self.counts)
        environment = RocksEnvironment()
        hot = _HOT_ROWS // (3 * _PARTITIONS)
        ours, theirs = (
            [RowStore(RocksBackend(folder / f"{stage}-{number}", environment), rows, hot) for number in range(_PARTITIONS)]
            for stage, rows in (("identity", IDENTITY_ROWS), ("match", MATCH_ROWS))
        )
        self._identities = [Identity(store, topology.kinds, self._ordering) for store in ours]
        self._matches = [MatchPartition(store, self._matcher) for store in theirs]
        self._stores = [*ours, *theirs]
        self._waiting: deque[Any] = deque()
        self._offset = 0
        self.known = 0

    def __enter__(self) -> Self:
        """Open as it is."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release the stores."""
        for store in self._stores:
            store.close()

    def describe(self, rows: Sequence[Row]) -> list[Describe]:
        """The rows as what intake tells identity, each of an identifier of its own."""
        made = (self.describer.describe(self._touchpoint(row)) for row in rows)
        return [each for each in made if each is not None]

    def take(self, described: Sequence[Describe]) -> None:
        """A batch: everything that follows from it, and the commit."""
        self._waiting.extend(described)
        self._drain()
        while self._matcher.compare(self._waiting.append):
            self._drain()
        self._commit()
        self.known += len(described)

    def fill(self, rows: Iterator[Row], until: int) -> None:
        """Bring rows in that are not compared, until so many are known."""
        while self.known < until:
            for _ in range(_IN_A_COMMIT // _FILLED_AT_ONCE):
                described = self.describe(list(islice(rows, min(_FILLED_AT_ONCE, until - self.known))))
                self._waiting.extend(described)
                self._drain()
                self._matcher.forget()
                self.known += len(described)
            self._commit()

    def _drain(self) -> None:
        waiting, send = self._waiting, self._waiting.append
        while waiting:
            message = waiting.popleft()
            if isinstance(message, Compare):
                self._matches[self._ordering.partition(message.to, _PARTITIONS)].handle(message, send)
            elif not isinstance(message, AddLikeness):  # that one is for the journey stage
                self._identities[self._ordering.partition(message.to, _PARTITIONS)].handle(message, send)

    def _commit(self) -> None:
        self._offset += 1
        for store in self._stores:
            if store.seal():
                store.commit(self._offset)
            else:
                store.commit(store.offset)

    def _touchpoint(self, row: Row) -> Touchpoint:
        value = f"p{row[RECORD_ID]}"
        key = self._ordering.key("default", "user_id", value)
        at = int(row[RECORD_ID])
        return Touchpoint("default", "web", value, "web", "profile", at, at, (key,), value, profile=dict(row), values=(value,))


def measure(stages: Stages, rows: Iterator[Row], records: int, batch: int) -> Cost:
    """Let so many records come, batch by batch."""
    known, took, cpu = stages.known, list[float](), 0.0
    began = time.process_time()
    described = stages.describe(list(islice(rows, records)))
    describing = time.process_time() - began
    stages.counts.clear()
    gc.collect()
    gc.freeze()
    for start in range(0, len(described), batch):
        began, began_cpu = time.perf_counter(), time.process_time()
        stages.take(described[start : start + batch])
        took.append(time.perf_counter() - began)
        cpu += time.process_time() - began_cpu
    p50, p99 = np.percentile(took, [50, 99]) * 1e3
    number = len(described)
    counted = {what: sum(stages.counts.of(metric, *each) for each in labels) / number for what, (metric, *labels) in _COUNTED.items()}
    return Cost(known, number, batch, describing / number * 1e6, number / cpu, float(p50), float(p99), pace(), counted)


_COUNTED: dict[str, tuple[Any, ...]] = {
    "compared": (COMPARED, ("open",)),
    "turned away": (COMPARED, ("closed",)),
    "pairs": (WEIGHED_PAIRS, ()),
    "alike": (LIKENESSES, ("accepted",), ("review",)),
    "closed": (CLOSED_BLOCKS, ()),
}
"""What is told of a run, a record: the counter, and the labels that are added up."""


def main() -> int:
    """Print one line per number of known records and size of batch."""
    asked = _arguments()
    invention = Invention(
        "stage", "records for the stages", 2 * (max(asked.known) + asked.records * len(asked.batch) * len(asked.known)), asked.countries
    )
    rows = (row for _, row in invention.rows())
    gc.set_threshold(100_000, 50, 100)  # as in a worker
    print(machine())
    heads = "".join(f"{what:>12}" for what in _COUNTED)
    print(
        f"{'known':>9} {'batch':>6} {'records':>8} {'describe µs':>12} {'per CPU s':>10} {'p50 ms':>7} {'p99 ms':>7} {'pace':>5} {heads}   (the last ones a record)"
    )
    with tempfile.TemporaryDirectory(prefix="touchstone-bench-") as folder, Stages(Path(folder), asked.limit) as stages:
        for known in sorted(asked.known):
            stages.fill(rows, known)
            for batch in asked.batch:
                cost = measure(stages, rows, asked.records, batch)
                told = "".join(f"{value:>12.3f}" for value in cost.counted.values())
                print(
                    f"{cost.known:>9,} {batch:>6} {cost.records:>8,} {cost.describing_us:>12.1f} {cost.per_cpu_s:>10,.0f} "
                    f"{cost.p50_ms:>7.1f} {cost.p99_ms:>7.1f} {cost.pace_ms:>5.1f} {told}",
                    flush=True,
                )
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.matching.stage", description=__doc__)
    parser.add_argument("--known", type=int, nargs="+", default=[4_000, 400_000], metavar="N", help="known records (default: 4000 400000)")
    parser.add_argument("--records", type=int, default=10_000, metavar="N", help="records measured each time (default: 10000)")
    parser.add_argument("--batch", type=int, nargs="+", default=[100, 250], metavar="N", help="records a batch (default: 100 250)")
    parser.add_argument("--limit", type=int, default=_LIMIT, metavar="N", help=f"block_limit (default: the topology's, {_LIMIT})")
    parser.add_argument("--countries", nargs="+", default=["de", "us"], metavar="CC", help="whose names (default: de us)")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())

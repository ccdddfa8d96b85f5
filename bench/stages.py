"""What the parts cost without a broker: the offline twin, intake, the store."""

import gc
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from bench.bench_store import TYPES, cold, hot
from bench.report import Figure
from touchstone.devkit.datasets import read_lines
from touchstone.identity.ordering import Ordering
from touchstone.intake.agent import Intake
from touchstone.intake.lines import prepare_line
from touchstone.model.message import IdentityMessage
from touchstone.observe.metrics import Counts
from touchstone.runtime.program import Record
from touchstone.simulate import simulate
from touchstone.state.rocksdb import RocksBackend, RocksEnvironment
from touchstone.state.rows import RowStore
from touchstone.topology.compile import Topology

_DATA = "adobe-luma"
_NOW = 1_718_020_800_000


def stages(topology: Topology, rounds: int, share: int = 1) -> list[Figure]:
    """CPU time of the parts, best conditions: one process, everything in memory. `share`: use one line in so many."""
    lines = list(read_lines(_DATA))[:: max(1, share)]
    gc.collect()
    twin = tuple(len(lines) / cpu_seconds(lambda: simulate(lines, topology)) for _ in range(rounds))
    return [
        Figure("touchpoints of the twin per CPU second", "1/s", twin, f"{len(lines):,} of {_DATA}"),
        Figure("intake", "µs", tuple(_intake(lines, topology, rounds)), "CPU time a touchpoint, JSON"),
        *_rows(rounds),
    ]


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process for one call."""
    before = time.process_time()
    work()
    return time.process_time() - before


def _intake(lines: Iterable[bytes], topology: Topology, rounds: int) -> Iterable[float]:
    prepared = [prepare_line(line, topology) for line in lines]
    records = [Record(each.topic, 0, offset, _NOW, each.key, each.value, each.headers) for offset, each in enumerate(prepared)]

    def take(intake: Intake, messages: list[IdentityMessage]) -> None:
        for record in records:
            intake.take(record, messages)

    for _ in range(rounds):
        intake = Intake(topology, Ordering(topology.kinds), Counts())
        yield cpu_seconds(partial(take, intake, [])) / len(records) * 1e6


def _rows(rounds: int) -> list[Figure]:
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="touchstone-bench-") as folder:
        environment = RocksEnvironment()
        for number in range(rounds):
            path = Path(folder) / str(number)
            store: Any = RowStore(RocksBackend(path / "hot", environment), TYPES)
            for what, unit, wall, cpu in hot("rocksdb", store) + cold(path / "cold", environment):
                found.setdefault(f"store: {what}|{unit}", []).append(cpu or wall)
            store.close()
    return [Figure(name.partition("|")[0], name.partition("|")[2], tuple(values)) for name, values in found.items()]

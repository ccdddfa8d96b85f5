"""What a row costs, hot and cold, in RocksDB and in memory. Run: `python bench/bench_store.py`."""

import gc
import json
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct
from rocksdict import Rdict, WriteBatch, WriteOptions

from touchstone.state.memory import DictBackend
from touchstone.state.rocksdb import RocksBackend, RocksEnvironment, RocksOptions
from touchstone.state.rows import RowStore

ROUNDS = 5
PAGE_BYTES = resource.getpagesize()


class Sample(Struct, array_like=True):
    """A row of about 200 bytes, with a few fields as the stages have them."""

    root: str
    first: int
    last: int
    kinds: list[str]
    payload: str


def sample(number: int) -> Sample:
    """One row."""
    return Sample(f"email:{number:012x}@example.org", number, number + 1, ["email", "cookie"], f"{number:08x}" * 16)


TYPES = {"s": Sample, "t": Sample}
Measurement = tuple[str, str, float, float]


def measure(what: str, unit: str, count: int, work: Callable[[], object]) -> Measurement:
    """Wall and CPU microseconds for each of `count` in one call of `work`."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return what, unit, wall / count * 1e6, cpu / count * 1e6


def resident() -> float:
    """Resident memory in MiB."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES / (1 << 20)


def hot(medium: str, store: RowStore) -> list[Measurement]:
    """Reads and writes of rows that are in memory."""
    names = [(f"g{n // 10}", f"s{n % 10}") for n in range(20_000)]
    for group, name in names:
        store.put(group, name, sample(1))
    row = sample(2)

    def get() -> None:
        for its_group, its_name in names:
            store.get(its_group, its_name)

    def put() -> None:
        for its_group, its_name in names:
            store.put(its_group, its_name, row)

    def due() -> None:
        for _ in range(20_000):
            store.due(0, 100)

    store.due(0, 1)
    return [
        measure(f"get, hot, {medium}", "µs a row", 20_000, get),
        measure(f"put, hot, {medium}", "µs a row", 20_000, put),
        measure(f"due, nothing due, {medium}", "µs a call", 20_000, due),
    ]


def cold(path: Path, environment: RocksEnvironment) -> list[Measurement]:
    """Rows on disk: write them in commits, read them back without a hot row."""
    groups, rows, each = 4_000, 10, 400

    def fresh() -> RowStore:
        return RowStore(RocksBackend(path, environment), TYPES)

    store = fresh()
    found: list[Measurement] = []
    prepare, write = 0.0, 0.0
    for start in range(0, groups, each // rows):
        for group in range(start, start + each // rows):
            for name in range(rows):
                store.put(f"cookie:{group:032x}", f"s{name}", sample(group * rows + name))
        begun = time.perf_counter()
        store.seal()
        prepare += time.perf_counter() - begun
        begun = time.perf_counter()
        store.commit(start + 1)
        write += time.perf_counter() - begun
    total = groups * rows
    found += [("pending (encode)", "µs a row", prepare / total * 1e6, 0.0), (f"commit of {each}", "µs a row", write / total * 1e6, 0.0)]

    store.close()
    store = fresh()
    order = [(n * 2_654_435_761) % groups for n in range(groups)]
    names = [f"cookie:{n:032x}" for n in order]
    found.append(measure("get, cold, first of a group of 10", "µs a group", groups, lambda: [store.get(name, "s3") for name in names]))
    store.close()
    store = fresh()
    found.append(measure("scan of 10 rows, cold", "µs a group", groups, lambda: [store.scan(name, "s") for name in names]))
    store.close()
    store = fresh()
    found.append(measure("get, new group", "µs a group", groups, lambda: [store.get(name + "x", "s3") for name in names]))
    store.close()
    return found


def load(path: Path, environment: RocksEnvironment) -> list[Measurement]:
    """A restore of 300,000 records of 200 bytes in fetches of 5,000."""
    value = os.urandom(100) * 2
    fetches = [[(b"\x03cookie:%032x\x00s1" % (n * 7_919 % 300_000), value) for n in range(s, s + 5_000)] for s in range(0, 300_000, 5_000)]
    store = RowStore(RocksBackend(path, environment), TYPES)

    def restore() -> None:
        for number, records in enumerate(fetches, 1):
            store.load(list(records), number * 5_000)

    found = measure("load, 200 bytes", "µs a record", 300_000, restore)
    store.close()
    return [found]


def log_cost(path: Path, environment: RocksEnvironment) -> list[Measurement]:
    """The write-ahead log on and off, batches of 1,000 rows of 200 bytes."""
    found = []
    value = os.urandom(100) * 2
    for is_off in (False, True):
        db = Rdict(str(path / f"off-{is_off}"), environment.options())
        how = WriteOptions()
        how.disable_wal = is_off  # type: ignore[method-assign, assignment]  # a property; the stub says method

        def write(db: Rdict = db, how: WriteOptions = how) -> None:
            for start in range(0, 200_000, 1_000):
                batch = WriteBatch(raw_mode=True)
                for n in range(start, start + 1_000):
                    batch.put(b"\x03cookie:%032x\x00s1" % (n * 7_919 % 200_000), value)
                db.write(batch, how)

        found.append(measure(f"write, log {'off' if is_off else 'on'}", "µs a row", 200_000, write))
        db.close()
    return found


def memory(path: Path, options: RocksOptions) -> dict[str, float]:
    """MiB of 24 stores in one process: opened, then with 20,000 rows of 200 bytes written to each (4 MB, twice a write buffer)."""
    environment = RocksEnvironment(options)
    before = resident()
    backends = [RocksBackend(path / str(n), environment) for n in range(24)]
    opened = resident()
    value = os.urandom(100) * 2
    for start in range(0, 20_000, 500):
        for backend in backends:
            backend.write([(b"\x03cookie:%032x\x00s1" % n, value) for n in range(start, start + 500)], start + 500)
    written = resident()
    for backend in backends:
        for n in range(0, 20_000, 100):
            backend.get(b"\x03cookie:%032x\x00s1" % n)
    read = resident()
    for backend in backends:
        backend.close()
    return {"before": before, "24 open": opened - before, "24 written": written - before, "24 read": read - before}


def main() -> None:
    """Measure, print a table, and with an argument store the figures there as JSON."""
    gc.set_threshold(100_000, 50, 100)  # as in a worker
    rounds: dict[tuple[str, str], list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        mib = memory(Path(folder) / "memory", RocksOptions())
        environment = RocksEnvironment()
        for number in range(ROUNDS):
            path = Path(folder) / str(number)
            measurements = hot("memory", RowStore(DictBackend(), TYPES, hot_rows=None))
            measurements += hot("rocksdb", RowStore(RocksBackend(path / "hot", environment), TYPES))
            measurements += cold(path / "cold", environment) + load(path / "load", environment) + log_cost(path, environment)
            for what, unit, wall, cpu in measurements:
                rounds.setdefault((what, unit), []).append((wall, cpu))
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {ROUNDS} rounds: median (least – most)\n")
    for (what, unit), values in rounds.items():
        walls = sorted(value[0] for value in values)
        middle = len(values) // 2
        cpu = sorted(value[1] for value in values)[middle]
        print(f"{what:36} {walls[middle]:8.2f} ({walls[0]:.2f} – {walls[-1]:.2f}) {unit}" + (f", CPU {cpu:.2f}" if cpu else ""))
    for what, size in mib.items():
        print(f"memory, {what:28} {size:8.1f} MiB")
    if len(sys.argv) > 1:
        figures = {what: [wall for wall, _ in values] for (what, _), values in rounds.items()}
        Path(sys.argv[1]).write_text(json.dumps({"microseconds": figures, "mib": mib}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

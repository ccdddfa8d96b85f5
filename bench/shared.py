"""`python -m bench.shared`: what identifiers that several people have cost the stages: the same touchpoints with and without, in turns.

As `bench.way`, without Kafka. Every twentieth cookie and e-mail address stands for one that four people have, so that identity must find out that
it is nobody's, and the journey stage must keep apart what it had brought together. Compared round by round in one run, each kind of load on
stores of its own: on a machine that is not idle only the ratio counts.
"""

import argparse
import gc
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from zlib import crc32

import msgspec

from bench.load import mixed, registrations
from bench.report import Bar, Figure, machine, show
from bench.way import Way
from touchstone.observe.metrics import IDENTITY_CHANGES
from touchstone.runtime.program import Record
from touchstone.topology.load import default_topology_path, load_topology

ONE_IN = 20
"""One identifier in so many is several people's."""
SHARED_BY = 4
"""So many people have one of those."""
KINDS = ("cookie", "email")
"""Of these kinds: an account is never anybody else's."""


def sharing(lines: Iterable[bytes], customers: int) -> Iterator[bytes]:
    """The same touchpoints, where one in twenty cookies and addresses is one that several of so many customers have; always the same ones."""
    groups = max(1, customers // (ONE_IN * SHARED_BY))
    for line in lines:
        touchpoint = msgspec.json.decode(line)
        for kind in KINDS & touchpoint["identifiers"].keys():
            digest = crc32(touchpoint["identifiers"][kind].encode())
            if digest % ONE_IN == 0:
                touchpoint["identifiers"][kind] = f"shared-{digest // ONE_IN % groups}@example.org"
        yield msgspec.json.encode(touchpoint)


def shared(customers: int, touchpoints: int, rounds: int) -> list[Figure]:
    """CPU time a touchpoint with and without, of new customers and of the mix, and the speed that is left."""
    topology = load_topology(default_topology_path())
    with tempfile.TemporaryDirectory(prefix="touchstone-bench-") as folder:
        plain, mingled = Way(topology, Path(folder) / "plain"), Way(topology, Path(folder) / "mingled")
        now = time.time_ns() // 1_000_000
        loads = [list(registrations(customers, now))]
        loads += [list(mixed(customers, touchpoints, now + customers + n * touchpoints, seed=50 + n)) for n in range(rounds)]
        found: list[tuple[float, float]] = []
        for number, lines in enumerate(loads):
            both = [(plain, plain.prepare(lines)), (mingled, mingled.prepare(sharing(lines, customers)))]
            took = {id(way): _microseconds(way, records) for way, records in (both if number % 2 else reversed(both))}
            found.append((took[id(plain)], took[id(mingled)]))
        nobodys = [way.pipeline.counts.of(IDENTITY_CHANGES, "shared") for way in (plain, mingled)]
        plain.close()
        mingled.close()
    (new, *mix), of = found, f"{touchpoints:,} touchpoints of {customers:,} customers, 10 % new; RocksDB, outputs encoded, no Kafka"
    return [
        Figure("a new customer, no identifier shared", "µs", (new[0],), f"CPU time; {customers:,} registrations"),
        Figure("a new customer, 5 % shared", "µs", (new[1],), "the same"),
        Figure("a new customer: speed that is left", "%", (new[0] / new[1] * 100,), "without against with"),
        Figure("a touchpoint, no identifier shared", "µs", tuple(without for without, _ in mix), f"CPU time; {of}"),
        Figure("a touchpoint, 5 % shared", "µs", tuple(with_them for _, with_them in mix), "the same"),
        Figure(
            "a touchpoint: speed that is left",
            "%",
            tuple(without / with_them * 100 for without, with_them in mix),
            "without against with, round by round",
            Bar("at least", 80),
        ),
        Figure("identifiers found to be nobody's", "", (float(nobodys[1]),), f"in all; {nobodys[0]} where none is shared"),
    ]


def _microseconds(way: Way, records: list[Record]) -> float:
    gc.collect()
    before = time.process_time()
    way.run(records)
    return (time.process_time() - before) / len(records) * 1e6


def main() -> int:
    """Show the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.shared", description=__doc__)
    parser.add_argument("--customers", type=int, default=10_000, metavar="N", help="customers that are known (default: 10000)")
    parser.add_argument("--touchpoints", type=int, default=10_000, metavar="N", help="touchpoints a round (default: 10000)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="rounds (default: 5)")
    asked = parser.parse_args()
    gc.set_threshold(100_000, 50, 100)  # as in a worker
    figures = shared(asked.customers, asked.touchpoints, asked.rounds)
    show(figures, machine())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

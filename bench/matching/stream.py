"""`python -m bench.matching.stream`: records per CPU second where each is compared with what is known already, as a stream does.

A record comes as what a source has stated; it is made comparable, its block keys are looked up among the known ones, and it is scored against
those it meets. Kafka and the state store are not in it: those are measured where the whole way is.
"""

import argparse
import gc
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from bench.matching.invented import ROLES, Invention
from bench.matching.sheet import RECORD_ID, Row
from bench.report import machine
from touchstone.matching.blocking import STREAM_BLOCK_LIMIT, STREAM_BLOCKS, block_keys
from touchstone.matching.judge import bits
from touchstone.matching.records import Record, make_record
from touchstone.matching.score import Scorer
from touchstone.matching.training import train

_LEARNT_FROM = 4_000


@dataclass(frozen=True, slots=True)
class Pace:
    """What a run has shown.

    Attributes:
        known: Records that were there before.
        records: Records that were measured.
        per_cpu_s: Of these so many a CPU second.
        p50_ms: Half of the batches took no more, by the clock on the wall.
        p99_ms: 99 % of the batches took no more.
        compared: Pairs that were scored, per record.
        accepted: Of these so many were taken for one person, per record.
    """

    known: int
    records: int
    per_cpu_s: float
    p50_ms: float
    p99_ms: float
    compared: float
    accepted: float


class Known:
    """What is known: the records, and who is in which open block."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._blocks: dict[str, list[int]] = {}

    def take(self, record: Record) -> set[int]:
        """Remember a record; the positions of those known that it meets."""
        met: set[int] = set()
        for key in block_keys(record, STREAM_BLOCKS):
            members = self._blocks.setdefault(key, [])
            if len(members) <= STREAM_BLOCK_LIMIT:  # one more than allowed is kept, so that a closed block is known by its length
                if len(members) < STREAM_BLOCK_LIMIT:
                    met.update(members)
                members.append(len(self.records))
        self.records.append(record)
        return met


def pace(scorer: Scorer, known: Known, rows: Sequence[Row], batch: int) -> Pace:
    """Let so many records come in batches, each compared with all that came before."""
    before, compared, accepted, took, cpu = len(known.records), 0, 0, [], 0.0
    accept = bits(scorer.model.accept)
    gc.collect()
    gc.freeze()
    for start in range(0, len(rows), batch):
        began, began_cpu = time.perf_counter(), time.process_time()
        scores = _one_batch(scorer, known, rows[start : start + batch])
        took.append(time.perf_counter() - began)
        cpu += time.process_time() - began_cpu
        compared += len(scores)
        accepted += int((scores >= accept).sum())
    p50, p99 = np.percentile(took, [50, 99]) * 1e3
    return Pace(before, len(rows), len(rows) / cpu, float(p50), float(p99), compared / len(rows), accepted / len(rows))


def _one_batch(scorer: Scorer, known: Known, rows: Sequence[Row]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    place: dict[int, int] = {}
    ones: list[int] = []
    others: list[int] = []
    for row in rows:
        met = known.take(make_record(row[RECORD_ID], row, ROLES))
        one = place.setdefault(len(known.records) - 1, len(place))
        for other in met:
            ones.append(one)
            others.append(place.setdefault(other, len(place)))
    together = [known.records[position] for position in place]
    return scorer.score(together, np.array(ones, dtype=np.int64), np.array(others, dtype=np.int64))


def main() -> int:
    """Print one line per number of known records."""
    asked = _arguments()
    rows = _rows(asked.countries, max(asked.known) + asked.records)
    learnt = [make_record(row[RECORD_ID], row, ROLES) for row in islice(rows, _LEARNT_FROM)]
    scorer = Scorer(train(learnt))
    known = Known()
    print(machine())
    print(
        f"{'known':>9} {'records':>8} {'per CPU s':>10} {'p50 ms':>7} {'p99 ms':>7} {'compared':>9} {'accepted':>9}   batches of {asked.batch}"
    )
    for record in learnt:
        known.take(record)
    for wanted in sorted(asked.known):
        while len(known.records) < wanted:
            row = next(rows)
            known.take(make_record(row[RECORD_ID], row, ROLES))
        found = pace(scorer, known, list(islice(rows, asked.records)), asked.batch)
        print(
            f"{found.known:>9,} {found.records:>8,} {found.per_cpu_s:>10,.0f} {found.p50_ms:>7.1f} {found.p99_ms:>7.1f} "
            f"{found.compared:>9.1f} {found.accepted:>9.2f}",
            flush=True,
        )
    return 0


def _rows(countries: Sequence[str], least: int) -> Iterator[Row]:
    invention = Invention("stream", "records for a stream", 2 * least, countries)
    return (row for _, row in invention.rows())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.matching.stream", description=__doc__)
    parser.add_argument("--known", type=int, nargs="+", default=[4_000, 400_000], metavar="N", help="known records (default: 4000 400000)")
    parser.add_argument("--records", type=int, default=20_000, metavar="N", help="records measured each time (default: 20000)")
    parser.add_argument("--batch", type=int, default=200, metavar="N", help="records a batch (default: 200)")
    parser.add_argument("--countries", nargs="+", default=["de", "us"], metavar="CC", help="whose names (default: de us)")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())

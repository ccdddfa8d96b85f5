"""One worker on a real Kafka: what a touchpoint costs it, how much memory it takes, how fast it finds its state again."""

import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from bench.latency import latency
from bench.load import REAL, mixed, recorded, registrations
from bench.pace import pace
from bench.report import Bar, Figure
from bench.watch import Sample, Watch
from touchstone.devkit.live import LiveSystem

WORKER = "bench"


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything is measured."""

    customers: int = 100_000
    touchpoints: int = 30_000
    copies: int = 2
    rounds: int = 3
    rate: int = 1_000
    latency_s: int = 20


QUICK = Size(customers=300, touchpoints=500, copies=1, rounds=1, rate=200, latency_s=2)
"""Enough to see that it runs; the figures mean nothing."""


class LiveBench:
    """Everything that is measured on one system, whose state grows from one measurement to the next."""

    def __init__(self, system: LiveSystem, size: Size) -> None:
        self._system = system
        self._size = size
        self._watch = Watch(system, WORKER)
        # All lie in the past and in order: a touchpoint that is older than its customer's newest would take the long way.
        self._next_ms = time.time_ns() // 1_000_000 - size.customers - size.rounds * size.touchpoints

    async def run(self) -> list[Figure]:
        """Fill, throughput, latency, restore; the order matters."""
        await self._system.create_topics()
        figures = await self._fill()
        figures += await self._real()
        figures += await self._throughput()
        figures += await latency(self._system, self._size.customers, self._size.rate, self._size.latency_s, Random(5))
        figures.append(await self._restore())
        return figures

    async def _fill(self) -> list[Figure]:
        """Every customer once, into an empty state; then see how much memory that takes."""
        count = self._size.customers
        seconds, after = await self._drain(registrations(count, self._times(count)), count)
        of = f"{count:,} registrations with three identifiers each"
        return [
            Figure("new customers per CPU second", "1/s", (count / seconds,), of),
            Figure("resident memory of the worker", "MiB", (after.resident_mib,), f"after {count:,} customers", Bar("below", 400)),
        ]

    async def _real(self) -> list[Figure]:
        """Real touchpoints of people who are not in the state yet, read by a worker that has just started."""
        size, rates, paces = self._size, list[float](), list[float]()
        for number in range(size.rounds):
            self._system.stop()
            lines = list(recorded(size.copies, time.time_ns() // 1_000_000, seed=number))
            seconds, _ = await self._drain(lines, len(lines), paces)
            rates.append(len(lines) / seconds)
        of = f"{size.copies} x the 23,055 of {REAL} a round, {size.customers:,} customers in the state; exactly once"
        return [Figure("touchpoints per CPU second", "1/s", tuple(rates), of, Bar("at least", 6_000)), _pace(paces)]

    async def _throughput(self) -> list[Figure]:
        """Touchpoints that wait in the topics, read by a worker that has its state on disk and nothing in memory."""
        size, rates, paces = self._size, list[float](), list[float]()
        for number in range(size.rounds):
            self._system.stop()
            lines = mixed(size.customers, size.touchpoints, self._times(size.touchpoints), seed=2 + number)
            seconds, _ = await self._drain(lines, size.touchpoints, paces)
            rates.append(size.touchpoints / seconds)
        of = f"{size.touchpoints:,} touchpoints a round, {size.customers:,} customers, 10 % new; exactly once"
        return [
            Figure("each of another customer, per CPU second", "1/s", tuple(rates), of),
            _pace(paces),
        ]

    async def _drain(self, lines: Iterable[bytes], count: int, paces: list[float] | None = None) -> tuple[float, Sample]:
        """Preload lines, start the worker, wait until all is committed. Returns its CPU seconds for that, those of the start left out."""
        await self._system.send(lines)
        self._system.start(WORKER)
        begin = await self._watch.until_running()
        if paces is not None:
            paces.append(pace())
        end = await self._watch.until_consumed(count, begin)
        # What was consumed before the first look is not in the seconds: scale them to all records, unless nothing was left to look at.
        share = (count - begin.consumed) / count
        return (end.cpu_s - begin.cpu_s) / share if share > 0.5 else end.cpu_s, end

    async def _restore(self) -> Figure:
        """A worker that lost its disk reads its state from the changelogs."""
        self._system.stop()
        shutil.rmtree(self._system.folder / WORKER)
        self._system.start(WORKER)
        begin = await self._watch.until(lambda now: now.state in {"restoring", "running"})
        end = await self._watch.until_running()
        seconds = max(end.at_s - begin.at_s, 0.001)
        of = f"{end.restored:,.0f} changelog records in {seconds:.1f} s, {end.cpu_s - begin.cpu_s:.1f} CPU seconds"
        return Figure("restored records per second", "1/s", (end.restored / seconds,), of, Bar("at least", 100_000))

    def _times(self, count: int) -> int:
        """The first of so many milliseconds, in each of which one touchpoint happens."""
        self._next_ms += count
        return self._next_ms - count


def _pace(paces: list[float]) -> Figure:
    return Figure("pace of this machine meanwhile", "ms", tuple(paces), "CPU time of 100,000 steps of plain Python (bench/pace.py)")

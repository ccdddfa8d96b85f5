"""Touchstone beside Quix Streams: the same job on the same touchpoints, in turns on the same machine."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.load import visits
from bench.pace import pace
from bench.peer_run import Pair, Restored, pair
from bench.peer_venv import VERSION
from bench.report import Bar, Figure

_EACH = 8
"""Touchpoints a person."""
_LEAST_US = 1.0
"""With tiny sizes what starting takes varies by more than the touchpoints cost; nothing is compared then, but it shall run."""


@dataclass(frozen=True, slots=True)
class PeerSize:
    """How much is compared. What a touchpoint costs is the difference between `small` and `large`: starting is in both."""

    small: int = 5_000
    large: int = 50_000
    later: int = 600
    rounds: int = 3


QUICK_PEER = PeerSize(small=200, large=800, later=50, rounds=1)
"""Enough to see that it runs and that both say the same; the figures mean nothing."""


@dataclass(slots=True)
class Costs:
    """What one of the two took, round by round."""

    us_per_touchpoint: list[float]
    restored: list[Restored]


class PeerBench:
    """Rounds of both, who goes first in turns."""

    def __init__(self, bootstrap: str, python: Path, size: PeerSize) -> None:
        self._bootstrap = bootstrap
        self._python = python
        self._size = size
        self._touchstone = Costs([], [])
        self._quix = Costs([], [])
        self._changes = 0
        self._paces: list[float] = []

    async def run(self) -> list[Figure]:
        """All rounds.

        Raises:
            PeersDiffer: both did not say the same.
            Unavailable: one of them failed.
        """
        size = self._size
        await self._warm_up()
        for number in range(size.rounds):
            small = await self._cpu_s(number, size.small, restores=False)
            large = await self._cpu_s(number, size.large, restores=True)
            for costs, begin, end in zip((self._touchstone, self._quix), small, large, strict=True):
                costs.us_per_touchpoint.append(max(_LEAST_US, (end - begin) / (size.large - size.small) * 1e6))
        return [*self._cpu_figures(), *self._restore_figures()]

    async def _warm_up(self) -> None:
        """A fresh broker lets the first who come wait, and to wait costs them CPU time too."""
        async with pair(self._bootstrap, self._python) as both:
            count = await both.send(visits(1 + self._size.later // _EACH, self._size.later, time.time_ns() // 1_000_000, seed=0))
            await both.quix_cpu_s(count)
            await both.touchstone_cpu_s()

    async def _cpu_s(self, number: int, count: int, *, restores: bool) -> tuple[float, float]:
        """CPU seconds of Touchstone and of the peer for so many touchpoints, starting included."""
        size = self._size
        start_ms = time.time_ns() // 1_000_000 - count - size.later
        lines = list(visits(count // _EACH, count + size.later, start_ms, seed=number))
        async with pair(self._bootstrap, self._python) as both:
            await both.send(lines[:count])
            self._paces.append(pace())
            if number % 2:
                theirs, ours = await both.quix_cpu_s(count), await both.touchstone_cpu_s()
            else:
                ours, theirs = await both.touchstone_cpu_s(), await both.quix_cpu_s(count)
            if restores:
                await both.send(lines[count:])
                await self._restore(both)
            self._changes += await both.compare()
        return ours, theirs

    async def _restore(self, both: Pair) -> None:
        """Both lose their disk and go on with what came since: whoever restored wrongly says something else than the other."""
        self._touchstone.restored.append(await both.touchstone_restored())
        self._quix.restored.append(await both.quix_restored(self._size.later))

    def _cpu_figures(self) -> list[Figure]:
        size, ours, theirs = self._size, self._touchstone.us_per_touchpoint, self._quix.us_per_touchpoint
        of = f"slope from {size.small:,} to {size.large:,} touchpoints; {self._changes:,} changes of phase, all equal"
        return [
            Figure("CPU per touchpoint, Touchstone", "µs", tuple(ours), of),
            Figure("CPU per touchpoint, Quix Streams", "µs", tuple(theirs), f"the same, version {VERSION}"),
            Figure("CPU, Quix Streams / Touchstone", "times", _ratios(theirs, ours), "round by round", Bar("at least", 2)),
            Figure("pace of this machine meanwhile", "ms", tuple(self._paces), "CPU time of 100,000 steps of plain Python (bench/pace.py)"),
        ]

    def _restore_figures(self) -> list[Figure]:
        ours, theirs = [r.rate for r in self._touchstone.restored], [r.rate for r in self._quix.restored]
        return [
            Figure("restored records/s, Touchstone", "1/s", tuple(ours), _restored(self._touchstone.restored)),
            Figure("restored records/s, Quix Streams", "1/s", tuple(theirs), _restored(self._quix.restored)),
            Figure("restore, Touchstone / Quix Streams", "times", _ratios(ours, theirs), "round by round", Bar("at least", 4)),
            Figure(
                "until records flow, Touchstone",
                "s",
                tuple(r.until_first_s for r in self._touchstone.restored),
                "the same restores",
            ),
            Figure("until records flow, Quix Streams", "s", tuple(r.until_first_s for r in self._quix.restored), "the same restores"),
        ]


def _ratios(above: Sequence[float], below: Sequence[float]) -> tuple[float, ...]:
    return tuple(one / other for one, other in zip(above, below, strict=True))


def _restored(rounds: Sequence[Restored]) -> str:
    last = rounds[-1]
    return f"last round: {last.records:,.0f} records in {last.seconds:.2f} s"

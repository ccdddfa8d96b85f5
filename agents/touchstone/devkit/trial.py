"""Runs touchpoints through a live system, kills workers on the way, and holds what readers believe in the end against the twin."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from touchstone.app import channel_topics, output_topics
from touchstone.devkit.live import LiveSystem
from touchstone.errors import Unavailable
from touchstone.model.component import NEVER
from touchstone.model.output import Carried, Moment
from touchstone.pipeline import OutputRecord, stages_of
from touchstone.runtime import client
from touchstone.runtime.lookout import Lookout, Sight
from touchstone.runtime.names import changelog_topic, internal_topics
from touchstone.simulate import Simulation
from touchstone.view import Final, FinalView, diff

_POLL_S = 0.1
_PROGRESS_S = 60.0
_LONGEST_WAIT_S = 0.15
"""Between the last acknowledgement and a kill; a worker commits every 0.1 s."""
_MISSES = 20


@dataclass(frozen=True)
class Kill:
    """A worker that was ended with SIGKILL, and what was open right afterwards.

    `unread`: touchpoints sent that no committed offset covered. `undecided`: partitions in which a transaction was left open.
    """

    worker: str
    seconds: float
    sent: int
    unread: int
    undecided: int


@dataclass(frozen=True)
class Verdict:
    """What came out of a trial."""

    as_of: int | None
    live: Final
    twin: Final
    touchpoints: int
    repeated: int
    """How many pairs (moment_id, revision) a `read_committed` reader saw more than once."""
    kills: tuple[Kill, ...]
    aborted: int
    """Records that stand in topics but belong to transactions that never committed."""
    seconds: dict[str, float]

    @cached_property
    def differences(self) -> list[str]:
        """Each in one readable line; empty when the live system and the twin agree."""
        return diff(self.live, self.twin)

    @property
    def is_equal(self) -> bool:
        """Whether both believe the same and nothing was said twice."""
        return not self.differences and self.repeated == 0


Tell = Callable[[str], None]


class Trial:
    """One run of one file. `tell` is told what happens, `show` how many touchpoints were sent and how many are read."""

    def __init__(self, system: LiveSystem, lines: Sequence[bytes], *, seed: int, tell: Tell, show: Callable[[int, int], None]) -> None:
        self._system = system
        self._lines = lines
        self._random = random.Random(seed)  # noqa: S311 - chooses moments, no secrets
        self._tell = tell
        self._show = show
        self._channels = channel_topics(system.topology)
        self._sent = 0
        self._kills: list[Kill] = []
        self._returning: set[asyncio.Task[None]] = set()
        self._began = time.monotonic()

    async def run(self, truth: "asyncio.Future[Simulation]", workers: int, kills: int) -> Verdict:
        """Start workers, send everything, kill on the way, wait for quiet, compare.

        Raises:
            Unavailable: a worker ended by itself, or it never became quiet; or fewer workers than asked for could be killed in open work.
        """
        names = [f"w{number}" for number in range(1, workers + 1)]
        for name in names:
            self._system.start(name)
        await self._system.until_ready(*names)
        marks = [time.monotonic()]
        self._tell(f"{workers} workers are ready after {marks[0] - self._began:.1f} s")
        async with self._system.lookout() as lookout:
            await self._feed(lookout, kills)
        for task in list(self._returning):
            await task
        simulation = await truth
        as_of = None if simulation.as_of == NEVER else simulation.as_of
        marks.append(time.monotonic())
        await self._system.until_quiet(
            as_of, seconds=300 + len(self._lines) / 100, watch=lambda behind: self._show(self._sent, self._sent - behind)
        )
        marks.append(time.monotonic())
        records = await self._system.records()
        names_of = ("ready", "sent", "quiet")
        seconds = {name: round(mark - start, 1) for name, mark, start in zip(names_of, marks, [self._began, *marks], strict=False)}
        return Verdict(
            as_of=as_of,
            live=FinalView(records).final(simulation.as_of, self._system.topology.retention_ms),
            twin=simulation.final,
            touchpoints=self._sent,
            repeated=repeated(records),
            kills=tuple(self._kills),
            aborted=await self._aborted() if kills else 0,
            seconds=seconds,
        )

    # -- inside ----------------------------------------------------------------------------------------------------------------
    async def _feed(self, lookout: Lookout, kills: int) -> None:
        """Send everything; after each of `kills` random places in the file, a kill."""
        for place in sorted(self._random.randint(1, len(self._lines)) for _ in range(kills)) if self._lines else ():
            await self._send_to(place)
            await self._kill_in_open_work(lookout)
        await self._send_to(len(self._lines))
        if len(self._kills) < kills:
            raise Unavailable(
                f"only {len(self._kills)} of {kills} kills fell into open work: the file of {len(self._lines)} lines is read too quickly; "
                "ask for fewer kills, or take a longer file"
            )

    async def _send_to(self, place: int) -> None:
        start = self._sent
        if place > start:
            await self._system.send(self._lines[start:place], lambda number: self._show(start + number, 0))
            self._sent = place

    async def _kill_in_open_work(self, lookout: Lookout) -> None:
        """Kill a worker while touchpoints are unread. Where all are read by then, a few more are sent and it is tried again."""
        for _ in range(_MISSES):
            await asyncio.sleep(self._random.uniform(0, _LONGEST_WAIT_S))
            if (await lookout.look()).behind(self._channels) and await self._kill(lookout):
                return
            if self._sent == len(self._lines):
                return
            await self._send_to(min(len(self._lines), self._sent + max(10, len(self._lines) // 20)))

    async def _kill(self, lookout: Lookout) -> bool:
        """Kill one of those that run, and look what that left open; false when nothing was unread any more."""
        victim = self._random.choice(sorted(self._system.workers))
        self._system.kill(victim)
        sight = await lookout.look()
        unread = sight.behind(self._channels)
        kill = Kill(victim, round(time.monotonic() - self._began, 1), self._sent, unread, len(sight.undecided))
        if unread:
            self._kills.append(kill)
            self._tell(
                f"killed {victim} with -9: {unread:,} of {self._sent:,} touchpoints were sent and not yet committed, "
                f"transactions were open in {kill.undecided} partitions"
            )
        await self._bring_back(victim)
        await self._until_progress(lookout, sight)
        return bool(unread)

    async def _bring_back(self, victim: str) -> None:
        """Start it again: at once, or after the others have taken over."""
        others = bool(self._system.workers)
        if others and self._random.random() < 0.5:
            task = asyncio.create_task(self._later(victim))
            self._returning.add(task)
            task.add_done_callback(self._returning.discard)
        else:
            self._system.start(victim)

    async def _later(self, victim: str) -> None:
        await asyncio.sleep(self._system.session_timeout_s + 1)
        self._system.start(victim)

    async def _until_progress(self, lookout: Lookout, since: Sight) -> None:
        """Wait until more is committed than at the kill, so that the next one meets a system that works."""
        deadline = time.monotonic() + _PROGRESS_S
        while since.behind(self._channels) and (sight := await lookout.look()).done(self._channels) <= since.done(self._channels):
            self._system.check_alive()
            self._show(self._sent, sight.done(self._channels))
            if time.monotonic() > deadline:
                raise Unavailable(f"nothing was read in the {_PROGRESS_S:.0f} s after a kill; {sight.behind(self._channels)} are unread")
            await asyncio.sleep(_POLL_S)

    async def _aborted(self) -> int:
        system = self._system
        topics = [
            *internal_topics(system.app, stages_of(system.topology)),
            *(changelog_topic(system.app, stage) for stage in stages_of(system.topology)),
            *output_topics(system.topology),
        ]
        everything = sum([1 async for _ in client.read_topic(system.bootstrap, topics, "read_uncommitted")])
        return everything - sum([1 async for _ in client.read_topic(system.bootstrap, topics)])


def repeated(records: Sequence[OutputRecord]) -> int:
    """How many pairs (moment_id, revision) are there more than once, on one topic."""
    seen = Counter(("", record.moment_id, record.revision) for record in records if isinstance(record, Moment))
    seen += Counter((one.output, one.moment.moment_id, one.moment.revision) for one in records if isinstance(one, Carried))
    return sum(count > 1 for count in seen.values())


def dead_letters(final: Final) -> list[tuple[str, str, int]]:
    """The dead letters of a view: reason, detail, how many; the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter((letter["reason"], letter["detail"]) for letter in final["deadletters"])
    return [(reason, detail, count) for (reason, detail), count in sorted(counts.items(), key=_most_first)]


def _most_first(item: tuple[tuple[str, str], int]) -> Any:
    return -item[1], item[0]

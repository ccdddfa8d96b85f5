"""How long customers wait when a worker is killed, or started again: two workers with static membership and warm copies, under load."""

import asyncio
import time
from contextlib import suppress
from random import Random

from bench.latency import Stopwatch, read_moments, send_paced
from bench.load import registrations
from bench.report import Bar, Figure
from bench.watch import Watch
from touchstone.devkit.live import LiveSystem

RATE = 200
"""Touchpoints a second meanwhile: enough that every partition has something to wait for."""

_READY_TO_LOSE_ONE = {"TOUCHSTONE_STATIC_MEMBERSHIP": "1", "TOUCHSTONE_STANDBY": "1"}
_BEHIND = 1_000
"""Records that a copy may lack under load and count as warm."""


class FailoverBench:
    """Kill one of two workers, bring it back, then restart both in turn."""

    def __init__(self, system: LiveSystem, customers: int) -> None:
        self._system = system
        self._customers = customers
        self._watches = {name: Watch(system, name) for name in ("first", "second")}

    async def run(self) -> list[Figure]:
        """Fill, kill, restart; the order matters."""
        system = self._system
        await system.create_topics()
        await system.send(registrations(self._customers, time.time_ns() // 1_000_000 - self._customers))
        self._start("first")
        watch = self._watches["first"]
        await watch.until_consumed(self._customers, await watch.until_running())
        self._start("second")
        await self._until_warm()
        of = f"{self._customers:,} customers, {RATE}/s, session timeout {system.session_timeout_s} s"
        killed = await self._killed()
        await self._until_warm()
        restarts = [await self._restarted("second"), await self._restarted("first")]
        partitions = system.topology.partitions
        return [
            Figure("outage after kill -9", "s", (killed,), f"longest wait for a moment; {of}", Bar("below", system.session_timeout_s + 2)),
            Figure("restart of the same worker", "s", tuple(restarts), f"from SIGTERM to running; {of}", Bar("below", 5)),
            Figure(
                "rolling restart, a partition",
                "s",
                (sum(restarts) / partitions,),
                f"both workers, {partitions} partitions",
                Bar("below", 2),
            ),
        ]

    def _start(self, name: str) -> None:
        self._system.start(name, _READY_TO_LOSE_ONE)

    async def _until_warm(self) -> None:
        """Both own partitions, and each has copies of the other's."""
        for watch in self._watches.values():
            await watch.until(lambda now: now.state == "running" and now.partitions > 0 and now.standby_behind < _BEHIND)

    async def _killed(self) -> float:
        """The longest that anybody waited for a moment while one worker was killed and the other took over; then it comes back."""
        watch, seconds = Stopwatch(), self._system.session_timeout_s + 10
        reader = asyncio.create_task(read_moments(self._system, watch))
        sender = asyncio.create_task(send_paced(self._system, watch, self._customers, RATE, seconds, Random(7)))
        try:
            await asyncio.sleep(3.0)
            self._system.kill("second")
            await self._watches["first"].until(lambda now: now.partitions == self._system.topology.partitions and now.state == "running")
            self._start("second")
            await sender
            with suppress(TimeoutError):
                async with asyncio.timeout(10):
                    await self._system.until_quiet(0)
        finally:
            reader.cancel()
            sender.cancel()
            await asyncio.gather(reader, sender, return_exceptions=True)
        return max([*watch.quiet, *watch.merged])

    async def _restarted(self, name: str) -> float:
        """Seconds from SIGTERM until the same worker has its partitions again."""
        started = time.monotonic()
        worker = self._system.workers.pop(name)
        worker.terminate()
        await asyncio.to_thread(worker.wait, 30)
        self._start(name)
        await self._watches[name].until(lambda now: now.state == "running" and now.partitions > 0)
        return time.monotonic() - started

"""A worker seen from outside: what its own page says of it, waited for."""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from touchstone.devkit.live import LiveSystem

_POLL_S = 0.2
_LONGEST_POLL_S = 5.0
"""Each page costs the worker some ten milliseconds: asked without need, the bench would measure itself."""
_PATIENCE_S = 600.0
_LINE = re.compile(r"^([a-z_]+)(?:\{([^}]*)\})? ([0-9.e+-]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sample:
    """What the worker says at one moment; from one page, so that all of it belongs together."""

    at_s: float
    state: str
    cpu_s: float
    resident_mib: float
    consumed: float
    committed: float
    restored: float
    partitions: float
    standby_behind: float


class Watch:
    """Looks at one worker of a live system."""

    def __init__(self, system: LiveSystem, name: str) -> None:
        self._system = system
        self._name = name

    async def until(self, is_wanted: Callable[[Sample], bool]) -> Sample:
        """The first sample that is wanted.

        Raises:
            Unavailable: the worker ended by itself.
            TimeoutError: it never is; with the end of the worker's log.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            page = await asyncio.to_thread(self._system.page, self._name, "/metrics")
            if page and is_wanted(sample := sample_of(page)):
                return sample
            self._system.check_alive()
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{self._name} took longer than {_PATIENCE_S:.0f} s; its log ends with:\n{self._system.log_tail(self._name)}"
                )
            await asyncio.sleep(_POLL_S)

    async def until_running(self) -> Sample:
        """The first sample after the restore: records flow."""
        return await self.until(lambda now: now.state == "running")

    async def until_consumed(self, count: float, begin: Sample) -> Sample:
        """So many records of channels were consumed since the worker started, and what followed from them is committed."""
        now = begin
        while now.consumed < count:
            rate = (now.consumed - begin.consumed) / (now.at_s - begin.at_s) if now.at_s > begin.at_s else 0.0
            left_s = (count - now.consumed) / rate if rate else 1.0
            await asyncio.sleep(min(_LONGEST_POLL_S, max(_POLL_S, left_s / 2)))
            now = await self.until(lambda _: True)
        reached = now
        return await self.until(lambda now: now.committed > reached.committed)


def sample_of(page: str) -> Sample:
    """Read the page for Prometheus; of a metric with labels the sum."""
    sums: dict[str, float] = {}
    state = ""
    for name, labels, value in _LINE.findall(page):
        sums[name] = sums.get(name, 0.0) + float(value)
        if name == "touchstone_worker_state" and float(value):
            state = labels.partition('"')[2].rstrip('"')
    return Sample(
        at_s=time.monotonic(),
        state=state,
        cpu_s=sums["process_cpu_seconds_total"],
        resident_mib=sums["process_resident_memory_bytes"] / (1 << 20),
        consumed=sums.get("touchstone_consumed_records_total", 0.0),
        committed=sums.get("touchstone_transactions_total", 0.0),
        restored=sums.get("touchstone_restored_records_total", 0.0),
        partitions=sums.get("touchstone_assigned_partitions", 0.0),
        standby_behind=sums.get("touchstone_standby_records_behind", 0.0),
    )

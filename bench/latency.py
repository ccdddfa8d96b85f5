"""From the moment a producer hands a touchpoint over to the moment its moment of truth can be read."""

import asyncio
import statistics
import time
from contextlib import suppress
from random import Random

from bench.load import paced, stamped
from bench.report import Bar, Figure
from touchstone.contracts.codec import bundled_codec
from touchstone.devkit.live import LiveSystem
from touchstone.intake.lines import prepare_line
from touchstone.model.output import Moment
from touchstone.runtime import client

_PULSE_S = 0.01
"""Touchpoints leave in small groups, as they come from a web server; one wake-up each would measure the bench's own event loop."""
_WARM_UP_S = 10.0
"""So long a fresh broker compiles itself while it meets this rate: p99 is 1.2-2 s in the first ten seconds, 0.3-0.6 s after them."""
_LAST_WORD_S = 10.0


class Stopwatch:
    """Notes when touchpoints left and when a moment caused by them was first read, in seconds of one clock."""

    def __init__(self) -> None:
        self.left: dict[str, float] = {}
        self.merging: set[str] = set()
        self.quiet: list[float] = []
        self.merged: list[float] = []

    def saw(self, moment: Moment) -> None:
        """A moment was read: it belongs to its last touchpoint, once."""
        event_id = moment.touchpoints[-1].partition("/")[2]
        left = self.left.pop(event_id, None)
        if left is not None and moment.action == "assert":
            (self.merged if event_id in self.merging else self.quiet).append(time.perf_counter() - left)


async def latency(system: LiveSystem, known: int, rate: int, seconds: int, random: Random) -> list[Figure]:
    """Send touchpoints at a steady rate to the running worker, read the moments as any consumer would (`read_committed`), compare."""
    watch = Stopwatch()
    reader = asyncio.create_task(read_moments(system, watch))
    try:
        warm_up_s = min(_WARM_UP_S, seconds)
        await send_paced(system, watch, known, rate, seconds + warm_up_s, random, warm_up_s)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORD_S):
                await system.until_quiet(0)
        await asyncio.sleep(1.0)
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    of = f"{rate:,}/s for {seconds} s"
    return [
        *_figures("", watch.quiet, of, Bar("below", 700)),
        *_figures(", merging two people", watch.merged, of, None),
    ]


async def send_paced(
    system: LiveSystem, watch: Stopwatch, known: int, rate: int, seconds: float, random: Random, warm_up_s: float = 0.0
) -> None:
    """Send at a steady rate; those of the warm-up are not timed."""
    each = max(1, round(rate * _PULSE_S))
    start = time.perf_counter()
    async with client.producing(system.bootstrap) as producer:
        for number, (event_id, merges, touchpoint) in enumerate(paced(known, int(rate * seconds), random)):
            if number % each == 0:
                await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
            record = prepare_line(stamped(touchpoint, time.time_ns() // 1_000_000), system.topology)
            if time.perf_counter() - start > warm_up_s and merges is not None:
                watch.left[event_id] = time.perf_counter()
            if merges:
                watch.merging.add(event_id)
            await producer.send(record.topic, record.value, record.key)


async def read_moments(system: LiveSystem, watch: Stopwatch) -> None:
    """Tell the stopwatch of every moment, until cancelled."""
    codec = bundled_codec()
    async for record in client.follow(system.bootstrap, [system.topology.topics.moments]):
        moment = codec.decode_record(record.value or b"")
        if isinstance(moment, Moment):
            watch.saw(moment)


def _figures(which: str, seconds: list[float], of: str, bar: Bar | None) -> list[Figure]:
    if len(seconds) < 2:
        return []
    cuts = [cut * 1_000 for cut in statistics.quantiles(seconds, n=100, method="inclusive")]
    of = f"{len(seconds):,} moments, {of}"
    return [
        Figure(f"produce to moment{which}, p50", "ms", (cuts[49],), of),
        Figure(f"produce to moment{which}, p99", "ms", (cuts[98],), of, bar),
    ]

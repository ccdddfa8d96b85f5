"""Lines on their way to Kafka: prepared, sent in order, counted."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

from touchstone.cli.judge import Judge
from touchstone.cli.output import Show, counted
from touchstone.contracts.codec import bundled_codec, writing_codec
from touchstone.errors import UsageError
from touchstone.intake.lines import Prepared, prepare_line
from touchstone.runtime.admin import partition_counts
from touchstone.runtime.client import produce_lines
from touchstone.topology.compile import Topology
from touchstone.topology.subjects import subject_of, subjects

SHOW_EVERY = 500

Line = tuple[int, bytes]
"""The number of a line in its file, and what it says."""


@dataclass(slots=True)
class Sent:
    """How far the sending is: lines sent per channel topic, how many are acknowledged, how long it took."""

    by_topic: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """All lines that were sent."""
        return self.by_topic.total()

    def acknowledge(self) -> None:
        """One more."""
        self.acknowledged += 1


async def send(
    lines: Iterable[Line],
    topology: Topology,
    bootstrap: str,
    judge: Judge | None,
    sent: Sent,
    *,
    rate: float | None = None,
    shift_ms: int = 0,
    show: Show | None = None,
) -> None:
    """Send lines in order and wait until all are acknowledged; `sent` says how far it is.

    `judge` sees those that it has not seen; without one they were judged before.

    Raises:
        UsageError: a channel's topic does not exist.
        Retriable: Kafka or the registry cannot be reached, or Kafka did not acknowledge.
    """
    await _require({channel.topic for channel in topology.channels.values()}, bootstrap)
    stamped = _stamp(topology)
    began, judged = time.monotonic(), 0 if judge is None else judge.looked_at

    async def records() -> AsyncIterator[Prepared]:
        for place, (number, line) in enumerate(lines):
            if rate is not None:
                await _until(began + place / rate)
            prepared = prepare_line(line, topology, shift_ms)
            if judge is not None and place >= judged:
                judge.look(number, line, prepared)
            sent.by_topic[prepared.topic] += 1
            if show is not None and place % SHOW_EVERY == 0:
                show(place)
            yield stamped(prepared)

    await produce_lines(bootstrap, records(), sent.acknowledge)
    sent.seconds = time.monotonic() - began


def _stamp(topology: Topology) -> Callable[[Prepared], Prepared]:
    """What gives Avro the registry's id, where the environment names a registry."""
    topics = {subject.topic for subject in subjects(topology) if subject.record == "Touchpoint"}
    codec = writing_codec(subject_of(topology))
    if not topics or codec is bundled_codec():
        return lambda prepared: prepared
    return lambda prepared: (
        prepared._replace(value=codec.restamped(prepared.value, bundled_codec())) if prepared.topic in topics else prepared
    )


async def _require(topics: set[str], bootstrap: str) -> None:
    missing = sorted(topics - (await partition_counts(bootstrap, topics)).keys())
    if missing:
        raise UsageError(
            f"Kafka at {bootstrap} has no topic {', '.join(missing)}; create what the topology names with `touchstone topics apply`"
        )


async def _until(when: float) -> None:
    """Wait for a time of the monotonic clock, if it is still to come."""
    ahead = when - time.monotonic()
    if ahead > 0:
        await asyncio.sleep(ahead)


def so_far(sent: Sent) -> str:
    """What whoever broke off should know."""
    return f"{sent.acknowledged:,} of {counted(sent.total, 'touchpoint')} sent were acknowledged; sending the file again does no harm"

"""How far the sources are, and so what time it is for the journeys (DESIGN.md 6 "Time")."""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple

import msgspec
from aiokafka import TopicPartition

from touchstone.runtime.batch import End
from touchstone.runtime.broker_time import BrokerTime

MARGIN_MS = 1_000
"""A source at its end is as late as the brokers' clock less this: what was appended before it would have been seen by the last fetch."""


class SourceClock(NamedTuple):
    """What the owner of a source partition says about it: the latest time read, and whether there is nothing left to read."""

    time: int | None
    at_end: bool


class Statement(msgspec.Struct, array_like=True, frozen=True):
    """What one worker says in one transaction: [topic, partition, time, at_end] per source; [partition, clock reached] per journey partition."""

    sources: list[tuple[str, int, int | None, bool]]
    reached: list[tuple[int, int]]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Statement)


def encode_statement(statement: Statement) -> bytes:
    """The value of a record of the clock topic."""
    return _ENCODER.encode(statement)


def decode_statement(value: bytes) -> Statement:
    """Read the value of a record of the clock topic."""
    return _DECODER.decode(value)


class JourneyClock:
    """The time of the journey partitions, as every worker computes it from what all of them said.

    mode wall: the earliest over all sources, where a source at its end counts as a second ago. mode event: the earliest over the
    sources that are not at their end; when all are, the latest time seen anywhere. There is no time before every source has reported,
    and it never goes back.
    """

    def __init__(self, mode: Literal["wall", "event"], sources: Iterable[TopicPartition]) -> None:
        self._mode = mode
        self._sources: dict[TopicPartition, SourceClock | None] = dict.fromkeys(sources)
        self._reached: dict[int, int] = {}
        self._now: int | None = None

    @property
    def now(self) -> int | None:
        """The time, if there is one yet."""
        return self._now

    @property
    def reached(self) -> Mapping[int, int]:
        """How far each journey partition has been advanced and committed, by whoever owns it."""
        return self._reached

    def said(self, source: TopicPartition) -> SourceClock | None:
        """The last statement about a source partition."""
        return self._sources.get(source)

    def read(self, statement: Statement) -> None:
        """Take a statement; a later one about the same partition replaces an earlier one, but its time does not go back."""
        for topic, partition, time, at_end in statement.sources:
            tp = TopicPartition(topic, partition)
            if tp in self._sources:
                before = self._sources[tp]
                self._sources[tp] = SourceClock(_latest(time, before.time if before else None), at_end)
        for partition, reached in statement.reached:
            self._reached[partition] = max(reached, self._reached.get(partition, reached))
            self._now = _latest(self._now, reached)

    def compute(self) -> int | None:
        """The time now, from all statements read so far."""
        known = [source for source in self._sources.values() if source is not None]
        if len(known) == len(self._sources) and known:
            self._now = _latest(self._now, self._wall(known) if self._mode == "wall" else _event(known))
        return self._now

    @staticmethod
    def _wall(known: list[SourceClock]) -> int | None:
        times = [source.time for source in known]
        return None if None in times else min(time for time in times if time is not None)


def _event(known: list[SourceClock]) -> int | None:
    behind = [source.time for source in known if not source.at_end]
    if behind:
        return None if None in behind else min(time for time in behind if time is not None)
    return max((source.time for source in known if source.time is not None), default=None)


def _latest(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)


class OwnSources:
    """The source partitions of this worker: what was read of them, and what to say about them."""

    def __init__(self, mode: Literal["wall", "event"], broker_time: BrokerTime) -> None:
        self._mode = mode
        self._broker_time = broker_time
        self._times: dict[TopicPartition, int | None] = {}

    def assign(self, sources: Iterable[TopicPartition], said: Callable[[TopicPartition], SourceClock | None]) -> None:
        """Own exactly these, going on from what their last owner said."""
        self._times = {tp: (before.time if (before := said(tp)) else None) for tp in sources}

    def advance(self, tp: TopicPartition, time: int | None) -> None:
        """Records up to this source time were handled."""
        if tp in self._times:
            self._times[tp] = _latest(self._times[tp], time)

    def state(self, positions: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, End]) -> list[tuple[str, int, int | None, bool]]:
        """What to say about each source now. A source of which no fetch has told the end yet is left out."""
        said = []
        for tp, time in sorted(self._times.items()):
            end = ends.get(tp)
            if end is None:
                continue
            at_end = positions.get(tp, -1) >= end.highwater
            if at_end and self._mode == "wall":
                answered_ms = self._broker_time.at(end.answered)
                if answered_ms is not None:
                    time = self._times[tp] = _latest(time, answered_ms - MARGIN_MS)  # noqa: PLW2901  # the time of a source at its end
            said.append((tp.topic, tp.partition, time, at_end))
        return said


class Barrier:
    """Holds a new time back until this worker has read what its internal partitions held when the time became known.

    A touchpoint that was read before the time counts, and the messages it caused were written before its owner's statement: they lie
    below the end that a fetch reports which was sent later. That is the second answer to come: the first one may have been on its way. So a
    deadline does not fire while its cause is still on the way to this worker.
    """

    def __init__(self) -> None:
        self._candidate: int | None = None
        self._since = 0.0
        self._answered: dict[TopicPartition, float] = {}
        self._targets: dict[TopicPartition, int] = {}

    def pass_through(
        self,
        now: int | None,
        now_s: float,
        internal: Iterable[TopicPartition],
        positions: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, End],
        current: int | None,
    ) -> int | None:
        """The time that may be acted on: a newer one, or `current` while something is still on its way."""
        if self._candidate is None:
            if now is None or (current is not None and now <= current):
                return current
            self._candidate, self._since = now, now_s
            self._answered, self._targets = {}, {}
        for tp in internal:
            end = ends.get(tp)
            if tp not in self._targets and end is not None and end.answered > self._since:
                first = self._answered.setdefault(tp, end.answered)
                if end.answered > first:
                    self._targets[tp] = end.highwater
            if tp not in self._targets or positions.get(tp, -1) < self._targets[tp]:
                return current
        passed, self._candidate = self._candidate, None
        return passed

    def reset(self) -> None:
        """Forget a time that is being held (the partitions changed)."""
        self._candidate = None

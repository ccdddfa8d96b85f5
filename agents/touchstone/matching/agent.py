"""Stage 2b: one block at a time, whose records look alike; compared in micro-batches, by count and before every commit."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from touchstone.matching.judge import Judge
from touchstone.matching.records import Record
from touchstone.model.component import Block, Described, Likeness, Linked
from touchstone.model.message import Close, Compare, IdentityMessage, Match
from touchstone.observe.metrics import CLOSED_BLOCKS, COMPARED, LIKENESSES, WEIGHED_PAIRS, Counts
from touchstone.state.store import Store

BATCH = 250
"""So many records wait at most; then they are compared, though the transaction goes on."""

_MARGIN = 1e-6
"""Bits. A pair is weighed to a billionth of a bit in a batch."""

Send = Callable[[IdentityMessage], None]


class MatchPartition:
    """The match stage of one partition. Its rows are its only memory between transactions."""

    def __init__(self, store: Store, matcher: "Matcher") -> None:
        self._store = store
        self._matcher = matcher

    def handle(self, message: Compare, send: Send) -> None:
        """Put a record into its block, to be compared before the commit.

        A block that grows past its limit is closed for ever: what its records have in common says nothing. Whoever was told of a likeness
        found here hears of it.
        """
        block, described = message.to, message.described
        header: Block = self._store.get(block, "h") or Block()
        if header.is_closed:
            self._matcher.turned_away += 1
            return
        name = _name(described)
        known = None if header.count == 0 else self._store.get(block, name)
        if known is not None and known.at <= described.at:
            return
        if known is None:
            header.count += 1
            if header.count > self._matcher.limit:
                self._close(block, send)
                return
            self._store.put(block, "h", header)
        self._store.put(block, name, described)
        self._matcher.add(self, block, described, send)

    def others(self, block: str, described: Described) -> Iterator[Described]:
        """Records of other identifiers that are in the block now; none once it is closed."""
        for _, other in self._store.scan(block, "r"):
            if other.identifier != described.identifier:
                yield other

    def link(self, block: str, identifier: str) -> None:
        """Remember who was told of a likeness that was found in the block."""
        name = "l" + identifier
        if self._store.get(block, name) is None:
            self._store.put(block, name, Linked())

    def _close(self, block: str, send: Send) -> None:
        self._matcher.closed += 1
        for name, _ in self._store.scan(block, "l"):
            send(Close(name[1:], block))
            self._store.delete(block, name)
        for name, _ in self._store.scan(block, "r"):
            self._store.delete(block, name)
        self._store.put(block, "h", Block(self._matcher.limit + 1, is_closed=True))


class Matcher:
    """Compares what waits in all partitions of a worker at once: a comparison has a fixed cost, whatever the number of pairs.

    `strength` of an identifier key: smaller is stronger. What it does goes into `counts` before each commit; `turned_away` and `closed` are
    what its partitions have met of closed blocks, and closed, since then. `seconds`: what all of its comparing has taken.
    """

    def __init__(self, judge: Judge, limit: int, strength: Callable[[str], Any], counts: Counts | None = None) -> None:
        self.limit = limit
        self.turned_away = self.closed = 0
        self.seconds = 0.0
        self._judge = judge
        self._strength = strength
        self._counts = counts or Counts()
        self._waiting: list[tuple[MatchPartition, str, Described]] = []

    def add(self, partition: MatchPartition, block: str, described: Described, send: Send) -> None:
        """A record that is new in a block waits to be compared with the others there."""
        self._waiting.append((partition, block, described))
        if len(self._waiting) >= BATCH:
            self.compare(send)

    def compare(self, send: Send) -> bool:
        """Compare what waits, and say what looks alike. True when there was something to compare."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            began = time.perf_counter()
            self._compare(waiting, send)
            self.seconds += time.perf_counter() - began
        self._count(len(waiting))
        return bool(waiting)

    def _compare(self, waiting: "list[tuple[MatchPartition, str, Described]]", send: Send) -> None:
        meetings = _Meetings()
        for partition, block, described in waiting:
            for other in partition.others(block, described):
                meetings.add(described, other, block, partition)
        if meetings.places:
            records = meetings.records
            scores = self._judge.scores(records, list(meetings.places))
            for pair, score in zip(meetings.places, scores, strict=True):
                if score < self._judge.review - _MARGIN:
                    continue
                # To the last bit the same, in whatever company two records were compared: people are united best score first.
                exact = self._judge.score_pair(*(records[number] for number in pair))
                if exact >= self._judge.review:
                    self._say([meetings.described[number] for number in pair], exact, meetings.places[pair], send)
            self._counts.add(WEIGHED_PAIRS, by=len(scores))

    def forget(self) -> None:
        """Drop what waits: its partitions are somebody else's, or what brought it was rolled back."""
        self._waiting.clear()
        self.turned_away = self.closed = 0

    def _count(self, compared: int) -> None:
        for metric, labels, number in (
            (COMPARED, ("open",), compared),
            (COMPARED, ("closed",), self.turned_away),
            (CLOSED_BLOCKS, (), self.closed),
        ):
            if number:
                self._counts.add(metric, *labels, by=number)
        self.turned_away = self.closed = 0

    def _say(self, couple: list[Described], score: float, places: dict[str, MatchPartition], send: Send) -> None:
        strong, weak = sorted(couple, key=lambda described: self._strength(described.identifier))
        for block, partition in places.items():
            partition.link(block, weak.identifier)
        pair = weak.record, strong.record
        likeness = Likeness(weak.identifier, strong.identifier, pair, score, min(weak.at, strong.at), tuple(sorted(places)))
        is_accepted = score >= self._judge.accept
        self._counts.add(LIKENESSES, "accepted" if is_accepted else "review")
        send(Match(weak.identifier, likeness, (weak, strong), is_accepted))


class _Meetings:
    """The pairs of records that meet, each once, whichever comes first, with the blocks where they do."""

    def __init__(self) -> None:
        self.described: list[Described] = []
        self.places: dict[tuple[int, int], dict[str, MatchPartition]] = {}
        self._numbers: dict[tuple[str, str], int] = {}

    def add(self, one: Described, other: Described, block: str, partition: MatchPartition) -> None:
        """Two records meet in a block."""
        first, second = self._number(one), self._number(other)
        pair = (first, second) if first < second else (second, first)
        self.places.setdefault(pair, {})[block] = partition

    @property
    def records(self) -> list[Record]:
        """Of everybody who meets somebody."""
        return [Record(_name(described), described.values) for described in self.described]

    def _number(self, described: Described) -> int:
        name = described.identifier, described.record
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self.described)
            self.described.append(described)
        elif described.at < self.described[number].at:
            self.described[number] = described
        return number


def _name(described: Described) -> str:
    return f"r{described.identifier}\x1f{described.record}"

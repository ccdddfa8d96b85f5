"""Stage 2b: one block at a time, whose records look alike; compared in micro-batches, by count and before every commit."""

import time
from collections.abc import Callable, Collection, Iterator
from typing import Any

from msgspec.structs import replace

from touchstone.matching.judge import Judge
from touchstone.matching.records import Record
from touchstone.model.component import NEVER, Block, Described, Likeness, Linked, Placed
from touchstone.model.identifier import kind_of
from touchstone.model.message import Close, Compare, Drop, IdentityMessage, Match, MatchMessage, Withdraw
from touchstone.observe.metrics import CLOSED_BLOCKS, COMPARED, LIKENESSES, WEIGHED_PAIRS, Counts
from touchstone.state.store import Store

BATCH = 1_000
"""So many wait at most, each once a block (about a hundred descriptions); then they are compared, though the transaction goes on. A comparison
has a fixed cost of several milliseconds."""

_MARGIN = 1e-6
"""Bits. A pair is weighed to a billionth of a bit in a batch."""

Send = Callable[[IdentityMessage], None]


class MatchPartition:
    """The match stage of one partition. Its rows are its only memory between transactions."""

    def __init__(self, store: Store, matcher: "Matcher") -> None:
        self._store = store
        self._matcher = matcher

    def handle(self, message: MatchMessage, send: Send) -> None:
        """A record comes into its block, to be compared before the commit; or it is forgotten."""
        header: Block = self._store.get(message.to, "h") or Block()
        if header.is_closed:
            self._matcher.turned_away += isinstance(message, Compare)
            if isinstance(message, Withdraw):
                self._store.scrub(message.to)  # its rows were deleted when it closed, and their bytes may lie on the disk still
            return
        if isinstance(message, Compare):
            self._place(message.to, header, message.described, send)
        else:
            self._withdraw(message, header, send)

    def _place(self, block: str, header: Block, said: Described, send: Send) -> None:
        """Put a record into its block.

        A block that grows past its limit is closed for ever: what its records have in common says nothing. Whoever was told of a likeness
        found here hears of it.
        """
        name = row_name(said.identifier, said.record)
        known: Placed | None = self._store.get(block, name)
        if known is None or not known.is_counted:
            header.count += 1
            if header.count > self._matcher.limit:
                self._close(block, send)
                return
            self._store.put(block, "h", header)
        self._matcher.arrived += 1
        known = known or Placed(replace(said, values={}, value=None))
        before, until = known.described, NEVER if known.until is None else known.until
        known.is_counted = True
        if said.values and said.latest > until:
            at = min(before.at, said.at) if before.values else said.at
            known.described = replace(said, at=at, last=max(before.latest, said.latest) if before.values else said.latest)
        self._store.put(block, name, known)  # before it waits: a full batch is compared at once, and only what is in its row
        # Whoever is the first has nobody to be compared with; whoever comes later is compared with them. Most are the first.
        if header.count > 1 and known.described.values and (not before.values or known.described != before):
            self._matcher.add(self, block, known.described, send)

    def _withdraw(self, message: Withdraw, header: Block, send: Send) -> None:
        """A record is forgotten up to then, here and where it was told of; it still counts. The one who forgets may overtake what is forgotten."""
        block, x, record, until = message.to, message.identifier, message.record, message.until
        name = row_name(x, record)
        known: Placed = self._store.get(block, name) or Placed(Described(x, record, {}, until), is_counted=False)
        if known.until is not None and known.until >= until:
            return
        known.until, known.described = until, known.described.forgotten(until)
        if not header.count:
            self._store.put(block, "h", header)  # without it the block would have no rows (model/component.py), and this one be overlooked
        self._store.put(block, name, known)
        self._store.scrub(block)
        for linked, _ in self._store.scan(block, "l"):
            send(Drop(linked[1:], x, record, until))

    def others(self, block: str, described: Described) -> Iterator[Described]:
        """Records of others who may be the same person that are in the block now; none once it is closed."""
        kind = kind_of(described.identifier)
        is_unique = kind in self._matcher.unique
        for _, placed in self._store.scan(block, "r"):
            other = placed.described
            if other.values and other.identifier != described.identifier and not (is_unique and kind_of(other.identifier) == kind):
                yield other

    def stands(self, block: str, described: Described) -> bool:
        """Whether the record is still there: it may have been forgotten, or the block closed, since it began to wait."""
        placed: Placed | None = self._store.get(block, row_name(described.identifier, described.record))
        return placed is not None and bool(placed.described.values)

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

    `strength` of an identifier key: smaller is stronger; `unique` kinds: two values of one are two people, however alike. What it does goes into
    `counts` before each commit; `arrived`, `turned_away` and `closed` are what came to open blocks of its partitions, what came to closed ones, and how many it closed, since then. `seconds`: what all
    of its comparing has taken.
    """

    def __init__(
        self, judge: Judge, limit: int, strength: Callable[[str], Any], counts: Counts | None = None, unique: Collection[str] = ()
    ) -> None:
        self.limit = limit
        self.unique = frozenset(unique)
        self.arrived = self.turned_away = self.closed = 0
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
        self._count()
        return bool(waiting)

    def _compare(self, waiting: "list[tuple[MatchPartition, str, Described]]", send: Send) -> None:
        meetings = _Meetings()
        for partition, block, described in waiting:
            for other in partition.others(block, described) if partition.stands(block, described) else ():
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
        self.arrived = self.turned_away = self.closed = 0

    def _count(self) -> None:
        for metric, labels, number in (
            (COMPARED, ("open",), self.arrived),
            (COMPARED, ("closed",), self.turned_away),
            (CLOSED_BLOCKS, (), self.closed),
        ):
            if number:
                self._counts.add(metric, *labels, by=number)
        self.arrived = self.turned_away = self.closed = 0

    def _say(self, couple: list[Described], score: float, places: dict[str, MatchPartition], send: Send) -> None:
        strong, weak = sorted(couple, key=lambda described: self._strength(described.identifier))
        for block, partition in places.items():
            partition.link(block, weak.identifier)
        pair = weak.record, strong.record
        at, lasts = max(weak.at, strong.at), (weak.latest, strong.latest)
        likeness = Likeness(weak.identifier, strong.identifier, pair, score, at, tuple(sorted(places)), lasts)
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
        return [Record(row_name(described.identifier, described.record), described.values) for described in self.described]

    def _number(self, described: Described) -> int:
        name = described.identifier, described.record
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self.described)
            self.described.append(described)
        elif described != self.described[number]:  # one of two blocks has heard of it at another time
            known = self.described[number]
            self.described[number] = replace(known, at=min(known.at, described.at), last=max(known.latest, described.latest))
        return number


def row_name(identifier: str, record: str) -> str:
    """The row of a record in a block."""
    return f"r{identifier}\x1f{record}"

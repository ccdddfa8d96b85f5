"""A component's state: typed access to its rows, how two are joined, and how one is cut in pieces to move.

Evidence and book rows are join semilattices: sets joined by union, times by minimum and maximum, statements by the higher revision.
Doing it twice or in another order changes nothing, so pieces may be repeated and may overtake each other.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from touchstone.journey.likeness_rows import LikenessRows
from touchstone.journey.retention import group_name, group_of
from touchstone.model.component import (
    JOURNEY_ROWS,
    NEVER,
    Closed,
    Described,
    Edge,
    Header,
    Held,
    Likeness,
    Node,
    Recalled,
    Request,
    Ruling,
    SaidCustomer,
    SaidMoment,
    SaidReview,
    Staged,
    Variant,
)
from touchstone.model.message import Piece, Recall
from touchstone.model.touchpoint import Touchpoint

PIECE_BYTES = 192 * 1024
"""A piece closes when it has grown past this: with one record of at most 64 KiB on top it stays under 256 KiB."""

_MOVED = "cmovrqnedklat"
"""What travels, in this order: what was published first, so that the receiver knows it before it could say anything itself."""

_OTHER = "\x1f"
"""In the name of a row: behind the key, in front of the group; no source nor id holds it."""

_encode = msgspec.msgpack.Encoder().encode
_decoders: dict[str, msgspec.msgpack.Decoder[Any]] = {tag: msgspec.msgpack.Decoder(row) for tag, row in JOURNEY_ROWS.items()}


class Component(LikenessRows):
    """The rows of one component, and what they know."""

    __slots__ = ()

    # -- evidence ------------------------------------------------------------------------------------------------------------
    def add_seen(self, identifier: str, since: int, value: str | None = None, last: int | None = None) -> bool:
        """The identifier exists since then at the latest, was made from this value and seen last then. True when that says something new.

        A value that was forgotten is taken from what was seen since then, and from nothing else.
        """
        node = self.node(identifier) or Node()
        before = node.since, node.last, node.value
        node.since = since if node.since is None else min(since, node.since)
        node.last = latest(node.last, last)
        if value is not None and (node.until is None or (last is not None and last > node.until)):
            node.value = value
        if (node.since, node.last, node.value) == before:
            return False
        self.put_node(identifier, node)
        return node.since != before[0] or (node.until is not None and node.last != before[1])

    def add_generic(self, identifier: str) -> bool:
        """The identifier unites nobody. True when that is news."""
        node = self.node(identifier) or Node()
        if node.is_generic:
            return False
        node.is_generic = True
        self.put_node(identifier, node)
        return True

    def add_edge(self, edge: Edge) -> bool:
        """Two identifiers belong together. True when the pair is new, or its times, which only widen, matter."""
        name = edge_name(edge.weak, edge.strong)
        known = self.get(name)
        if known is None:
            self.put(name, edge)
            return True
        if edge.first < known.first or known.last < edge.last:
            known.first, known.last = min(known.first, edge.first), max(known.last, edge.last)
            self.put(name, known)
            return self.header().has_erased
        return False

    def add_request(self, identifier: str, request: Request) -> bool:
        """Somebody is to be forgotten. True when that is news."""
        name = "q" + identifier
        known: Request | None = self.get(name)
        if known is not None and (known.until, known.command) >= (request.until, request.command):
            return False
        self.put(name, request)
        self._note_erased()
        return True

    def add_forgotten(self, identifier: str, until: int) -> bool:
        """The identifier is forgotten up to then. True when that is news."""
        node = self.node(identifier) or Node()
        if node.until is not None and node.until >= until:
            return False
        node.until = until
        self.put_node(identifier, node)
        self._note_erased()
        return True

    def remember(self, touchpoint: Touchpoint, *, anchor: str | None = None) -> None:
        """A touchpoint is not held any more: the times that it was witness to stay. `anchor`: where one that is forgotten was held."""
        at, identifiers = touchpoint.occurred_at, touchpoint.identifiers
        for n, x in enumerate(identifiers):
            node = self.node(x)
            if node is not None and (node.last is None or node.last < at or (x == anchor and not node.was_anchor)):
                node.last, node.was_anchor = latest(node.last, at), node.was_anchor or x == anchor
                self.put_node(x, node)
            for strong in identifiers[:n]:
                name = edge_name(x, strong)
                edge: Edge | None = self.get(name)
                if edge is not None and edge.last < at:
                    edge.last = at
                    self.put(name, edge)

    def _note_erased(self) -> None:
        header = self.header()
        if not header.has_erased:
            header.has_erased = True
            self.put_header(header)

    def add_ruling(self, ruling: Ruling) -> bool:
        """A steward's ruling; once undone it stays undone. True when that says something new."""
        name = f"a{ruling.pair[0]}\x1f{ruling.pair[1]}\x1f{ruling.command}\x1f{ruling.content}"
        known: Ruling | None = self.get(name)
        if known is None:
            self.put(name, ruling)
            return True
        undone = min((by for by in (known.undone_by, ruling.undone_by) if by is not None), default=None)
        known.reported = known.reported or ruling.reported
        if undone == known.undone_by:
            return False
        known.undone_by = undone
        self.put(name, known)
        return True

    def add_variant(self, index: int, touchpoint: Touchpoint, *, is_contested: bool = False) -> str:
        """Keep a touchpoint. Returns `new` (first under its key), `known` (nothing changed) or `changed`."""
        name = held_name(touchpoint)
        held: Held | None = self.get(name)
        if held is None:
            self.put(name, Held(Variant(index, touchpoint, is_contested)))
            return "new"
        if held.variant is None or group_of(held.variant.touchpoint) != group_of(touchpoint):
            if not held.has_others:
                held.has_others = True
                self.put(name, held)
            name = f"{name}{_OTHER}{group_name(touchpoint)}"
            held = self.get(name)
        if held is None or held.variant is None:
            self.put(name, Held(Variant(index, touchpoint, is_contested)))
            return "changed"
        known = held.variant
        first = min(known.touchpoint, touchpoint, key=_precedence)
        other = touchpoint if first is known.touchpoint else known.touchpoint
        if other.occurred_at > first.occurred_at:
            self.remember(other)
        is_contested |= known.is_contested or known.touchpoint.content != touchpoint.content
        if first is known.touchpoint and known.index >= index and known.is_contested == is_contested:
            return "known"
        held.variant = Variant(max(known.index, index), first, is_contested)
        self.put(name, held)
        return "changed"

    def drop_variants(self, dropped: Collection[str], held: Mapping[str, Held]) -> None:
        """Remove these rows, of all that hold touchpoints; a first row stays without its statement while there are others under its key."""
        others = {key_row(name) for name in held if _OTHER in name and name not in dropped}
        for name, row in held.items():
            if _OTHER in name:
                if name in dropped:
                    self.delete(name)
            elif name in dropped or row.variant is None:
                if name not in others:
                    self.delete(name)
                elif row.variant is not None:
                    row.variant = None
                    self.put(name, row)

    def mark_reported(self, name: str) -> None:
        """A conflict under this key was said; `name` is its first row's."""
        first: Held = self.get(name) or Held(None)
        first.is_reported = True
        self.put(name, first)

    # -- moving --------------------------------------------------------------------------------------------------------------
    def leave_for(self, root: str, as_of: int) -> Iterator[Piece]:
        """Cut the component in pieces for `root`, remove it here and leave a redirect."""
        everything = self.rows("")
        moving = sorted((item for item in everything if item[0][0] in _MOVED), key=lambda item: _MOVED.index(item[0][0]))
        moved = [(name, _encode(row)) for name, row in moving]
        chunks: list[list[tuple[str, bytes]]] = [[]]
        size = 0
        for name, row in moved:
            if size > PIECE_BYTES:
                chunks.append([])
                size = 0
            chunks[-1].append((name, row))
            size += len(name) + len(row) + 8
        staged = [row for name, row in everything if name[0] == "s"]
        header = self.header()
        if header.timer is not None:
            self._store.clear_timer(header.timer, self.root)
        for name, _ in everything:
            self.delete(name)
        self.put_header(Header(redirect=root))
        for number, rows in enumerate(chunks):
            yield Piece(root, self.root, number, len(chunks), max(as_of, header.as_of), tuple(rows))
        for row in staged:  # parts of others that were on their way here
            yield Piece(root, row.source, row.number, row.total, row.as_of, row.rows)

    def stage(self, piece: Piece) -> frozenset[str] | None:
        """Keep a piece until all of its component are here; then join them.

        Returns the customer ids of whom the other half has said moments, or None while pieces are missing.
        """
        if piece.total > 1:
            self.put(f"s{piece.source}\x1f{piece.number:06}", Staged(piece.source, piece.number, piece.total, piece.as_of, piece.rows))
            staged = [(name, row) for name, row in self.rows(f"s{piece.source}\x1f") if row.source == piece.source]
            if len(staged) < piece.total:
                return None
        else:
            staged = [("", piece)]
        header = self.header()
        if piece.as_of > header.as_of:
            header.as_of = piece.as_of
            self.put_header(header)
        for name, part in staged:
            for row_name, row in part.rows:
                self._join(row_name, _decoders[row_name[0]].decode(row))
            if name:
                self.delete(name)
        return frozenset(customer_of(row_name) for _, part in staged for row_name, _ in part.rows if row_name[0] in "mo")

    def _join(self, name: str, row: Any) -> None:
        match row:
            case Node():
                self._join_node(name[1:], row)
            case Request():
                self.add_request(name[1:], row)
            case Edge():
                self.add_edge(row)
            case Likeness():
                self.add_likeness(row, ())
            case Described():
                self.add_described(row)
            case Closed(until=None):
                self.add_closed(name[1:])
            case Closed(until=int(until)):
                identifier, _, record = name[1:].partition("\x1f")
                self.add_dropped(identifier, record, until)
            case Ruling():
                self.add_ruling(row)
            case Held():
                self._take_in(name, row)
            case SaidMoment() | SaidCustomer() | SaidReview():
                self._hear(name, row)
            case Recalled():
                self._await(name, row)

    # -- what was said before a loss of state ----------------------------------------------------------------------------------
    def add_recall(self, message: Recall) -> None:
        """Keep what was read back until its time has come."""
        self._await(f"r{message.customer_id}/{message.number}", Recalled(message.not_before, message.rows))

    def hear_recalled(self, now: int) -> frozenset[str]:
        """Take into the book what is to be heard by now. Returns the customer ids concerned.

        It was said before anything that this component has said since: where that has the higher revision, it stands in the topic as the
        last word and readers believe it. Only where the clock that made revisions went back the truth must be said again.
        """
        header = self.header()
        if header.hears_at is None or header.hears_at > now:
            return frozenset()
        concerned: set[str] = set()
        later: list[int] = []
        for name, recalled in self.rows("r"):
            if recalled.not_before > now:
                later.append(recalled.not_before)
                continue
            self.delete(name)
            concerned.add(customer_of(name))
            for row_name, row in recalled.rows:
                said = _decoders[row_name[0]].decode(row)
                mine = self.get(row_name)
                if mine is None or mine.revision <= said.revision:
                    said.must_repeat = mine is not None
                    self.put(row_name, said)
        header.hears_at = min(later, default=None)
        self.put_header(header)
        return frozenset(concerned)

    def _await(self, name: str, recalled: Recalled) -> None:
        self.put(name, recalled)
        header = self.header()
        if header.hears_at is None or recalled.not_before < header.hears_at:
            header.hears_at = recalled.not_before
            self.put_header(header)

    def _take_in(self, name: str, row: Held) -> None:
        if row.variant is not None:
            self.add_variant(row.variant.index, row.variant.touchpoint, is_contested=row.variant.is_contested)
        if row.is_reported:
            self.mark_reported(key_row(name))

    def _join_node(self, identifier: str, other: Node) -> None:
        if other.until is not None:
            self.add_forgotten(identifier, other.until)
        if other.since is not None:
            self.add_seen(identifier, other.since, None, other.last)
        if other.is_generic:
            self.add_generic(identifier)
        node = self.node(identifier) or Node()
        node.last, node.was_anchor = latest(node.last, other.last), node.was_anchor or other.was_anchor
        if node.until is None or node.until == other.until:
            node.value = node.value or other.value
        node.reported = node.reported or other.reported
        self.put_node(identifier, node)

    def _hear(self, name: str, said: SaidMoment | SaidCustomer | SaidReview) -> None:
        """Two statements of one id: the higher revision is what consumers believe; if they differ the truth must be said again, last."""
        mine = self.get(name)
        if mine is None:
            self.put(name, said)
        elif mine != said:
            higher = said if said.revision > mine.revision else mine
            higher.must_repeat = True
            self.put(name, higher)


def latest(one: int | None, other: int | None) -> int | None:
    """The later of two times, either of which may be unknown."""
    return max((at for at in (one, other) if at is not None), default=None)


def edge_name(weak: str, strong: str) -> str:
    """The row of a claim."""
    return f"e{weak}\x1f{strong}"


def held_name(touchpoint: Touchpoint) -> str:
    """The first row of a touchpoint's key."""
    return f"t{touchpoint.tenant}/{touchpoint.key}"


def key_row(name: str) -> str:
    """The name of the first row of the key whose row this is."""
    return name.partition(_OTHER)[0]


def review_row(pair: tuple[str, str]) -> str:
    """The row of what was said of two who look alike."""
    return f"v{pair[0]}\x1f{pair[1]}"


def customer_of(name: str) -> str:
    """The customer id in the name of a moment's row, as said on any output."""
    return name[1:].partition("/")[0]


def effective(header: Header, now: int) -> int:
    """Up to when a component is told: the clock of its partition, or what it brought along."""
    return max(header.as_of, now, NEVER)


def _precedence(touchpoint: Touchpoint) -> tuple[int, str, int]:
    """The order in which statements under one key count, as in `winners`; of equal ones the earliest sighting."""
    return touchpoint.occurred_at, touchpoint.content, touchpoint.received_at

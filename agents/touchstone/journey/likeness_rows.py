"""What a component knows of likeness: which rows it keeps of it, how they are joined, and how they are forgotten."""

from collections.abc import Callable, Iterable
from typing import cast

from msgspec.structs import replace

from touchstone.identity.evidence import NO_LIKENESSES, Likenesses
from touchstone.journey.rows import Rows
from touchstone.model.component import NEVER, Closed, Described, Likeness


class LikenessRows(Rows):
    """Likenesses, the records that they go by, and what is closed or forgotten of both. Joined by union, minimum and maximum, like all evidence."""

    __slots__ = ()

    def add_likeness(self, likeness: Likeness, records: Iterable[Described]) -> bool:
        """Two identifiers look alike by these records. True when that says something new: they met in another block, or at all."""
        ends = zip((likeness.weak, likeness.strong), likeness.records, likeness.lasts, strict=True)
        if any(last <= self._dropped(x, record) for x, record, last in ends):
            return False
        for described in records:
            self.add_described(described)
        name = f"l{likeness.weak}\x1f{likeness.strong}\x1f{likeness.records[0]}\x1f{likeness.records[1]}"
        known: Likeness | None = self.get(name)
        if known is None:
            self.put(name, likeness)
            return True
        blocks = tuple(sorted({*known.blocks, *likeness.blocks}))
        lasts = max(known.lasts[0], likeness.lasts[0]), max(known.lasts[1], likeness.lasts[1])
        at = min(known.at, likeness.at)
        if (blocks, lasts, at) == (known.blocks, known.lasts, known.at):
            return False
        known.blocks, known.lasts, known.at = blocks, lasts, at
        self.put(name, known)
        return True

    def add_described(self, described: Described) -> None:
        """Keep a record that some likeness goes by; of equal ones from when until when it was stated."""
        if described.latest <= self._dropped(described.identifier, described.record):
            return
        name = f"d{described.identifier}\x1f{described.record}"
        known: Described | None = self.get(name)
        if known is not None:
            described = replace(described, at=min(known.at, described.at), last=max(known.latest, described.latest))
        if described != known:
            self.put(name, described)

    def add_dropped(self, identifier: str, record: str, until: int) -> bool:
        """A record is forgotten up to then, and what was found by it. True when that is news."""
        if self._dropped(identifier, record) >= until:
            return False
        self.put(f"k{identifier}\x1f{record}", Closed(until))
        self.drop_likenesses(lambda x, name: until if (x, name) == (identifier, record) else NEVER)
        return True

    def drop_likenesses(self, forgotten: Callable[[str, str], int]) -> None:
        """Remove records that were last stated when they are forgotten, and what was found by them. `forgotten`: up to when, by identifier
        and record.
        """
        for name, likeness in self.rows("l"):
            ends = zip((likeness.weak, likeness.strong), likeness.records, likeness.lasts, strict=True)
            if any(last <= forgotten(x, record) for x, record, last in ends):
                self.delete(name)
        for name, described in self.rows("d"):
            if described.latest <= forgotten(described.identifier, described.record):
                self.delete(name)

    def _dropped(self, identifier: str, record: str) -> int:
        closed: Closed | None = self.get(f"k{identifier}\x1f{record}")
        node = self.node(identifier)
        return max(
            NEVER if closed is None or closed.until is None else closed.until,
            NEVER if node is None or node.until is None else node.until,
        )

    def described(self, identifier: str, record: str) -> Described:
        """A record that a likeness goes by; it came with it."""
        return cast("Described", self.get(f"d{identifier}\x1f{record}"))

    def value_described(self, identifier: str) -> str | None:
        """What the key of an identifier was made from of which there are records here; it may live elsewhere."""
        return next((row.value for _, row in self.rows(f"d{identifier}\x1f") if row.value is not None), None)

    def add_closed(self, block: str) -> bool:
        """What was found in this block alone counts no more. True when that is news."""
        name = "k" + block
        if self.get(name) is not None:
            return False
        self.put(name, Closed())
        return True

    def sweep(self) -> None:
        """Keep nothing of likenesses that count no more because their blocks are closed, and no record that none goes by."""
        found = dict(self.rows("l"))
        closed = self._closed()
        alive = {name: likeness for name, likeness in found.items() if not closed.issuperset(likeness.blocks)}
        used = {f"d{x}\x1f{record}" for one in alive.values() for x, record in zip((one.weak, one.strong), one.records, strict=True)}
        for name in [*(found.keys() - alive.keys()), *(name for name, _ in self.rows("d") if name not in used)]:
            self.delete(name)

    def _closed(self) -> frozenset[str]:
        return frozenset(name[1:] for name, _ in self.rows("k"))

    def likenesses(self) -> Likenesses:
        """All that is known of likeness."""
        found = [row for _, row in self.rows("l")]
        if not found:
            return NO_LIKENESSES
        return Likenesses(found, [row for _, row in self.rows("d")], self._closed())

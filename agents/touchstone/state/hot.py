"""Groups of rows in memory, as far as anybody has asked for them; the rest is in a backend that keeps bytes.

In memory a group is one object with its rows by tag; it also remembers what it knows to be complete, so that a miss or a scan needs the
backend only once. Rows that were read in passing stay bytes until somebody asks for them. Everything about a group lives and dies with
that object, which is what makes eviction safe.
"""

from collections.abc import Collection
from itertools import islice
from typing import Any

from touchstone.state.backend import Backend
from touchstone.state.keys import after, encode_text, group_prefix
from touchstone.state.rowcodec import RowCodec

# The first question about a group reads one row (1-3 µs): often there is no other. When it is not there, or with the second question, so
# many rows are read at once: one seek (7 µs) answers all later questions about a group that is new or small.
_PEEK = 16
_NO_TAGS: frozenset[str] = frozenset()  # an empty set of its own would be a third of a small group's memory


class Group:
    """The rows of one group as far as they are known in memory; a row that is None is known not to exist."""

    __slots__ = ("complete", "dirty", "is_new", "is_read", "is_whole", "prefix", "raw", "rows", "sealed", "used")

    def __init__(self, prefix: bytes, used: int) -> None:
        self.prefix = prefix
        self.used = used  # the epoch (commit) in which it was last touched
        self.rows: dict[str, dict[str, Any]] = {}  # tag -> name -> row
        self.raw: dict[str, bytes] = {}  # name -> a row of the backend that nobody has asked for; never in rows as well
        self.dirty: dict[str, None] = {}  # a dictionary, because the order of the changelog must not depend on hashes
        self.sealed: Collection[str] = ()  # names that a commit is carrying to the backend; they may be dirty again
        self.complete: frozenset[str] = _NO_TAGS  # tags of which every row is in memory
        self.is_whole = False  # every row is in memory
        self.is_read = False  # the first rows were read
        self.is_new = False  # the backend has no row of it


class HotGroups:
    """The groups that are in memory, in the order in which they were last used.

    Args:
        backend: where all rows are that a commit has brought there.
        codec: turns bytes into rows.
    """

    def __init__(self, backend: Backend, codec: RowCodec) -> None:
        self._backend = backend
        self._codec = codec
        self.groups: dict[str, Group] = {}
        """Always the same dictionary: the store looks into it without asking."""
        self.in_memory = 0
        """Groups and rows, known absences too."""

    def enter(self, group: str, epoch: int) -> Group:
        """Begin to know a group, of which nothing is known yet."""
        entry = self.groups[group] = Group(group_prefix(group), epoch)
        self.in_memory += 1
        return entry

    def refresh(self, group: str, entry: Group, epoch: int) -> None:
        """The group is used in this epoch: it moves to the end of the order in which groups are evicted."""
        entry.used = epoch
        del self.groups[group]
        self.groups[group] = entry

    def open_tag(self, entry: Group, tag: str) -> dict[str, Any]:
        """The rows of the tag that are in memory, to be changed in place.

        Raises:
            InvariantBroken: there are no rows with this tag.
        """
        rows = entry.rows.get(tag)
        if rows is None:
            self._codec.check(tag)
            rows = entry.rows[tag] = {}
        return rows

    def fetch(self, entry: Group, name: str) -> Any | None:
        """A row that is not at hand: read in passing, known to be absent, or in the backend."""
        if not entry.is_read and name not in entry.raw:
            if not entry.rows and (raw := self._backend.get(entry.prefix + encode_text(name, "name"))) is not None:
                self.in_memory += 1
                entry.raw[name] = raw
            elif name in self._codec.heads and not entry.rows:  # no head, no rows: nothing of it is to be read
                entry.is_read = entry.is_whole = entry.is_new = True
            elif name not in self.open_tag(entry, name[:1]):
                self._read_first(entry)
        raw = entry.raw.pop(name, None)
        rows = self.open_tag(entry, name[:1])
        if raw is None:
            if name in rows or entry.is_whole or name[:1] in entry.complete:
                return rows.get(name)
            raw = self._backend.get(entry.prefix + encode_text(name, "name"))
            self.in_memory += 1
        row = rows[name] = None if raw is None else self._codec.decoded(name[:1], raw)
        return row

    def complete(self, entry: Group, tag: str) -> None:
        """Bring every row of the tag into memory; of the group, if the tag is empty."""
        if tag:
            self.open_tag(entry, tag)
            if not entry.is_read:
                self._read_first(entry)
            if entry.is_whole:
                return
        prefix = entry.prefix + encode_text(tag, "tag")
        found = list(self._backend.scan(prefix, after(prefix)))
        self._add(entry, found)
        if tag:
            entry.complete |= {tag}
        else:
            entry.is_read = entry.is_whole = True
            entry.is_new = not (found or entry.sealed)

    def decode_all(self, entry: Group, tag: str) -> None:
        """Decode what was read in passing under this tag."""
        for name in [name for name in entry.raw if name.startswith(tag)]:
            row = self._codec.decoded(name[:1], entry.raw[name])
            entry.rows.setdefault(name[:1], {})[name] = row
            del entry.raw[name]

    def written(self, entry: Group) -> None:
        """What was sealed of the group is in the backend: what was deleted needs no memory any more."""
        for name in entry.sealed:
            if name not in entry.dirty:
                rows = entry.rows[name[:1]]
                if rows[name] is None:
                    del rows[name]
                    self.in_memory -= 1
        entry.sealed = ()

    def evict(self, keep: int) -> None:
        """Drop the groups that were not used for the longest time, whole groups only, none that holds what is in no backend yet."""
        gone = []
        for group, entry in self.groups.items():
            if self.in_memory <= keep:
                break
            if entry.dirty:
                continue
            self.in_memory -= 1 + len(entry.raw) + sum(map(len, entry.rows.values()))
            gone.append(group)
        for group in gone:
            del self.groups[group]

    def forget(self) -> None:
        """Drop all groups, also what is in no backend yet."""
        self.groups.clear()
        self.in_memory = 0

    def _read_first(self, entry: Group) -> None:
        """Read the first rows of the group; when these are all, the group is whole."""
        found = list(islice(self._backend.scan(entry.prefix, after(entry.prefix)), _PEEK + 1))
        entry.is_read = True
        if len(found) <= _PEEK:
            self._add(entry, found)
            entry.is_whole = True
            entry.is_new = not (found or entry.sealed)

    def _add(self, entry: Group, found: list[tuple[bytes, bytes]]) -> None:
        """Take rows of the backend over, unless memory knows them better."""
        start, rows, raw = len(entry.prefix), entry.rows, entry.raw
        for key, value in found:
            name = key[start:].decode()
            known = rows.get(name[:1])
            if (known is None or name not in known) and name not in raw:
                raw[name] = value
                self.in_memory += 1

"""Rows as objects, hot in memory, over a backend that keeps bytes.

In memory a group is one object with its rows by tag; it also remembers what it knows to be complete, so that a miss or a scan needs the
backend only once. Rows that were read in passing stay bytes until somebody asks for them. Everything about a group lives and dies with
that object, which is what makes eviction safe.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from touchstone.errors import InvariantBroken, StateUnusable
from touchstone.state.backend import Backend, Entry
from touchstone.state.keys import ROW, after, encode_text, group_prefix, meta_key, row_of
from touchstone.state.timers import Timers

# The first question about a group reads one row (1-3 µs): often there is no other. When it is not there, or with the second question, so
# many rows are read at once: one seek (7 µs) answers all later questions about a group that is new or small.
_PEEK = 16
_KEPT_SHARE = 0.75
_ABSENT = object()
_NO_TAGS: frozenset[str] = frozenset()  # an empty set of its own would be a third of a small group's memory


class _Group:
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


class RowStore:
    """A `CommittedStore`: typed rows, named values and timers of one stage in one partition.

    Args:
        backend: where the bytes are; owned by the store from now on.
        row_types: tag (first character of a row's name) -> type of its rows, anything that msgspec supports.
        hot_rows: how many rows may stay in memory after a commit; None keeps all.
    """

    def __init__(self, backend: Backend, row_types: Mapping[str, Any], hot_rows: int | None = 50_000) -> None:
        for tag in row_types:
            if len(tag) != 1:
                raise InvariantBroken(f"expected tags of one character, found {tag!r}")
        self._backend = backend
        self._hot_rows = hot_rows
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = {tag: msgspec.msgpack.Decoder(kind).decode for tag, kind in row_types.items()}
        self._structs = {tag: kind for tag, kind in row_types.items() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)}
        self._timers = Timers(backend)
        self._groups: dict[str, _Group] = {}
        self._dirty: dict[str, _Group] = {}
        self._meta: dict[str, bytes] = {}
        # What a commit is carrying to the backend: its entries, and where in memory they came from.
        self._sealed: list[Entry] | None = None
        self._sealed_groups: dict[str, _Group] = {}
        self._sealed_meta: dict[str, bytes] = {}
        self._epoch = 0
        self._in_memory = 0  # groups and rows, known absences too

    # Rows: what a stage sees

    def get(self, group: str, name: str) -> Any | None:
        """The row, or None."""
        entry = self._groups.get(group)
        if entry is None:
            entry = self._enter(group)
        if entry.used != self._epoch:
            self._refresh(group, entry)
        rows = entry.rows.get(name[:1])
        if rows is not None:
            row = rows.get(name)
            if row is not None:
                return row
        return self._fetch(entry, name)

    def put(self, group: str, name: str, row: Any) -> None:
        """Write a row; it is visible at once and durable after the commit."""
        if row is None:
            raise InvariantBroken(f"expected a row to put at {name[:1]!r}, found None; delete() removes a row")
        entry = self._groups.get(group)
        if entry is None:
            entry = self._enter(group)
        if entry.used != self._epoch:
            self._refresh(group, entry)
        rows = entry.rows.get(name[:1])
        if rows is None:
            rows = self._open_tag(entry, name[:1])
        if name not in rows and entry.raw.pop(name, None) is None:
            self._in_memory += 1
        rows[name] = row
        if not entry.dirty:
            self._dirty[group] = entry
        entry.dirty[name] = None

    def delete(self, group: str, name: str) -> None:
        """Remove a row; removing what is not there does nothing."""
        entry = self._groups.get(group) or self._enter(group)
        if entry.used != self._epoch:
            self._refresh(group, entry)
        tag = name[:1]
        rows = entry.rows.get(tag)
        if rows is None:
            rows = self._open_tag(entry, tag)
        row = entry.raw.pop(name, None) or rows.get(name, _ABSENT)
        if row is None or (row is _ABSENT and (entry.is_whole or tag in entry.complete)):
            return
        if entry.is_new:
            # It was never committed, so there is nothing to delete on disk or in the changelog.
            del rows[name]
            del entry.dirty[name]
            self._in_memory -= 1
            if not entry.dirty:
                del self._dirty[group]
            return
        self._in_memory += row is _ABSENT
        rows[name] = None
        if not entry.dirty:
            self._dirty[group] = entry
        entry.dirty[name] = None

    def scan(self, group: str, tag: str) -> list[tuple[str, Any]]:
        """All rows whose name begins with `tag` (of any length; empty for the whole group), in the order of their names."""
        entry = self._groups.get(group) or self._enter(group)
        if entry.used != self._epoch:
            self._refresh(group, entry)
        first = tag[:1]
        if not entry.is_whole and first not in entry.complete:
            self._complete(entry, first)
        if entry.raw:
            self._decode_all(entry, tag)
        found: list[tuple[str, Any]]
        if not tag:
            found = [item for rows in entry.rows.values() for item in rows.items() if item[1] is not None]
        elif rows := entry.rows.get(first):
            found = [item for item in rows.items() if item[1] is not None and item[0].startswith(tag)]
        else:
            return []
        found.sort(key=_name)  # by code point, which is the order of the UTF-8 bytes
        return found

    # Timers

    def set_timer(self, at: int, group: str) -> None:
        """Remember to wake the group at this time (milliseconds)."""
        self._timers.set(at, group)

    def clear_timer(self, at: int, group: str) -> None:
        """Forget a timer; forgetting what is not there does nothing."""
        self._timers.clear(at, group)

    def due(self, until: int, limit: int) -> list[tuple[int, str]]:
        """The timers with `at <= until`, earliest first, at most `limit`. They stay until they are cleared."""
        return self._timers.due(until, limit)

    def groups(self) -> Iterator[str]:
        """Every group that has rows, in order; reads every key, for checks and tests."""
        changed = {group: {*entry.dirty, *entry.sealed} for group, entry in (*self._sealed_groups.items(), *self._dirty.items())}
        found = {group for group, names in changed.items() if any(_row(self._groups[group], name) is not None for name in names)}
        for key, _ in self._backend.scan(ROW, after(ROW)):
            group, name = row_of(key)
            if name not in changed.get(group, ()):
                found.add(group)
        return iter(sorted(found))

    # Named values of the runtime

    def get_meta(self, name: str) -> bytes | None:
        """A small named value, or None. It travels with the changelog like a row."""
        value = self._meta.get(name, self._sealed_meta.get(name))
        return self._backend.get(meta_key(name)) if value is None else value

    def put_meta(self, name: str, value: bytes) -> None:
        """Write a named value; pending like a row."""
        self._meta[name] = value

    # Commit: what the runtime sees

    @property
    def offset(self) -> int:
        """The next offset to read from the changelog; 0 for an empty store."""
        return self._backend.offset

    def seal(self) -> list[Entry]:
        """What changed since the last seal, each key once, encoded once: from now on what changes belongs to the commit after this one.

        Raises:
            InvariantBroken: a row is not of its tag's type, or cannot be encoded; or what was sealed before is not committed yet.
        """
        if self._sealed:
            raise InvariantBroken(
                f"expected what was sealed to be committed before more is, found {len(self._sealed)} entries on their way"
            )
        sealed: list[Entry] = []
        for entry in self._dirty.values():
            self._encode_group(entry, sealed)
        sealed.extend(self._timers.seal())
        sealed.extend((meta_key(name), value) for name, value in self._meta.items())
        for entry in self._dirty.values():
            entry.sealed, entry.dirty = entry.dirty, {}
        self._sealed_groups, self._dirty = self._dirty, {}
        self._sealed_meta, self._meta = self._meta, {}
        self._sealed = sealed
        return sealed

    def commit(self, next_offset: int) -> None:
        """Make exactly what `seal` returned durable, together with the offset; then evict the groups that were not used for longest.

        Objects handed out before the commit may be evicted by it: get them again.

        Raises:
            InvariantBroken: nothing was sealed (what is not in the changelog may not be committed), or the offset goes back.
        """
        sealed, self._sealed = self._sealed, None
        if sealed is None:
            raise InvariantBroken("expected seal() before commit(), found none; what is not in the changelog may not be committed")
        if sealed or next_offset != self.offset:
            self._write(sealed, next_offset)
        for entry in self._sealed_groups.values():
            self._written(entry)
        self._sealed_groups = {}
        self._sealed_meta = {}
        self._timers.committed()
        self._epoch += 1
        if self._hot_rows is not None and self._in_memory > self._hot_rows:
            self._evict(int(self._hot_rows * _KEPT_SHARE))

    def rollback(self) -> None:
        """Forget what is pending, sealed or not, and every object handed out."""
        self._groups = {}
        self._dirty = {}
        self._meta = {}
        self._sealed = None
        self._sealed_groups = {}
        self._sealed_meta = {}
        self._in_memory = 0
        self._timers.forget()

    def load(self, records: list[Entry], next_offset: int) -> None:
        """Write records of the changelog in bulk (restore); forgets all hot rows.

        Raises:
            InvariantBroken: something is pending, or the offset goes back.
        """
        if self._sealed or self.seal():
            raise InvariantBroken(
                f"expected nothing pending before a restore, found {len(self._sealed or ())} changes; commit or roll back first"
            )
        self._write(records, next_offset)
        self.rollback()

    def close(self) -> None:
        """Release files and locks; nothing pending is kept."""
        self.rollback()
        self._backend.close()

    def wipe(self) -> None:
        """Throw everything away, on disk too, and start empty at offset 0."""
        self.rollback()
        self._backend.wipe()

    # Inside

    def _enter(self, group: str) -> _Group:
        entry = self._groups[group] = _Group(group_prefix(group), self._epoch)
        self._in_memory += 1
        return entry

    def _open_tag(self, entry: _Group, tag: str) -> dict[str, Any]:
        rows = entry.rows.get(tag)
        if rows is None:
            if tag not in self._decode:
                raise InvariantBroken(f"expected a row name that begins with one of {''.join(sorted(self._decode))!r}, found {tag!r}")
            rows = entry.rows[tag] = {}
        return rows

    def _fetch(self, entry: _Group, name: str) -> Any | None:
        """A row that is not at hand: read in passing, known to be absent, or in the backend."""
        if not entry.is_read and name not in entry.raw:
            if not entry.rows and (raw := self._backend.get(entry.prefix + encode_text(name, "name"))) is not None:
                self._in_memory += 1
                entry.raw[name] = raw
            elif name not in self._open_tag(entry, name[:1]):
                self._read_first(entry)
        raw = entry.raw.pop(name, None)
        rows = self._open_tag(entry, name[:1])
        if raw is None:
            if name in rows or entry.is_whole or name[:1] in entry.complete:
                return rows.get(name)
            raw = self._backend.get(entry.prefix + encode_text(name, "name"))
            self._in_memory += 1
        row = rows[name] = None if raw is None else self._decoded(name[:1], raw)
        return row

    def _read_first(self, entry: _Group) -> None:
        """Read the first rows of the group; when these are all, the group is whole."""
        found = list(islice(self._backend.scan(entry.prefix, after(entry.prefix)), _PEEK + 1))
        entry.is_read = True
        if len(found) <= _PEEK:
            self._add(entry, found)
            entry.is_whole = True
            entry.is_new = not (found or entry.sealed)

    def _complete(self, entry: _Group, tag: str) -> None:
        """Bring every row of the tag into memory; of the group, if the tag is empty."""
        if tag:
            self._open_tag(entry, tag)
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

    def _add(self, entry: _Group, found: list[tuple[bytes, bytes]]) -> None:
        """Take rows of the backend over, unless memory knows them better."""
        start, rows, raw = len(entry.prefix), entry.rows, entry.raw
        for key, value in found:
            name = key[start:].decode()
            known = rows.get(name[:1])
            if (known is None or name not in known) and name not in raw:
                raw[name] = value
                self._in_memory += 1

    def _decode_all(self, entry: _Group, tag: str) -> None:
        """Decode what was read in passing under this tag."""
        for name in [name for name in entry.raw if name.startswith(tag)]:
            row = self._decoded(name[:1], entry.raw[name])
            entry.rows.setdefault(name[:1], {})[name] = row
            del entry.raw[name]

    def _decoded(self, tag: str, raw: bytes) -> Any:
        decode = self._decode.get(tag)
        if decode is None:
            raise StateUnusable(self._backend.path, f"expected rows with a tag of {''.join(sorted(self._decode))!r}, found {tag!r}")
        try:
            return decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            # Not the error's own text: it may quote a value.
            raise StateUnusable(self._backend.path, f"a row with tag {tag!r} ({len(raw)} bytes) cannot be decoded as its type") from error

    def _encode_group(self, entry: _Group, sealed: list[Entry]) -> None:
        prefix, encode, structs = entry.prefix, self._encode, self._structs
        for name in entry.dirty:
            tag = name[:1]
            row = entry.rows[tag][name]
            if row is None:
                sealed.append((prefix + encode_text(name, "name"), None))
                continue
            expected = structs.get(tag)
            if expected is not None and type(row) is not expected:
                # Found now rather than after a restart, when the bytes in the changelog can no longer be decoded.
                raise InvariantBroken(f"expected {expected.__name__} in a row with tag {tag!r}, found {type(row).__name__}")
            try:
                sealed.append((prefix + encode_text(name, "name"), encode(row)))
                entry.is_new = False
            except (TypeError, ValueError, msgspec.MsgspecError) as error:
                raise InvariantBroken(
                    f"expected a row with tag {tag!r} that msgpack can hold, found {type(row).__name__}: {error}"
                ) from error

    def _write(self, entries: list[Entry], next_offset: int) -> None:
        if next_offset < self.offset:
            raise InvariantBroken(f"expected a changelog offset of at least {self.offset}, found {next_offset}; only wipe() goes back")
        self._backend.write(entries, next_offset)

    def _written(self, entry: _Group) -> None:
        """What was sealed of the group is in the backend: what was deleted needs no memory any more."""
        for name in entry.sealed:
            if name not in entry.dirty:
                rows = entry.rows[name[:1]]
                if rows[name] is None:
                    del rows[name]
                    self._in_memory -= 1
        entry.sealed = ()

    def _refresh(self, group: str, entry: _Group) -> None:
        """The group is used in this epoch: it moves to the end of the order in which groups are evicted."""
        entry.used = self._epoch
        del self._groups[group]
        self._groups[group] = entry

    def _evict(self, keep: int) -> None:
        """Drop the groups that were not used for the longest time, whole groups only, none that holds what is in no backend yet."""
        gone = []
        for group, entry in self._groups.items():
            if self._in_memory <= keep:
                break
            if entry.dirty:
                continue
            self._in_memory -= 1 + len(entry.raw) + sum(map(len, entry.rows.values()))
            gone.append(group)
        for group in gone:
            del self._groups[group]


def _name(item: tuple[str, Any]) -> str:
    return item[0]


def _row(entry: _Group, name: str) -> Any | None:
    return entry.rows[name[:1]][name]

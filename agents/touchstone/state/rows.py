"""Rows as objects: what is pending in memory (hot.py), and how a commit brings it to a backend that keeps bytes."""

from collections.abc import Iterator, Mapping
from typing import Any

from touchstone.errors import InvariantBroken
from touchstone.state.backend import Backend, Entry
from touchstone.state.hot import Group, HotGroups
from touchstone.state.keys import ROW, after, encode_text, group_prefix, meta_key, row_of
from touchstone.state.rowcodec import RowCodec
from touchstone.state.timers import Timers

_KEPT_SHARE = 0.75
_ABSENT = object()


class RowStore:
    """A `CommittedStore`: typed rows, named values and timers of one stage in one partition.

    Args:
        backend: where the bytes are; owned by the store from now on.
        row_types: tag (first character of a row's name) -> type of its rows, anything that msgspec supports.
        hot_rows: how many rows may stay in memory after a commit; None keeps all.
    """

    def __init__(self, backend: Backend, row_types: Mapping[str, Any], hot_rows: int | None = 50_000) -> None:
        self._backend = backend
        self._hot_rows = hot_rows
        self._codec = RowCodec(row_types, backend.path)
        self._timers = Timers(backend)
        self._hot = HotGroups(backend, self._codec)
        self._groups = self._hot.groups
        self._dirty: dict[str, Group] = {}
        self._meta: dict[str, bytes] = {}
        # What a commit is carrying to the backend: its entries, and where in memory they came from.
        self._sealed: list[Entry] | None = None
        self._sealed_groups: dict[str, Group] = {}
        self._sealed_meta: dict[str, bytes] = {}
        self._epoch = 0
        self._scrubbed: set[str] = set()
        self._sealed_scrubbed: set[str] = set()

    # Rows: what a stage sees

    def get(self, group: str, name: str) -> Any | None:
        """The row, or None."""
        entry = self._groups.get(group)
        if entry is None:
            entry = self._hot.enter(group, self._epoch)
        if entry.used != self._epoch:
            self._hot.refresh(group, entry, self._epoch)
        rows = entry.rows.get(name[:1])
        if rows is not None:
            row = rows.get(name)
            if row is not None:
                return row
        return self._hot.fetch(entry, name)

    def put(self, group: str, name: str, row: Any) -> None:
        """Write a row; it is visible at once and durable after the commit."""
        if row is None:
            raise InvariantBroken(f"expected a row to put at {name[:1]!r}, found None; delete() removes a row")
        entry = self._groups.get(group)
        if entry is None:
            entry = self._hot.enter(group, self._epoch)
        if entry.used != self._epoch:
            self._hot.refresh(group, entry, self._epoch)
        rows = entry.rows.get(name[:1])
        if rows is None:
            rows = self._hot.open_tag(entry, name[:1])
        if name not in rows and entry.raw.pop(name, None) is None:
            self._hot.in_memory += 1
        rows[name] = row
        if not entry.dirty:
            self._dirty[group] = entry
        entry.dirty[name] = None

    def delete(self, group: str, name: str) -> None:
        """Remove a row; removing what is not there does nothing."""
        entry = self._groups.get(group) or self._hot.enter(group, self._epoch)
        if entry.used != self._epoch:
            self._hot.refresh(group, entry, self._epoch)
        tag = name[:1]
        rows = entry.rows.get(tag)
        if rows is None:
            rows = self._hot.open_tag(entry, tag)
        row = entry.raw.pop(name, None) or rows.get(name, _ABSENT)
        if row is None or (row is _ABSENT and (entry.is_whole or tag in entry.complete)):
            return
        if entry.is_new:
            # It was never committed, so there is nothing to delete on disk or in the changelog.
            del rows[name]
            del entry.dirty[name]
            self._hot.in_memory -= 1
            if not entry.dirty:
                del self._dirty[group]
            return
        self._hot.in_memory += row is _ABSENT
        rows[name] = None
        if not entry.dirty:
            self._dirty[group] = entry
        entry.dirty[name] = None

    def scan(self, group: str, tag: str) -> list[tuple[str, Any]]:
        """All rows whose name begins with `tag` (of any length; empty for the whole group), in the order of their names."""
        entry = self._groups.get(group) or self._hot.enter(group, self._epoch)
        if entry.used != self._epoch:
            self._hot.refresh(group, entry, self._epoch)
        first = tag[:1]
        if not entry.is_whole and first not in entry.complete:
            self._hot.complete(entry, first)
        if entry.raw:
            self._hot.decode_all(entry, tag)
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

    def scrub(self, group: str) -> None:
        """After the commit, let what was once written of this group and is deleted or replaced leave the disk."""
        self._scrubbed.add(group)

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
        self._sealed_scrubbed, self._scrubbed = self._scrubbed, set()
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
            self._hot.written(entry)
        self._sealed_groups = {}
        self._sealed_meta = {}
        self._timers.committed()
        self._epoch += 1
        for group in self._sealed_scrubbed:
            prefix = group_prefix(group)
            self._backend.compact(prefix, after(prefix))
        self._sealed_scrubbed = set()
        if self._hot_rows is not None and self._hot.in_memory > self._hot_rows:
            self._hot.evict(int(self._hot_rows * _KEPT_SHARE))

    def rollback(self) -> None:
        """Forget what is pending, sealed or not, and every object handed out."""
        self._hot.forget()
        self._dirty = {}
        self._meta = {}
        self._sealed = None
        self._sealed_groups = {}
        self._sealed_meta = {}
        self._scrubbed, self._sealed_scrubbed = set(), set()
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

    def _encode_group(self, entry: Group, sealed: list[Entry]) -> None:
        prefix, encoded = entry.prefix, self._codec.encoded
        for name in entry.dirty:
            tag = name[:1]
            row = entry.rows[tag][name]
            if row is None:
                sealed.append((prefix + encode_text(name, "name"), None))
            else:
                sealed.append((prefix + encode_text(name, "name"), encoded(tag, row)))
                entry.is_new = False

    def _write(self, entries: list[Entry], next_offset: int) -> None:
        if next_offset < self.offset:
            raise InvariantBroken(f"expected a changelog offset of at least {self.offset}, found {next_offset}; only wipe() goes back")
        self._backend.write(entries, next_offset)


def _name(item: tuple[str, Any]) -> str:
    return item[0]


def _row(entry: Group, name: str) -> Any | None:
    return entry.rows[name[:1]][name]

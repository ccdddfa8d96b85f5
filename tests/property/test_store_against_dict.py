"""Law: a store is a dictionary with commits. Whatever is put, deleted, committed, forgotten, evicted, reopened or rebuilt from the
changelog, it answers as a dictionary would.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec import Struct

from touchstone.state.backend import Backend, Entry
from touchstone.state.memory import DictBackend
from touchstone.state.rocksdb import RocksBackend, RocksEnvironment, RocksOptions
from touchstone.state.rows import RowStore

# Opening a database syncs its files several times, which is most of the time of a test that reopens all the time.
MEMORY_DISK = "/dev/shm" if Path("/dev/shm").is_dir() else None


class Counter(Struct, array_like=True):
    """A row that rules change in place."""

    count: int
    note: str = ""


ROW_TYPES = {"c": Counter, "i": int, "l": list[str]}
ENVIRONMENT = RocksEnvironment(RocksOptions(write_buffer_bytes=64 << 10))  # small, so that files are flushed and merged under way

# Few groups and names, so that rules meet the same rows; the hostile spellings are in the contract suite. "many" outgrows the first look.
ALL_GROUPS = ["a", "a\x01", "many"]
GROUPS = st.sampled_from(ALL_GROUPS)
NUMBERS = [f"c{number:02}" for number in range(30)]
NAMES = st.sampled_from(["c00", "c29", "i", "i\x00", "l:a"])
TIMES = st.one_of(st.integers(-3, 6), st.sampled_from([-(1 << 63), (1 << 63) - 1]))
NOTES = st.text(max_size=3)


class StoreMachine(RuleBasedStateMachine):
    """The store under test beside dictionaries: `now_*` with what is pending, `kept_*` as of the last commit."""

    on_disk: ClassVar[bool]

    @initialize(hot_rows=st.sampled_from([None, 0, 3, 30]))
    def open(self, hot_rows: int | None) -> None:
        """Start empty."""
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY_DISK))
        self.memory = DictBackend()
        self.hot_rows = hot_rows
        self.store = self.reopened()
        self.now_rows: dict[tuple[str, str], Any] = {}
        self.now_timers: set[tuple[int, str]] = set()
        self.now_meta: dict[str, bytes] = {}
        self.changelog: list[Entry] = []
        self.offset = 0
        self.sealed: tuple[list[Entry], dict[tuple[str, str], Any], set[tuple[int, str]], dict[str, bytes]] | None = None
        self.kept_rows, self.kept_timers, self.kept_meta = dict(self.now_rows), set(self.now_timers), dict(self.now_meta)

    def reopened(self) -> RowStore:
        """A store over what was committed."""
        backend: Backend = RocksBackend(self.folder / "store", ENVIRONMENT) if self.on_disk else self.memory
        return RowStore(backend, ROW_TYPES, self.hot_rows)

    def forget(self) -> None:
        """The model's rollback."""
        self.sealed = None
        self.now_rows, self.now_timers, self.now_meta = dict(self.kept_rows), set(self.kept_timers), dict(self.kept_meta)

    def teardown(self) -> None:
        """At the end everything is compared, also after a commit, a reopen and a rebuild; leave nothing behind."""
        if hasattr(self, "store"):
            try:
                self.compare(["rows", "tags", "groups"])
                self.commit(1)
                self.compare(["groups"])
                self.reopen()
                self.compare(["tags", "rows"])
                self.rebuild(len(self.changelog) // 2)
                self.compare(["rows", "groups"])
            finally:
                self.store.close()
                shutil.rmtree(self.folder)

    def compare(self, ways: list[str]) -> None:
        """Everything that the store holds is what the dictionaries hold, whichever way it is read first."""
        for way in ways:
            for group in ALL_GROUPS:
                match way:
                    case "rows":
                        for name in [*NUMBERS, "i", "i\x00", "l:a"]:
                            self.get(group, name)
                    case "tags":
                        for tag in "cil":
                            self.scan(group, tag)
                    case _:
                        self.scan(group, "")
        self.groups()
        assert self.store.due((1 << 63) - 1, 1_000) == sorted(self.now_timers)

    @rule(group=GROUPS, name=NAMES, number=st.integers(0, 1 << 40), note=NOTES)
    def put(self, group: str, name: str, number: int, note: str) -> None:
        """Write a row."""
        match name[0]:
            case "c":
                self.store.put(group, name, Counter(number, note))
                self.now_rows[group, name] = (number, note)
            case "i":
                self.store.put(group, name, number)
                self.now_rows[group, name] = number
            case _:
                self.store.put(group, name, [note])
                self.now_rows[group, name] = [note]

    @rule(first=st.integers(0, 9), count=st.integers(15, 20))
    def put_many(self, first: int, count: int) -> None:
        """Make a group large."""
        for name in NUMBERS[first : first + count]:
            self.put("many", name, first, "")

    @rule(group=GROUPS, name=NAMES)
    def delete(self, group: str, name: str) -> None:
        """Remove a row that may not exist."""
        self.store.delete(group, name)
        self.now_rows.pop((group, name), None)

    @rule(number=st.integers(0, 1000))
    def delete_one(self, number: int) -> None:
        """Remove a row that exists."""
        if self.now_rows:
            self.delete(*list(self.now_rows)[number % len(self.now_rows)])

    @rule(group=GROUPS, name=NAMES)
    def get(self, group: str, name: str) -> None:
        """Read a row."""
        assert plain(self.store.get(group, name)) == self.now_rows.get((group, name))

    @rule(group=GROUPS, name=st.sampled_from(["c00", "c29"]))
    def change_in_place(self, group: str, name: str) -> None:
        """Read, change, put again."""
        row = self.store.get(group, name)
        if row is not None:
            row.count += 1
            self.store.put(group, name, row)
            self.now_rows[group, name] = (row.count, row.note)

    @rule(group=GROUPS, tag=st.sampled_from(["c", "c0", "i", "l", "l:a:", ""]))
    def scan(self, group: str, tag: str) -> None:
        """Read all rows with a beginning, in order."""
        expected = [(n, row) for (g, n), row in self.now_rows.items() if g == group and n.startswith(tag)]
        expected.sort(key=lambda item: item[0].encode())

        assert [(name, plain(row)) for name, row in self.store.scan(group, tag)] == expected

    @rule()
    def groups(self) -> None:
        """List the groups that have rows."""
        assert sorted(self.store.groups()) == sorted({group for group, _ in self.now_rows})

    @rule(at=TIMES, group=GROUPS)
    def set_timer(self, at: int, group: str) -> None:
        """Set a timer, perhaps again."""
        self.store.set_timer(at, group)
        self.now_timers.add((at, group))

    @rule(at=TIMES, group=GROUPS)
    def clear_timer(self, at: int, group: str) -> None:
        """Clear a timer that may not exist."""
        self.store.clear_timer(at, group)
        self.now_timers.discard((at, group))

    @rule(until=TIMES, limit=st.integers(0, 5))
    def due(self, until: int, limit: int) -> None:
        """Look, and look again: a look changes nothing."""
        expected = sorted(timer for timer in self.now_timers if timer[0] <= until)[:limit]

        assert self.store.due(until, limit) == expected
        assert self.store.due(until, limit) == expected

    @rule(until=TIMES)
    def fire(self, until: int) -> None:
        """What the journey stage does: take what is due, clear it, set the next."""
        for at, group in self.store.due(until, 3):
            self.clear_timer(at, group)
            if at < 6:
                self.set_timer(at + 1, group)

    @rule(name=st.sampled_from(["x", "y"]), value=st.binary(max_size=3))
    def put_meta(self, name: str, value: bytes) -> None:
        """Write a named value."""
        self.store.put_meta(name, value)
        self.now_meta[name] = value

    @rule()
    def seal(self) -> None:
        """A commit begins: what changes from now on belongs to the next one."""
        if self.sealed is None:
            records = list(self.store.seal())
            assert len({key for key, _ in records}) == len(records)
            self.sealed = records, dict(self.now_rows), set(self.now_timers), dict(self.now_meta)

    @rule(step=st.integers(1, 1000))
    def land(self, step: int) -> None:
        """The commit that has begun, if one has, ends well."""
        if self.sealed is not None:
            records, self.kept_rows, self.kept_timers, self.kept_meta = self.sealed
            self.sealed = None
            self.changelog += records
            self.offset += step
            self.store.commit(self.offset)

    @rule(step=st.integers(1, 1000))
    def commit(self, step: int) -> None:
        """Commit all that is pending."""
        self.land(step)
        self.seal()
        self.land(step)
        assert self.store.seal() == []

    @rule()
    def rollback(self) -> None:
        """Forget what is pending."""
        self.store.rollback()
        self.forget()

    @rule()
    def reopen(self) -> None:
        """Close and open again."""
        self.store.close()
        self.forget()
        self.store = self.reopened()

    @rule(cut=st.integers(0, 1 << 16))
    def rebuild(self, cut: int) -> None:
        """Throw the state away and load the changelog, in two pieces cut anywhere."""
        self.store.wipe()
        self.forget()
        cut %= len(self.changelog) + 1
        self.store.load(self.changelog[:cut], min(1, self.offset))
        self.store.get("a", "c01")
        self.store.due(5, 1)
        self.store.load(self.changelog[cut:], self.offset)

    @invariant()
    def meta_and_offset_agree(self) -> None:
        """The offset is that of the last commit, and named values are as written."""
        if hasattr(self, "store"):
            assert self.store.offset == self.offset
            assert {name: self.store.get_meta(name) for name in ("x", "y")} == {name: self.now_meta.get(name) for name in ("x", "y")}


def plain(row: Any) -> Any:
    """The row as a value that is not shared with the store."""
    return (row.count, row.note) if isinstance(row, Counter) else row


class InMemory(StoreMachine):
    """Over a dictionary."""

    on_disk = False


class OnDisk(StoreMachine):
    """Over RocksDB."""

    on_disk = True


EXAMPLES = settings().max_examples
TestInMemory = InMemory.TestCase
TestInMemory.settings = settings(stateful_step_count=60, max_examples=2 * EXAMPLES)
TestOnDisk = OnDisk.TestCase
TestOnDisk.settings = settings(stateful_step_count=60, max_examples=EXAMPLES)

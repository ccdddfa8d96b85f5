from collections.abc import Iterable, Iterator
from typing import ClassVar

import pytest
from msgspec import Struct

from touchstone.errors import InvariantBroken, StateUnusable
from touchstone.state.backend import Entry
from touchstone.state.memory import DictBackend
from touchstone.state.rows import RowStore


class CountingBackend(DictBackend):
    """A dictionary that counts what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.gets = 0
        self.scans = 0
        self.writes = 0

    @property
    def reads(self) -> int:
        """How often it was asked for anything."""
        return self.gets + self.scans

    def get(self, key: bytes) -> bytes | None:
        """Count, then answer."""
        self.gets += 1
        return super().get(key)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Count, then answer."""
        self.scans += 1
        return super().scan(start, stop)

    def write(self, entries: Iterable[Entry], offset: int) -> None:
        """Count, then write."""
        self.writes += 1
        super().write(entries, offset)


class Point(Struct, array_like=True):
    """A row."""

    x: int


def committed(groups: int = 1, rows: int = 1) -> CountingBackend:
    """A backend with groups g0, g1… of rows i000, i001… and one point p each."""
    backend = CountingBackend()
    store = RowStore(backend, {"i": int, "p": Point})
    for group in range(groups):
        store.put(f"g{group}", "p", Point(group))
        for row in range(rows):
            store.put(f"g{group}", f"i{row:03}", row)
    store.seal()
    store.commit(1)
    backend.gets = backend.scans = backend.writes = 0
    return backend


def opened(backend: CountingBackend, hot_rows: int | None = None) -> RowStore:
    """A store without anything in memory."""
    return RowStore(backend, {"i": int, "p": Point}, hot_rows)


def test_a_new_group_is_looked_for_once() -> None:
    """After the first miss, any name, scan, put and delete of it is answered from memory."""
    backend = CountingBackend()
    store = opened(backend)
    store.get("ada", "i1")

    store.get("ada", "p")
    store.scan("ada", "i")
    store.put("ada", "i1", 1)
    store.get("ada", "i2")
    store.scan("ada", "")
    store.delete("ada", "i3")

    assert (backend.gets, backend.scans) == (1, 1)


def test_the_first_row_of_a_group_costs_one_read() -> None:
    """Often nothing else of the group is wanted: no seek, no other row decoded."""
    backend = committed(rows=5)
    store = opened(backend)

    assert store.get("g0", "i003") == 3
    assert store.get("g0", "i003") == 3

    assert (backend.gets, backend.scans) == (1, 0)


def test_a_small_group_is_read_with_its_second_row() -> None:
    """One seek, then memory."""
    backend = committed(rows=5)
    store = opened(backend)

    assert store.get("g0", "i003") == 3
    assert store.get("g0", "i004") == 4
    assert len(store.scan("g0", "i")) == 5
    assert store.get("g0", "p") == Point(0)
    assert store.get("g0", "i999") is None

    assert (backend.gets, backend.scans) == (1, 1)


def test_a_large_group_is_not_read_for_one_row() -> None:
    """After the first look, one row costs one read, a miss too, and each only once."""
    backend = committed(rows=100)
    store = opened(backend)

    for _ in range(2):
        assert store.get("g0", "i050") == 50
        assert store.get("g0", "i999") is None

    assert (backend.gets, backend.scans) == (2, 1)


def test_a_scan_of_a_tag_makes_it_complete() -> None:
    """Later scans, gets and misses of the tag need no backend, whatever is put and deleted meanwhile."""
    backend = committed(rows=100)
    store = opened(backend)
    store.scan("g0", "i")
    before = backend.reads

    store.put("g0", "i100", 100)
    store.delete("g0", "i000")
    store.delete("g0", "i999")

    assert [row for _, row in store.scan("g0", "i")] == list(range(1, 101))
    assert store.get("g0", "i999") is None
    assert backend.reads == before


def test_what_never_was_on_disk_leaves_no_tombstone() -> None:
    """A row put and deleted in a new group is not in the changelog."""
    store = opened(CountingBackend())
    store.get("ada", "i1")

    store.put("ada", "i1", 1)
    store.delete("ada", "i1")

    assert store.seal() == []
    store.commit(0)


def test_a_row_is_deleted_on_disk_even_if_it_was_never_read() -> None:
    """A blind deletion writes a tombstone instead of reading first."""
    backend = committed()
    store = opened(backend)

    store.delete("g0", "i000")

    assert store.seal() == [(b"\x03g0\x00i000", None)]
    assert backend.reads == 0


def test_a_row_committed_in_a_new_group_is_deleted_with_a_tombstone() -> None:
    """Only what was never committed may vanish without one."""
    store = opened(CountingBackend())
    store.get("ada", "i1")
    store.put("ada", "i1", 1)
    store.seal()
    store.commit(1)

    store.delete("ada", "i1")

    assert store.seal() == [(b"\x03ada\x00i1", None)]


def test_eviction_takes_the_groups_not_used_for_longest() -> None:
    """What was used last stays in memory; evicted rows come back from the backend."""
    backend = committed(groups=10)
    store = opened(backend, hot_rows=16)
    for group in range(10):
        store.get(f"g{group}", "p")
        store.seal()
        store.commit(2 + group)
    before = backend.reads

    assert store.get("g9", "p") == Point(9)
    assert backend.reads == before
    assert store.get("g0", "p") == Point(0)
    assert backend.reads == before + 1


def test_nothing_is_evicted_before_it_is_committed() -> None:
    """However small the memory is."""
    backend = CountingBackend()
    store = opened(backend, hot_rows=0)
    for number in range(100):
        store.put("g", f"i{number:03}", number)

    assert len(store.scan("g", "i")) == 100
    store.seal()
    store.commit(1)

    assert not store._groups
    assert store._hot.in_memory == 0


def test_memory_is_counted_exactly() -> None:
    """Puts, misses, deletions, scans and evictions leave the count equal to what is there."""
    store = opened(committed(groups=5, rows=30), hot_rows=100)
    for turn in range(20):
        group = f"g{turn % 7}"
        store.get(group, f"i{turn:03}")
        store.get(group, "i999")
        store.put(group, f"i{turn + 20:03}", turn)
        store.delete(group, f"i{turn + 5:03}")
        if turn % 3 == 0:
            store.scan(group, "i")
        if turn % 4 == 0:
            store.seal()
            store.commit(turn + 2)

        assert store._hot.in_memory == sum(1 + len(entry.raw) + sum(map(len, entry.rows.values())) for entry in store._groups.values())


def test_nothing_is_written_when_nothing_changed() -> None:
    """A commit at the same offset does not touch the disk."""
    backend = committed()
    store = opened(backend)

    store.seal()
    store.commit(1)

    assert backend.writes == 0


def test_the_changelog_does_not_depend_on_hashes() -> None:
    """Rows are written in the order of their first change, so that two runs give the same bytes."""
    store = opened(CountingBackend())
    for name in ("i3", "i1", "i2"):
        store.put("b", name, 1)
    store.put("a", "i1", 1)
    store.put("b", "i3", 2)

    assert [key for key, _ in store.seal()] == [b"\x03b\x00i3", b"\x03b\x00i1", b"\x03b\x00i2", b"\x03a\x00i1"]


@pytest.mark.parametrize(
    ("types", "said"),
    [({"i": int}, "found 'p'"), ({"i": int, "p": str}, "cannot be decoded")],
    ids=["unknown tag", "other type"],
)
def test_rows_of_another_software_are_unusable_state(types: dict[str, type], said: str) -> None:
    """Not an error of msgpack, and without the row's values; found when the row is asked for."""
    store = RowStore(committed(), types)

    with pytest.raises(StateUnusable, match=said):
        store.scan("g0", "")


def test_a_row_that_msgpack_cannot_hold_is_our_bug() -> None:
    """It is found before anything is sent."""
    store = RowStore(DictBackend(), {"o": object})
    store.put("g", "o", object())

    with pytest.raises(InvariantBroken, match="msgpack"):
        store.seal()


def test_a_tag_is_one_character() -> None:
    """Anything else could not be told from the name."""
    with pytest.raises(InvariantBroken, match="one character"):
        RowStore(DictBackend(), {"ab": int})


def test_the_twin_keeps_no_trace_of_timers_that_are_over() -> None:
    """Without a commit, timers set and cleared a hundred thousand times leave memory as it was."""
    store = opened(CountingBackend())
    store.due(0, 1)
    store.set_timer(1 << 40, "late")

    for at in range(100_000):
        store.set_timer(at, "g")
        store.clear_timer(at, "g")

    assert len(store._timers._changes) == 1
    assert len(store._timers._heap) < 1_000
    assert store.due(1 << 40, 2) == [(1 << 40, "late")]


def test_asking_for_timers_when_none_is_due_reads_nothing() -> None:
    """The store knows the next one, from the disk too."""
    backend = CountingBackend()
    store = opened(backend)
    store.set_timer(50, "g")
    store.seal()
    store.commit(1)
    store.due(10, 5)
    before = backend.reads

    for until in range(49):
        assert store.due(until, 5) == []

    assert backend.reads == before


def test_a_timer_cleared_twice_before_the_commit_stays_cleared() -> None:
    """Found by the law: a look past the first deletion made the store believe that the disk held no timer at all."""
    backend = CountingBackend()
    store = opened(backend)
    store.set_timer(1, "a")
    store.seal()
    store.commit(1)
    store.due(1, 1)
    store.clear_timer(1, "a")
    store.set_timer(2, "a")
    store.due(2, 1)
    store.due(2, 1)

    store.clear_timer(1, "a")
    store.seal()
    store.commit(2)

    assert opened(backend).due(5, 5) == [(2, "a")]


class Head(Struct, array_like=True):
    """A row without which its group has none."""

    IS_HEAD: ClassVar[bool] = True

    count: int


def test_a_group_without_its_head_is_known_to_be_empty_after_one_look() -> None:
    """One get and no scan, whatever is asked of it next; what is put then is there, also for whoever opens the store again."""
    backend = CountingBackend()
    store = RowStore(backend, {"h": Head, "i": int})

    assert store.get("g", "h") is None
    assert store.get("g", "i1") is None
    assert store.scan("g", "i") == []
    store.put("g", "h", Head(1))
    store.put("g", "i1", 7)
    assert store.scan("g", "") == [("h", Head(1)), ("i1", 7)]
    assert (backend.gets, backend.scans) == (1, 0)

    store.seal()
    store.commit(1)
    again = RowStore(backend, {"h": Head, "i": int})
    assert again.get("g", "h") == Head(1)
    assert again.scan("g", "i") == [("i1", 7)]


def test_a_head_that_is_there_promises_nothing_of_the_others() -> None:
    """They are read as those of any group; a head that was put and taken away again in one commit hides no row."""
    backend = CountingBackend()
    store = RowStore(backend, {"h": Head, "i": int})
    store.put("g", "h", Head(1))
    for number in range(40):
        store.put("g", f"i{number:02}", number)
    store.put("other", "h", Head(1))
    store.delete("other", "h")
    store.seal()
    store.commit(1)
    again = RowStore(backend, {"h": Head, "i": int})

    assert again.get("g", "h") == Head(1)
    assert again.get("g", "i39") == 39
    assert len(again.scan("g", "i")) == 40
    assert again.get("other", "h") is None
    assert again.scan("other", "") == []

"""What every store promises: one suite, every implementation."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import Struct

from touchstone.errors import InvariantBroken
from touchstone.state.backend import Backend
from touchstone.state.memory import DictBackend
from touchstone.state.rocksdb import RocksBackend, RocksEnvironment
from touchstone.state.rows import RowStore
from touchstone.state.store import CommittedStore

Reopen = Callable[[], RowStore]


class Note(Struct, array_like=True):
    """A row that can be changed in place."""

    text: str
    count: int = 0


ROW_TYPES = {"n": Note, "i": int, "m": dict[str, int]}


@pytest.fixture(params=["memory", "memory, evicting", "rocksdb", "rocksdb, evicting"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Reopen:
    """Opens a store over what the last one committed; the last one must be closed."""
    medium, _, is_evicting = request.param.partition(",")
    environment = RocksEnvironment()
    kept = DictBackend()

    def make() -> RowStore:
        backend: Backend = kept if medium == "memory" else RocksBackend(tmp_path / "store", environment)
        return RowStore(backend, ROW_TYPES, hot_rows=0 if is_evicting else None)

    return make


def commit(store: CommittedStore, offset: int) -> list[tuple[bytes, bytes | None]]:
    """Commit as the runtime does, and return what would be in the changelog."""
    records = list(store.seal())
    store.commit(offset)
    return records


def test_a_new_store_is_empty_at_offset_zero(reopen: Reopen) -> None:
    """Nothing is there, and looking leaves nothing pending."""
    store = reopen()

    assert store.offset == 0
    assert store.get("ada", "n1") is None
    assert store.scan("ada", "n") == []
    assert list(store.groups()) == []
    assert store.due(10**15, 10) == []
    assert store.seal() == []


def test_a_put_is_visible_at_once_and_durable_after_the_commit(reopen: Reopen) -> None:
    """The row and the offset come back together."""
    store = reopen()
    store.put("ada", "n1", Note("tea"))
    assert store.get("ada", "n1") == Note("tea")
    commit(store, 7)
    store.close()

    store = reopen()

    assert store.get("ada", "n1") == Note("tea")
    assert store.offset == 7


def test_what_was_not_committed_is_gone_after_a_close(reopen: Reopen) -> None:
    """Closing keeps nothing pending: rows, deletions, timers and named values."""
    store = reopen()
    store.put("ada", "n1", Note("tea"))
    store.set_timer(5, "ada")
    store.put_meta("fingerprint", b"1")
    commit(store, 1)
    store.put("ada", "n1", Note("coffee"))
    store.put("bob", "n1", Note("milk"))
    store.clear_timer(5, "ada")
    store.put_meta("fingerprint", b"2")
    store.close()

    store = reopen()

    assert store.get("ada", "n1") == Note("tea")
    assert list(store.groups()) == ["ada"]
    assert store.due(5, 10) == [(5, "ada")]
    assert store.get_meta("fingerprint") == b"1"


def test_a_rollback_brings_back_what_was_committed(reopen: Reopen) -> None:
    """Also objects that were changed in place are read anew."""
    store = reopen()
    store.put("ada", "n1", Note("tea"))
    store.put("ada", "n2", Note("rum"))
    store.set_timer(5, "ada")
    commit(store, 1)
    note = store.get("ada", "n1")
    assert note is not None
    note.text = "coffee"
    store.put("ada", "n1", note)
    store.delete("ada", "n2")
    store.clear_timer(5, "ada")
    assert store.due(10, 10) == []
    store.set_timer(9, "ada")

    store.rollback()

    assert store.scan("ada", "n") == [("n1", Note("tea")), ("n2", Note("rum"))]
    assert store.due(10, 10) == [(5, "ada")]
    assert store.seal() == []


def test_a_deleted_row_stays_away(reopen: Reopen) -> None:
    """Before the commit, after it, and after a reopen; its neighbours stay."""
    store = reopen()
    store.put("ada", "n1", Note("tea"))
    store.put("ada", "n2", Note("rum"))
    commit(store, 1)

    store.delete("ada", "n1")
    assert store.get("ada", "n1") is None
    assert store.scan("ada", "n") == [("n2", Note("rum"))]
    commit(store, 2)
    assert store.get("ada", "n1") is None
    store.close()

    assert reopen().scan("ada", "n") == [("n2", Note("rum"))]


def test_deleting_what_is_not_there_does_nothing(reopen: Reopen) -> None:
    """Neither for a new group nor beside other rows, and it may be put afterwards."""
    store = reopen()
    store.delete("ada", "n1")
    store.put("ada", "n2", Note("rum"))
    store.delete("ada", "n3")
    store.put("ada", "n1", Note("tea"))

    commit(store, 1)

    assert store.scan("ada", "n") == [("n1", Note("tea")), ("n2", Note("rum"))]


def test_a_row_changed_in_place_is_written_when_it_is_put_again(reopen: Reopen) -> None:
    """The object that `get` returned is the store's own."""
    store = reopen()
    store.put("ada", "n1", Note("tea"))
    commit(store, 1)
    note = store.get("ada", "n1")
    assert note is not None
    note.count += 1
    store.put("ada", "n1", note)
    commit(store, 2)
    store.close()

    assert reopen().get("ada", "n1") == Note("tea", 1)


def test_a_scan_is_ordered_by_bytes_and_keeps_to_its_group_and_tag(reopen: Reopen) -> None:
    """Neighbouring groups that begin alike, other tags and pending changes do not disturb it."""
    store = reopen()
    for group in ("a", "ab", "a\x01", "", "ä"):
        store.put(group, "n1", Note(group))
    for name in ("n￿", "n\U00010000", "nz", "nä", "n"):
        store.put("a", name, Note(name))
    store.put("a", "i1", 5)
    commit(store, 1)
    store.put("a", "n0", Note("new"))
    store.delete("a", "nz")

    names = [name for name, _ in store.scan("a", "n")]

    assert names == ["n", "n0", "n1", "nä", "n￿", "n\U00010000"]
    assert names == sorted(names, key=str.encode)
    assert store.scan("", "n") == [("n1", Note(""))]
    assert store.scan("a", "i") == [("i1", 5)]


def test_a_scan_by_a_longer_beginning_or_of_the_whole_group_finds_just_that(reopen: Reopen) -> None:
    """`tag` may be longer than the tag, or empty."""
    store = reopen()
    store.put("a", "n:email:1", Note("1"))
    store.put("a", "n:phone:2", Note("2"))
    store.put("a", "i1", 5)
    commit(store, 1)
    store.put("a", "m1", {"x": 1})

    assert store.scan("a", "n:e") == [("n:email:1", Note("1"))]
    assert store.scan("a", "") == [("i1", 5), ("m1", {"x": 1}), ("n:email:1", Note("1")), ("n:phone:2", Note("2"))]


def test_a_large_group_is_read_row_by_row_and_tag_by_tag(reopen: Reopen) -> None:
    """More rows than the first look takes: gets, misses and scans still agree."""
    store = reopen()
    for number in range(100):
        store.put("a", f"i{number:03}", number)
        store.put("a", f"n{number:03}", Note(str(number)))
    commit(store, 1)
    store.close()
    store = reopen()

    assert store.get("a", "i050") == 50
    assert store.get("a", "i100") is None
    store.put("a", "i100", 100)
    store.delete("a", "i000")
    assert [row for _, row in store.scan("a", "i")] == list(range(1, 101))
    assert store.get("a", "n099") == Note("99")
    assert len(store.scan("a", "")) == 200


def test_timers_come_earliest_first_and_stay_until_cleared(reopen: Reopen) -> None:
    """Pending and committed ones alike, before the epoch too."""
    store = reopen()
    store.set_timer(30, "c")
    store.set_timer(-10, "a")
    store.set_timer(20, "b")
    commit(store, 1)
    store.set_timer(20, "a")
    store.set_timer(20, "b")
    store.set_timer(10, "d")
    store.clear_timer(-10, "a")

    assert store.due(9, 10) == []
    assert store.due(20, 10) == [(10, "d"), (20, "a"), (20, "b")]
    assert store.due(20, 2) == [(10, "d"), (20, "a")]
    assert store.due(100, 10) == [(10, "d"), (20, "a"), (20, "b"), (30, "c")]
    commit(store, 2)
    store.close()

    assert reopen().due(100, 10) == [(10, "d"), (20, "a"), (20, "b"), (30, "c")]


def test_a_timer_set_after_a_look_is_not_missed(reopen: Reopen) -> None:
    """The store remembers that nothing was due, and still sees an earlier one that comes later."""
    store = reopen()
    store.set_timer(50, "a")
    commit(store, 1)
    assert store.due(40, 10) == []

    store.set_timer(30, "b")
    assert store.due(40, 10) == [(30, "b")]
    store.clear_timer(30, "b")
    commit(store, 2)

    assert store.due(40, 10) == []
    assert store.due(50, 10) == [(50, "a")]


def test_a_named_value_travels_with_the_changelog(reopen: Reopen) -> None:
    """It is pending like a row and comes back from the records."""
    store = reopen()
    assert store.get_meta("fingerprint") is None
    store.put_meta("fingerprint", b"abc")
    assert store.get_meta("fingerprint") == b"abc"
    records = commit(store, 1)
    store.wipe()
    assert store.get_meta("fingerprint") is None

    store.load(records, 1)

    assert store.get_meta("fingerprint") == b"abc"
    assert list(store.groups()) == []


def test_the_changelog_holds_each_key_once_and_rebuilds_the_state(reopen: Reopen) -> None:
    """Loading all records into an empty store gives the same rows, timers and offset."""
    store = reopen()
    store.put("a", "n1", Note("x"))
    store.put("a", "n1", Note("y"))
    store.put("a", "i1", 1)
    store.set_timer(5, "a")
    first = commit(store, 3)
    store.delete("a", "i1")
    store.put("b", "m1", {"k": 2})
    store.clear_timer(5, "a")
    store.set_timer(6, "b")
    second = commit(store, 8)
    assert len(first) == len({key for key, _ in first}) == 3

    store.wipe()
    assert (store.offset, list(store.groups()), store.due(10, 10)) == (0, [], [])
    store.load(first, 3)
    store.load(second, 8)

    assert store.scan("a", "") == [("n1", Note("y"))]
    assert store.scan("b", "") == [("m1", {"k": 2})]
    assert store.due(10, 10) == [(6, "b")]
    assert store.offset == 8


def test_loading_forgets_what_was_in_memory(reopen: Reopen) -> None:
    """A row read before the load is read again after it."""
    store = reopen()
    store.put("a", "i1", 1)
    before = commit(store, 1)
    store.put("a", "i1", 2)
    commit(store, 2)
    assert store.get("a", "i1") == 2
    assert store.due(100, 1) == []

    store.load(before, 3)

    assert store.get("a", "i1") == 1


def test_what_changes_after_the_seal_belongs_to_the_next_commit(reopen: Reopen) -> None:
    """Stages go on while a commit is under way: it carries what was sealed, in the state it had then."""
    store = reopen()
    store.put("a", "i1", 1)
    store.set_timer(4, "a")
    sealed = list(store.seal())
    store.put("a", "i1", 2)
    store.delete("a", "i1")
    store.put("a", "i2", 2)
    store.clear_timer(4, "a")
    store.put_meta("x", b"later")

    store.commit(1)

    assert (store.get("a", "i1"), store.get("a", "i2"), store.due(9, 9), store.get_meta("x")) == (None, 2, [], b"later")
    later = store.seal()
    assert len(sealed) == 2
    assert len(later) == 4
    store.close()
    again = reopen()
    assert (again.get("a", "i1"), again.get("a", "i2"), again.due(9, 9), again.get_meta("x")) == (1, None, [(4, "a")], None)


def test_what_is_sealed_is_seen_until_it_is_in_the_backend(reopen: Reopen) -> None:
    """Rows, deletions, timers and named values that a commit is carrying are the truth for whoever asks meanwhile."""
    store = reopen()
    store.put("a", "i1", 1)
    store.put("b", "i1", 1)
    store.set_timer(4, "a")
    commit(store, 1)
    store.delete("a", "i1")
    store.clear_timer(4, "a")
    store.set_timer(5, "c")
    store.put("c", "i1", 3)
    store.put_meta("x", b"new")

    store.seal()

    assert store.get("a", "i1") is None
    assert store.scan("a", "") == []
    assert store.scan("c", "i") == [("i1", 3)]
    assert store.due(9, 9) == [(5, "c")]
    assert store.get_meta("x") == b"new"
    assert list(store.groups()) == ["b", "c"]


def test_a_new_row_deleted_while_it_is_committed_is_deleted_in_the_changelog(reopen: Reopen) -> None:
    """It may be there by then, so the deletion must be said."""
    store = reopen()
    store.put("a", "i1", 1)
    store.seal()
    store.delete("a", "i1")
    store.commit(1)

    assert store.seal() == [(b"\x03a\x00i1", None)]
    store.commit(2)
    store.close()
    assert reopen().get("a", "i1") is None


def test_a_new_row_is_deleted_though_its_group_was_looked_at_while_it_was_committed(reopen: Reopen) -> None:
    """The backend has nothing of the group yet, but will have."""
    store = reopen()
    store.put("a", "i1", 1)
    store.seal()

    assert store.get("a", "i2") is None
    store.delete("a", "i1")
    store.commit(1)

    assert store.seal() == [(b"\x03a\x00i1", None)]


def test_what_changed_while_a_commit_was_under_way_is_not_evicted_by_it(reopen: Reopen) -> None:
    """It is in memory only."""
    store = reopen()
    store.put("first", "i1", 1)
    store.seal()
    for group in range(20):
        store.put(f"g{group}", "i1", group)

    store.commit(1)

    assert [store.get(f"g{group}", "i1") for group in range(20)] == list(range(20))
    assert len(store.seal()) == 20


def test_nothing_more_is_sealed_while_a_commit_is_under_way(reopen: Reopen) -> None:
    """One commit at a time; and none without a seal."""
    store = reopen()
    with pytest.raises(InvariantBroken, match="expected seal"):
        store.commit(1)
    store.put("a", "i1", 1)
    store.seal()
    store.put("a", "i2", 2)

    with pytest.raises(InvariantBroken, match="to be committed before more is"):
        store.seal()

    store.commit(1)
    assert len(store.seal()) == 1


def test_a_rollback_forgets_what_is_sealed(reopen: Reopen) -> None:
    """The transaction that carried it was aborted."""
    store = reopen()
    store.put("a", "i1", 1)
    store.seal()
    store.put("a", "i2", 2)

    store.rollback()

    assert store.scan("a", "") == []
    assert store.seal() == []


def test_the_offset_never_goes_back(reopen: Reopen) -> None:
    """Neither by a commit nor by a load; a commit without changes moves it on."""
    store = reopen()
    commit(store, 5)
    assert store.offset == 5

    with pytest.raises(InvariantBroken, match="at least 5"):
        commit(store, 4)
    with pytest.raises(InvariantBroken, match="at least 5"):
        store.load([], 4)


def test_a_load_refuses_to_bury_what_is_pending(reopen: Reopen) -> None:
    """A restore comes before the first touchpoint."""
    store = reopen()
    store.put("a", "i1", 1)

    with pytest.raises(InvariantBroken, match="nothing pending"):
        store.load([], 1)


def test_a_bad_key_is_refused_at_once(reopen: Reopen) -> None:
    """A NUL would end the group on disk; a name needs a known tag; text must be text."""
    store = reopen()

    with pytest.raises(InvariantBroken, match="without NUL"):
        store.put("a\x00b", "i1", 1)
    with pytest.raises(InvariantBroken, match="begins with one of"):
        store.put("a", "x1", 1)
    with pytest.raises(InvariantBroken, match="begins with one of"):
        store.get("a", "")
    with pytest.raises(InvariantBroken, match="surrogate"):
        store.put("\ud800", "i1", 1)
    with pytest.raises(InvariantBroken, match="found None"):
        store.put("a", "i1", None)

    assert store.seal() == []


def test_a_row_of_the_wrong_type_never_reaches_the_changelog(reopen: Reopen) -> None:
    """It could not be read back."""
    store = reopen()
    store.put("a", "n1", 5)

    with pytest.raises(InvariantBroken, match="expected Note"):
        store.seal()


def test_wiping_leaves_a_store_that_works(reopen: Reopen) -> None:
    """Empty at offset 0, ready for a restore."""
    store = reopen()
    store.put("a", "i1", 1)
    commit(store, 9)

    store.wipe()
    store.put("b", "i1", 2)
    commit(store, 1)
    store.close()

    store = reopen()
    assert list(store.groups()) == ["b"]
    assert store.offset == 1


def test_groups_are_those_with_rows(reopen: Reopen) -> None:
    """Pending deletions hide, pending rows show."""
    store = reopen()
    for group in ("a", "b", "c"):
        store.put(group, "i1", 1)
    store.put("c", "i2", 2)
    commit(store, 1)
    store.delete("a", "i1")
    store.delete("c", "i1")
    store.put("d", "i1", 1)
    store.get("e", "i1")

    assert list(store.groups()) == ["b", "c", "d"]

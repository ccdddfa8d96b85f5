import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.errors import InvariantBroken
from touchstone.state.keys import EARLIEST, LATEST, after, group_prefix, meta_key, row_of, timer_key, timer_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
GROUPS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
TIMES = st.integers(EARLIEST, LATEST)


def test_the_keys_of_the_changelog_are_these_bytes() -> None:
    """They are a public format: another byte needs a new format version and a migration note."""
    assert group_prefix("email:ä") + b"n1" == b"\x03email:\xc3\xa4\x00n1"
    assert timer_key(0, "g") == b"\x01\x80\x00\x00\x00\x00\x00\x00\x00g"
    assert timer_key(-1, "g") == b"\x01\x7f\xff\xff\xff\xff\xff\xff\xffg"
    assert meta_key("fingerprint") == b"\x02fingerprint"


@given(GROUPS, TEXT)
def test_a_row_key_tells_its_group_and_name(group: str, name: str) -> None:
    """Whatever the group is called, and also when the name holds a NUL."""
    assert row_of(group_prefix(group) + name.encode()) == (group, name)


@given(TIMES, TEXT)
def test_a_timer_key_tells_its_time_and_group(at: int, group: str) -> None:
    """For every time of 64 bits, before the epoch too."""
    assert timer_of(timer_key(at, group)) == (at, group)


@given(TIMES, TEXT, TIMES, TEXT)
def test_timer_keys_sort_as_times_and_groups_do(at: int, group: str, other_at: int, other_group: str) -> None:
    """Bytes and values have one order."""
    assert (timer_key(at, group) < timer_key(other_at, other_group)) == ((at, group) < (other_at, other_group))


@given(GROUPS, TEXT, GROUPS, TEXT)
def test_a_group_covers_its_own_rows_and_no_others(group: str, name: str, other: str, other_name: str) -> None:
    """A prefix and what lies behind it enclose exactly the group."""
    prefix = group_prefix(group)

    assert prefix <= prefix + name.encode() < after(prefix)
    if other != group:
        assert not prefix <= group_prefix(other) + other_name.encode() < after(prefix)


@pytest.mark.parametrize("at", [EARLIEST - 1, LATEST + 1])
def test_a_time_beyond_64_bits_is_refused(at: int) -> None:
    """It would not sort."""
    with pytest.raises(InvariantBroken, match="64 bits"):
        timer_key(at, "g")

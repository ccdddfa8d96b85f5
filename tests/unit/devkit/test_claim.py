"""A folder has one owner, for as long as the owner lives."""

import os
from pathlib import Path

import pytest

from touchstone.devkit.claim import claim, claim_new, is_claimed, note, noted
from touchstone.errors import Unavailable


def test_a_folder_is_owned_until_the_lock_is_closed(tmp_path: Path) -> None:
    """The system takes the lock back with the last descriptor, however the process ends."""
    lock = claim(tmp_path / "data")
    assert is_claimed(tmp_path / "data")

    os.close(lock)

    assert not is_claimed(tmp_path / "data")


def test_a_folder_has_one_owner(tmp_path: Path) -> None:
    """The second is told where, and how to ask for the first."""
    lock = claim(tmp_path)

    with pytest.raises(Unavailable, match="touchstone kafka status"):
        claim(tmp_path)

    os.close(lock)


def test_what_is_noted_is_the_owners_word_only(tmp_path: Path) -> None:
    """A word of an earlier owner is never taken for that of the present one, nor is it there when nobody owns the folder."""
    first = claim(tmp_path)
    note(first, b"the first, at some length")
    assert noted(tmp_path) == b"the first, at some length"
    os.close(first)
    assert noted(tmp_path) is None

    second = claim(tmp_path)
    assert noted(tmp_path) == b""
    note(second, b"second")

    assert noted(tmp_path) == b"second"
    os.close(second)


def test_folders_of_the_dead_are_swept_and_those_of_the_living_are_not(tmp_path: Path) -> None:
    """Nor is a folder without a lock: its owner may be about to take it."""
    dead, lock = claim_new("kafka-", tmp_path)
    os.close(lock)
    living, kept = claim_new("other-", tmp_path)
    living = living.rename(tmp_path / "kafka-living")
    beginning = tmp_path / "kafka-beginning"
    beginning.mkdir()

    fresh, another = claim_new("kafka-", tmp_path)

    assert not dead.exists()
    assert set(tmp_path.iterdir()) == {living, beginning, fresh}
    os.close(kept)
    os.close(another)

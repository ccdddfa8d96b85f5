"""Stores that break, that break again, and those of another generation."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import TopicPartition

from touchstone.errors import DiskUnusable
from touchstone.runtime.partitions import Partitions
from touchstone.runtime.settings import WorkerSettings
from touchstone.state.rocksdb import RocksBackend, RocksEnvironment
from touchstone.state.rows import RowStore

COPY = TopicPartition("app.journey.changelog", 1)
"""The changelog of the store that is not ours."""


class Row(msgspec.Struct):
    """Any row."""


class Program:
    """A program of one stage."""

    stages: dict[str, dict[str, Any]] = {"journey": {"c": Row}}  # noqa: RUF012  # never changed
    fingerprint = b""

    def opened(self, partition: int, stores: Any) -> None:
        """Nothing to do."""

    def closed(self, partition: int) -> None:
        """Nothing to do."""


def partitions(folder: Path, generation: int = 1, *, copies: int = 0) -> Partitions:
    """Partition 0 of one stage, on disk; with so many others that somebody else has."""
    environment = RocksEnvironment()
    settings = WorkerSettings(
        app="app",
        bootstrap="",
        instance="w",
        data_dir=folder,
        partitions=1 + copies,
        channel_topics=("web",),
        generation=generation,
        standby=copies > 0,
    )
    program: Any = Program()
    ours = Partitions(settings, program, lambda path, rows: RowStore(RocksBackend(path, environment), rows))
    ours.change([TopicPartition(f"{settings.base}.journey", 0)])
    ours.open()
    return ours


def test_a_store_that_breaks_again_right_after_it_was_rebuilt_ends_the_worker(tmp_path: Path) -> None:
    """Rebuilding for ever would hide what is wrong with the disk, or with the changelog."""
    ours = partitions(tmp_path)
    ours.rebuild("journey", 0)
    ours.hand_over()

    with pytest.raises(DiskUnusable, match=r"journey\[0\] broke again right after it was rebuilt"):
        ours.rebuild("journey", 0)

    ours.close()


def test_a_store_that_held_for_a_while_is_rebuilt_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second accident after an hour is no loop."""
    ours = partitions(tmp_path)
    ours.rebuild("journey", 0)
    ours.hand_over()
    monkeypatch.setattr("touchstone.runtime.partitions._SOON_S", 0.0)

    store = ours.rebuild("journey", 0)

    assert store.offset == 0
    ours.close()


def with_a_copy_found_broken(folder: Path) -> Partitions:
    """Partition 1 is somebody else's, and the copy of its store cannot be opened: it starts again."""
    before = partitions(folder, copies=1)
    before.open_copies()
    before.close()
    (folder / "journey-1" / "CURRENT").write_text("nothing that RocksDB wrote")
    ours = partitions(folder, copies=1)
    ours.open_copies()
    return ours


def test_a_copy_found_broken_that_breaks_before_it_has_caught_up_is_not_rebuilt_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it read: what breaks on its way to the end would do so for ever. That others were handed over says nothing of it."""
    ours = with_a_copy_found_broken(tmp_path)
    monkeypatch.setattr("touchstone.runtime.partitions._SOON_S", 0.0)
    ours.hand_over()
    ours.caught_up([])

    with pytest.raises(DiskUnusable, match=r"journey\[1\] broke again right after it was rebuilt"):
        ours.rebuild_copy(COPY)

    ours.close()


def test_a_copy_that_has_caught_up_since_may_break_again_long_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both as a copy and when it is ours by then: nobody hands a copy over, being read to its end is what counts."""
    ours = with_a_copy_found_broken(tmp_path)
    ours.caught_up([COPY])
    monkeypatch.setattr("touchstone.runtime.partitions._SOON_S", 0.0)

    assert ours.rebuild_copy(COPY).offset == 0
    ours.caught_up([COPY])
    ours.change([TopicPartition("app.journey", 0), TopicPartition("app.journey", 1)])
    ours.open()
    assert ours.rebuild("journey", 1).offset == 0

    ours.close()


def test_a_copy_that_breaks_again_soon_after_it_was_rebuilt_is_not_rebuilt_for_ever(tmp_path: Path) -> None:
    """The first break of all is mended; the second within a minute is the disk's, or the changelog's."""
    ours = partitions(tmp_path, copies=1)
    ours.open_copies()
    ours.rebuild_copy(COPY)
    ours.caught_up([COPY])

    with pytest.raises(DiskUnusable, match=r"journey\[1\] broke again right after it was rebuilt"):
        ours.rebuild_copy(COPY)

    ours.close()


def test_state_of_another_generation_is_removed_and_nothing_else(tmp_path: Path) -> None:
    """It would only fill the disk; files that are not ours stay."""
    partitions(tmp_path).close()
    (tmp_path / "journey-notes").mkdir()
    (tmp_path / "log").write_text("kept")

    partitions(tmp_path, generation=2).close()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["g2-journey-0", "journey-notes", "log"]

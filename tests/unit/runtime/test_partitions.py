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


def partitions(folder: Path, generation: int = 1) -> Partitions:
    """Partition 0 of one stage, on disk."""
    environment = RocksEnvironment()
    settings = WorkerSettings(
        app="app", bootstrap="", instance="w", data_dir=folder, partitions=1, channel_topics=("web",), generation=generation
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


def test_state_of_another_generation_is_removed_and_nothing_else(tmp_path: Path) -> None:
    """It would only fill the disk; files that are not ours stay."""
    partitions(tmp_path).close()
    (tmp_path / "journey-notes").mkdir()
    (tmp_path / "log").write_text("kept")

    partitions(tmp_path, generation=2).close()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["g2-journey-0", "journey-notes", "log"]

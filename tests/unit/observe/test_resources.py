"""What a worker says about its disk and its memory."""

from pathlib import Path

import pytest

from touchstone.observe.metrics import DISK_FREE, DISK_SIZE, MEMORY_LIMIT, STATE_BYTES
from touchstone.observe.registry import Registry
from touchstone.observe.resources import memory_limit, show_resources, state_bytes


def test_the_size_of_the_state_is_that_of_all_its_files(tmp_path: Path) -> None:
    """Folders in folders count too, links do not."""
    (tmp_path / "journey-0").mkdir()
    (tmp_path / "journey-0" / "1.sst").write_bytes(b"x" * 1_000)
    (tmp_path / "worker.lock").write_bytes(b"y" * 10)
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)

    assert 1_010 <= state_bytes(tmp_path) < 1_200  # the link itself has some bytes


def test_a_folder_that_is_gone_has_no_bytes(tmp_path: Path) -> None:
    """RocksDB deletes files while we look."""
    assert state_bytes(tmp_path / "gone") == 0


@pytest.mark.parametrize(("text", "is_limit"), [("1048576\n", True), ("max\n", False)])
def test_a_container_has_its_own_limit(tmp_path: Path, text: str, is_limit: bool) -> None:
    """`max` means: none, so the machine's memory counts."""
    file = tmp_path / "memory.max"
    file.write_text(text)

    assert (memory_limit([tmp_path / "missing", file]) == 1_048_576) == is_limit
    assert memory_limit([]) > 1_048_576


def test_the_page_shows_disk_and_memory(tmp_path: Path) -> None:
    """Enough for an alert on a full disk and on memory near its limit."""
    registry = Registry({})

    show_resources(registry, tmp_path)

    assert 0 < registry.value(DISK_FREE) <= registry.value(DISK_SIZE)
    assert registry.value(MEMORY_LIMIT) > 0
    assert registry.value(STATE_BYTES) == 0

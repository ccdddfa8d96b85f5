"""What a worker has left of its machine: disk under the state, memory."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from touchstone.observe.metrics import DISK_FREE, DISK_SIZE, MEMORY_LIMIT, STATE_BYTES
from touchstone.observe.registry import Registry

_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where a container finds its own limit: version 2 of control groups, and version 1."""


def show_resources(registry: Registry, data_dir: Path) -> None:
    """Bring the registry up to date. A few hundred file sizes are read, so: when the page is asked for, not more often."""
    disk = shutil.disk_usage(data_dir)
    registry.set(DISK_FREE, disk.free)
    registry.set(DISK_SIZE, disk.total)
    registry.set(STATE_BYTES, state_bytes(data_dir))
    registry.set(MEMORY_LIMIT, memory_limit())


def state_bytes(data_dir: Path) -> int:
    """The bytes of all files under a folder; what vanishes meanwhile (a compaction) or is not ours does not count."""
    total, folders = 0, [str(data_dir)]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:  # gone meanwhile, or not ours, like lost+found
            continue
    return total


def memory_limit(limits: Iterable[Path] = _CGROUP_LIMITS) -> int:
    """What the process may use: the smallest of the container's limit and the machine's memory."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for file in limits:
        try:
            text = file.read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            return min(machine, int(text))
    return machine

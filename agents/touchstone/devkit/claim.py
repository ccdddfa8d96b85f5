"""A folder that one broker owns: a lock that its process holds, and that the system takes back when the process is gone."""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from touchstone.errors import Unavailable

_LOCK = "lock"
_PATIENCE_SECONDS = 0.5  # somebody who only asks holds the lock for a moment


def claim(folder: Path) -> int:
    """Own the folder: the descriptor of its lock, to be handed on to the process that owns it from then on.

    Raises:
        Unavailable: another process owns it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise Unavailable(f"an embedded Kafka already runs on {folder}; ask it with `touchstone kafka status`") from error
            time.sleep(_PATIENCE_SECONDS / 20)
        else:
            os.ftruncate(descriptor, 0)  # what is noted belongs to the owner of now
            return descriptor


def note(descriptor: int, content: bytes) -> None:
    """Leave word for whoever asks who owns the folder; short enough to be written at once."""
    os.pwrite(descriptor, content, 0)


def noted(folder: Path) -> bytes | None:
    """What the owner has noted; none if nobody owns the folder."""
    return (folder / _LOCK).read_bytes() if is_claimed(folder) else None


def claim_new(prefix: str, parent: Path) -> tuple[Path, int]:
    """Make and own a new folder under that parent, after removing those that dead processes left behind."""
    _sweep(prefix, parent)
    folder = Path(mkdtemp(prefix=prefix, dir=parent))
    # Locked before it has its name: whoever sweeps must never find it unlocked.
    descriptor = os.open(folder / (_LOCK + ".new"), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    (folder / (_LOCK + ".new")).rename(folder / _LOCK)
    return folder, descriptor


def is_claimed(folder: Path) -> bool:
    """Whether a process owns the folder now."""
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _sweep(prefix: str, parent: Path) -> None:
    for folder in parent.glob(prefix + "*"):
        with suppress(OSError):  # another user's, or swept by another process at the same time
            if (folder / _LOCK).exists() and not is_claimed(folder):
                rmtree(folder)

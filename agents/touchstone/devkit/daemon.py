"""The embedded Kafka that stays: started by one command, used by others, stopped by a third."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

from touchstone.devkit.broker import EmbeddedKafka, tail
from touchstone.devkit.claim import is_claimed
from touchstone.devkit.jars import Progress
from touchstone.devkit.running import Running, kept, kept_folder
from touchstone.errors import Unavailable, UsageError

DEFAULT_PORT = 9092

_READY_SECONDS = 180.0  # as long as EmbeddedKafka allows
_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.05


def start(port: int | None = None, progress: Progress | None = None) -> Running:
    """Start the broker that stays, with the data of last time, and wait until it takes connections; one that runs already is left alone.

    Raises:
        UsageError: it runs on another port.
        Unavailable: it could not be started.
    """
    running = status()
    if running is None:
        EmbeddedKafka(profile="bench", port=port or DEFAULT_PORT, folder=kept_folder(), progress=progress, detached=True).start()
        running = status()
        if running is None:
            raise Unavailable(f"the embedded Kafka died right after its start; its log ends with:\n{log_tail()}")
    elif port is not None and not running.bootstrap.endswith(f":{port}"):
        raise UsageError(
            f"the embedded Kafka runs already, at {running.bootstrap}; `touchstone kafka stop` first to move it to port {port}"
        )
    elif not _wait(lambda: running.is_ready, _READY_SECONDS):  # somebody else is starting it
        raise Unavailable(f"the embedded Kafka at {running.bootstrap} takes no connections; its log ends with:\n{log_tail()}")
    return running


def status() -> Running | None:
    """The broker that runs, perhaps still starting; none if there is none."""
    return kept()


def stop() -> Running | None:
    """Stop the broker in order and wait until it is gone; what ran, if anything did. Its data stays.

    Raises:
        Unavailable: it did not end.
    """
    running = status()
    if running is not None:
        with suppress(ProcessLookupError):
            os.kill(running.pid, signal.SIGTERM)
        if not _wait(lambda: not is_claimed(kept_folder()), _STOP_SECONDS):
            raise Unavailable(
                f"the embedded Kafka (process {running.pid}) did not end within {_STOP_SECONDS:.0f} s of being asked; "
                f"its log ends with:\n{log_tail()}\nEnd it with `kill -9 {running.pid}`"
            )
    return running


def delete_data() -> Path | None:
    """Delete what the broker that stays has kept: topics, touchpoints, the log; the folder, if there was one.

    Raises:
        UsageError: it runs.
        Unavailable: something cannot be deleted.
    """
    folder = kept_folder()
    if is_claimed(folder):
        raise UsageError(f"the embedded Kafka runs on {folder}; `touchstone kafka stop` first")
    if not folder.exists():
        return None
    try:
        rmtree(folder)
    except OSError as error:
        raise Unavailable(f"{folder} cannot be deleted: {error.strerror}") from error
    return folder


def log_tail(lines: int = 20) -> str:
    """The last lines of the broker's log."""
    return tail(kept_folder() / "broker.log", lines)


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True

"""Starts a server that does not outlive us."""

import os
import subprocess
import sys
import threading
from concurrent.futures import Future
from importlib.resources import files
from pathlib import Path


def keep(command: list[str], log_file: Path, lock: int, *, detached: bool = False) -> "subprocess.Popen[bytes]":
    """Start a server that writes to that log and holds that lock. It dies with this process, however that ends, unless `detached`."""
    if not detached:
        tether = str(files("touchstone.devkit") / "tether.py")
        command = [sys.executable, "-I", "-S", tether, str(os.getpid()), *command]
    log = log_file.open("wb")
    started: Future[subprocess.Popen[bytes]] = Future()

    def wait() -> None:
        try:
            with log:
                # A session of its own: Ctrl-C in the terminal ends us first, and we end the server.
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(lock,), start_new_session=True
                )
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
            started.set_exception(error)
            return
        started.set_result(process)
        process.wait()

    # Linux ties the server's life to the *thread* that starts it, so it gets one that lives as long as it does.
    threading.Thread(target=wait, name="keeper", daemon=True).start()
    return started.result()

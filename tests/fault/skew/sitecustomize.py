"""Lets a process believe in another time: the wall clock of Python, moved by as many seconds as a file says, read again all the time.

Python imports a `sitecustomize` from PYTHONPATH before anything else, so the product needs no hook for this. Monotonic clocks go on as
they are, as they do when somebody sets a machine's clock. Each process notes beside the file which jump it has seen last.
"""

import os
import time
from pathlib import Path

_TRUE_NS = time.time_ns
_LOOK_EVERY_S = 0.2


class _Skew:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._looked_at = -1.0
        self._seconds = 0

    def time_ns(self) -> int:
        now = time.monotonic()
        if now - self._looked_at > _LOOK_EVERY_S:
            self._looked_at = now
            self._look()
        return _TRUE_NS() + self._seconds * 1_000_000_000

    def time(self) -> float:
        return self.time_ns() / 1e9

    def _look(self) -> None:
        try:
            seconds = int(self._file.read_text("utf-8") or 0)
        except (OSError, ValueError):
            return
        if seconds != self._seconds:
            self._seconds = seconds
            self._file.with_name(f"{self._file.name}.{os.getpid()}").write_text(str(seconds), "utf-8")


if "TOUCHSTONE_TEST_CLOCK" in os.environ:
    _skew = _Skew(Path(os.environ["TOUCHSTONE_TEST_CLOCK"]))
    time.time_ns, time.time = _skew.time_ns, _skew.time

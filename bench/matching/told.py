"""What a tool tells about its own run: one line of JSON, the same for every tool. Imported by the peers' environments too."""

import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Told:
    """What a run took.

    Attributes:
        version: The tool's.
        cpu_s: CPU seconds of the process and those it has started, reading the records and learning included.
        wall_s: The same by the clock on the wall.
        peak_mib: The most memory the process had.
        learned_s: CPU seconds of that until the records were read and the model was there.
        compared: Pairs of records that were scored, where the tool says how many.
        note: What a reader of the figures must know of this run.
    """

    version: str
    cpu_s: float
    wall_s: float
    peak_mib: float
    learned_s: float
    compared: int | None = None
    note: str = ""


class Clock:
    """What has been used since it was made."""

    def __init__(self) -> None:
        self._begin, self._cpu = time.monotonic(), _cpu_s()
        self._learned = 0.0

    def learned(self) -> None:
        """From here on the model is used, not made."""
        self._learned = _cpu_s() - self._cpu

    def told(self, version: str, compared: int | None = None, note: str = "") -> Told:
        """What it took until now."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts it in KiB
        return Told(version, _cpu_s() - self._cpu, time.monotonic() - self._begin, peak, self._learned, compared, note)


def tell(told: Told) -> None:
    """Say it to whoever started this process."""
    print(json.dumps(asdict(told)), flush=True)


def folder_asked_for() -> Path:
    """The folder that stands on the command line."""
    return Path(sys.argv[1])


def _cpu_s() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime

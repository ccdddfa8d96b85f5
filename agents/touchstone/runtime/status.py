"""What a worker says about itself while it runs."""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

Phase = Literal["starting", "rebalancing", "restoring", "running", "draining"]

SILENCE_S = 15.0
"""A fetch is answered after a tenth of a second, with nothing if there is nothing: a broker that is silent for so long has gone."""


@dataclass(slots=True)
class RuntimeStatus:
    """Figures that others read and only the runtime writes; totals since the process started.

    `lag` counts, per topic, what lies between this worker's position and the end of its partitions (transaction markers count too).
    `clock_ms` is the time the journey partitions have been advanced to; `commit_seconds` is how long commits were under way (the worker goes on meanwhile).
    """

    phase: Phase = "starting"
    partitions: tuple[int, ...] = ()
    generation: int = -1
    batches: int = 0
    records: int = 0
    delivered_locally: int = 0
    batch_seconds: float = 0.0
    commits: int = 0
    commit_seconds: float = 0.0
    commit_seconds_max: float = 0.0
    commit_times: deque[float] = field(default_factory=lambda: deque(maxlen=10_000))
    """Seconds of each commit since somebody last took them out; `batch_times` likewise."""
    batch_times: deque[float] = field(default_factory=lambda: deque(maxlen=10_000))
    aborted: int = 0
    """Transactions thrown away: our own when a store broke, and those that a previous owner had left open."""
    restored: int = 0
    restore_remaining: int = 0
    restore_seconds: float = 0.0
    standby_behind: int = 0
    """Records of changelogs that the copies of others' partitions still lack."""
    rebalances: int = 0
    clock_ms: int | None = None
    lag: dict[str, int] = field(default_factory=dict)
    answered_at: float | None = None
    """When a broker last answered a fetch, by the monotonic clock; set when records begin to flow."""
    trouble: str | None = None
    """Why this worker cannot go on; the process ends at once."""

    @property
    def silent_s(self) -> float:
        """For how long no broker has answered, while records should flow."""
        return time.monotonic() - self.answered_at if self.phase == "running" and self.answered_at is not None else 0.0

    @property
    def state(self) -> str:
        """What the worker is doing, as others are told: its phase, or `disconnected`. It waits, and goes on by itself."""
        return "disconnected" if self.silent_s > SILENCE_S else self.phase

    @property
    def ready(self) -> bool:
        """Whether records flow."""
        return self.phase == "running"

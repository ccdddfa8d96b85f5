"""Sees whether a worker makes progress, and says why it does not; then the process ends, so that a supervisor starts it again.

Faust logs fatal errors of its consumer and lives on, a restore may wait for an answer that never comes, and a bug may hold the event
loop: each would be a worker that owns partitions and does nothing.
"""

import threading
import time
from collections.abc import Callable

from touchstone.errors import Stalled
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.status import RuntimeStatus

LOOKS_EVERY_S = 0.5
_JOINING = 3
"""A rebalance waits for the slowest member (60 s) and may come twice: joining may take so many times the limit of everything else."""


class Watchdog:
    """Asked again and again, from inside the event loop.

    Args:
        settings: how long nothing may happen.
        status: what the worker says about itself.
        alive_at: when something was last fetched or committed; None while nothing needs to be.
        committing_since: when the commit began that is under way, if one is: meanwhile the next records are fetched and handled.
        broken: why the consumer stopped working, if it did.
        now: a clock that never goes back, in seconds.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        status: RuntimeStatus,
        *,
        alive_at: Callable[[], float | None],
        committing_since: Callable[[], float | None],
        broken: Callable[[], str | None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit_s = settings.stall_timeout_ms / 1_000
        self._status = status
        self._alive_at = alive_at
        self._committing_since = committing_since
        self._broken = broken
        self._now = now
        self._seen: object = None
        self._seen_at = now()

    def look(self) -> None:
        """See whether all is well.

        Raises:
            Stalled: The consumer is dead, or nothing has moved for too long.
        """
        broken = self._broken()
        if broken is not None:
            raise Stalled(f"the consumer stopped working: {broken}")
        committing_since = self._committing_since()
        silent_s, what = self._silence() if committing_since is None else (self._now() - committing_since, "a commit has not ended")
        limit_s = self._limit_s * (_JOINING if self._status.phase in {"starting", "rebalancing"} else 1)
        if silent_s > limit_s:
            raise Stalled(f"{what} for {silent_s:.0f} s (limit {limit_s:.0f} s)")

    def _silence(self) -> tuple[float, str]:
        now, status, alive_at = self._now(), self._status, self._alive_at()
        seen = (status.phase, status.generation, status.restored, status.restore_remaining)
        if status.phase in {"running", "draining"} or seen != self._seen:
            self._seen, self._seen_at = seen, now
        silent_s = now - self._seen_at
        match status.phase:
            case "running":
                waiting = sum(status.lag.values())
                return 0.0 if alive_at is None else now - alive_at, f"nothing was fetched or committed, {waiting} records wait,"
            case "restoring":
                return (
                    silent_s,
                    f"the restore of {len(status.partitions)} partitions read nothing, {status.restore_remaining} records are left,",
                )
        return silent_s, "no partitions were assigned by the group"


class Heartbeat:
    """A thread that sees whether the event loop turns; from inside the loop nobody could.

    `stopped` is called in that thread, with the reason, and is expected to end the process.
    """

    def __init__(self, limit_s: float, stopped: Callable[[str], None]) -> None:
        self._limit_s = limit_s
        self._stopped = stopped
        self._turned_at = time.monotonic()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="touchstone-heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self.turned()
        self._thread.start()

    def turned(self) -> None:
        """The event loop turns. To be called from inside it, more often than every `limit_s`."""
        self._turned_at = time.monotonic()

    def stop(self) -> None:
        """The worker leaves; nobody needs to look any more."""
        self._is_over.set()

    def _watch(self) -> None:
        while not self._is_over.wait(min(LOOKS_EVERY_S, self._limit_s)):
            silent_s = time.monotonic() - self._turned_at
            if silent_s > self._limit_s:
                self._stopped(f"the event loop has not turned for {silent_s:.0f} s (limit {self._limit_s:.0f} s)")
                return

"""Where time comes from: milliseconds since the epoch, handed in so that tests own it."""

import time
from typing import Protocol


class Clock(Protocol):
    """Anything that tells the time."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        ...


class SystemClock:
    """The wall clock of this machine."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        return self._now_ms

    def move_to(self, now_ms: int) -> None:
        """Set the time; it may go back, as real clocks do."""
        self._now_ms = now_ms

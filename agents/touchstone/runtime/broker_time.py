"""What time it is at the brokers, as far as this worker can tell (decision 0017)."""


class BrokerTime:
    """The brokers' clock: the time at which they appended the last statement about the clock, and what has passed since it was read.

    Never ahead of the brokers, and behind them by no more than a statement is on its way. The wall clock of this machine, which somebody
    may set, has no part in it.
    """

    def __init__(self) -> None:
        self._ahead_ms: float | None = None

    def heard(self, appended_ms: int, monotonic_s: float) -> None:
        """A record that was appended then was read now."""
        self._ahead_ms = appended_ms - monotonic_s * 1_000

    def at(self, monotonic_s: float) -> int | None:
        """Milliseconds since 1970-01-01T00:00:00Z at this moment of the monotonic clock; None before anything was heard."""
        return None if self._ahead_ms is None else int(monotonic_s * 1_000 + self._ahead_ms)

"""What the runtime keeps about itself, as metrics."""

from collections import deque
from collections.abc import Mapping
from typing import Protocol

from touchstone.observe.metrics import (
    ABORTED,
    BATCH_SECONDS,
    CLOCK,
    COMMIT_SECONDS,
    LAG,
    LOCAL_MESSAGES,
    PARTITIONS,
    REBALANCES,
    RESTORE_REMAINING,
    RESTORED,
    STANDBY_BEHIND,
    TRANSACTIONS,
    Metric,
)
from touchstone.observe.registry import Registry


class Status(Protocol):
    """The figures of a worker (runtime/status.py): totals since the process started, and what was timed since they were last shown."""

    commits: int
    delivered_locally: int
    aborted: int
    restored: int
    restore_remaining: int
    standby_behind: int
    rebalances: int
    clock_ms: int | None
    commit_times: deque[float]
    batch_times: deque[float]

    @property
    def state(self) -> str:
        """What the worker is doing, as others are told."""
        ...

    @property
    def partitions(self) -> tuple[int, ...]:
        """The partitions of the journey stage that it owns."""
        ...

    @property
    def lag(self) -> Mapping[str, int]:
        """Records behind, per topic."""
        ...


def show_status(registry: Registry, status: Status) -> None:
    """Bring the registry up to date; what was timed is taken out of the status."""
    registry.set_state(status.state)
    registry.total(TRANSACTIONS, status.commits)
    registry.total(ABORTED, status.aborted)
    registry.total(LOCAL_MESSAGES, status.delivered_locally)
    registry.total(RESTORED, status.restored)
    registry.total(REBALANCES, status.rebalances)
    registry.set(RESTORE_REMAINING, status.restore_remaining)
    registry.set(STANDBY_BEHIND, status.standby_behind)
    registry.set(PARTITIONS, len(status.partitions))
    if status.clock_ms is not None:
        registry.set(CLOCK, status.clock_ms / 1_000)
    registry.replace(LAG, {(topic,): float(records) for topic, records in status.lag.items()})
    _observe(registry, COMMIT_SECONDS, status.commit_times)
    _observe(registry, BATCH_SECONDS, status.batch_times)


def _observe(registry: Registry, metric: Metric, times: deque[float]) -> None:
    while times:
        registry.observe(metric, times.popleft())

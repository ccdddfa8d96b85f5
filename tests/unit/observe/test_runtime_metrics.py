"""What the runtime keeps about itself appears on the page."""

from touchstone.observe.metrics import (
    BATCH_SECONDS,
    CLOCK,
    COMMIT_SECONDS,
    LAG,
    LOCAL_MESSAGES,
    PARTITIONS,
    RESTORE_REMAINING,
    STATE,
    TRANSACTIONS,
)
from touchstone.observe.registry import Registry
from touchstone.observe.runtime_metrics import show_status
from touchstone.runtime.status import RuntimeStatus


def test_the_status_of_a_worker_is_shown_and_totals_are_not_added_twice() -> None:
    """State, clock, lag and totals are those of the status however often it is shown; what was timed is taken out of it."""
    registry, status = Registry({"topic": ["touchpoints.web.v1"]}), RuntimeStatus()
    status.phase, status.partitions, status.clock_ms = "restoring", (0, 3), 1_714_557_600_500
    status.commits, status.delivered_locally, status.restore_remaining = 7, 20, 1_200
    status.lag = {"touchpoints.web.v1": 41}
    status.commit_times.extend([0.01, 0.02])
    status.batch_times.append(0.5)

    show_status(registry, status)
    show_status(registry, status)

    shown = {metric: registry.value(metric) for metric in (CLOCK, PARTITIONS, TRANSACTIONS, LOCAL_MESSAGES, RESTORE_REMAINING)}
    assert shown == {CLOCK: 1_714_557_600.5, PARTITIONS: 2, TRANSACTIONS: 7, LOCAL_MESSAGES: 20, RESTORE_REMAINING: 1_200}
    assert registry.value(STATE, "restoring") == 1
    assert registry.value(LAG, "touchpoints.web.v1") == 41
    page = registry.exposition()[0].decode()
    assert f"{COMMIT_SECONDS.name}_count 2.0" in page
    assert f"{BATCH_SECONDS.name}_sum 0.5" in page

"""The watchdog lets a slow worker live and ends one that stands still, with the reason."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from touchstone.errors import Stalled
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.status import Phase, RuntimeStatus
from touchstone.runtime.watchdog import Heartbeat, Watchdog

LIMIT_S = 60


class Bench:
    """A watchdog whose clock, status and consumer the test moves."""

    def __init__(self, phase: Phase) -> None:
        self.now = 1_000.0
        self.alive_at: float | None = None
        self.committing_since: float | None = None
        self.broken: str | None = None
        self.status = RuntimeStatus(phase=phase)
        settings = WorkerSettings(
            app="a", bootstrap="b", instance="i", data_dir=Path(), partitions=1, channel_topics=(), stall_timeout_ms=LIMIT_S * 1_000
        )
        self._watchdog = Watchdog(
            settings,
            self.status,
            alive_at=lambda: self.alive_at,
            committing_since=lambda: self.committing_since,
            broken=lambda: self.broken,
            now=lambda: self.now,
        )

    def after(self, seconds: float, change: Callable[[], None] = lambda: None) -> None:
        """Let time pass, change something, look."""
        self._watchdog.look()
        self.now += seconds
        change()
        self._watchdog.look()


def test_a_worker_that_fetches_or_commits_lives() -> None:
    """However long it runs, as long as something moves."""
    bench = Bench("running")

    for _ in range(10):
        bench.alive_at = bench.now
        bench.after(LIMIT_S - 1)


def test_a_worker_that_neither_fetches_nor_commits_is_ended() -> None:
    """The message says for how long, and how many records wait."""
    bench = Bench("running")
    bench.alive_at = bench.now
    bench.status.lag = {"touchpoints.web.v1": 17}

    with pytest.raises(Stalled, match=r"nothing was fetched or committed, 17 records wait, for 61 s \(limit 60 s\)"):
        bench.after(LIMIT_S + 1)


def test_a_commit_that_does_not_end_is_seen_though_fetching_goes_on() -> None:
    """Lag without commits: records of the next transaction are handled meanwhile, so fetching proves nothing."""
    bench = Bench("running")
    bench.committing_since = bench.now
    bench.alive_at = bench.now + LIMIT_S

    with pytest.raises(Stalled, match=r"a commit has not ended for 61 s"):
        bench.after(LIMIT_S + 1)


def test_a_worker_without_partitions_may_be_idle_for_ever() -> None:
    """More workers than partitions is a reserve, not a fault."""
    Bench("running").after(100 * LIMIT_S)


def test_a_dead_consumer_ends_the_worker_at_once() -> None:
    """Nobody waits for a limit when it is known."""
    bench = Bench("running")
    bench.broken = "its thread has ended"

    with pytest.raises(Stalled, match="the consumer stopped working: its thread has ended"):
        bench.after(0)


def test_a_restore_may_take_long_while_it_reads() -> None:
    """The limit is for silence, not for size."""
    bench = Bench("restoring")
    bench.status.restore_remaining = 1_000

    for _ in range(10):
        bench.after(LIMIT_S - 1, lambda: setattr(bench.status, "restored", bench.status.restored + 100))


def test_a_restore_that_reads_nothing_is_ended() -> None:
    """The message says how much was left."""
    bench = Bench("restoring")
    bench.status.partitions, bench.status.restore_remaining = (0, 1, 2), 1_000

    with pytest.raises(Stalled, match=r"the restore of 3 partitions read nothing, 1000 records are left, for 61 s"):
        bench.after(LIMIT_S + 1)


def test_a_group_that_assigns_nothing_ends_the_worker_later() -> None:
    """Joining waits for the slowest member, so it has three times the limit."""
    bench = Bench("starting")

    bench.after(2 * LIMIT_S)
    with pytest.raises(Stalled, match="no partitions were assigned by the group for 181 s"):
        bench.after(LIMIT_S + 1)


def test_a_new_phase_begins_a_new_silence() -> None:
    """What was waited for in one phase does not count in the next."""
    bench = Bench("starting")
    bench.after(2 * LIMIT_S)

    bench.after(LIMIT_S - 1, lambda: setattr(bench.status, "phase", "restoring"))


def test_an_event_loop_that_stands_still_is_seen_from_outside() -> None:
    """The heartbeat is a thread: from inside the loop nobody could see it."""
    reasons: list[str] = []
    was_called = threading.Event()

    def stopped(reason: str) -> None:
        reasons.append(reason)
        was_called.set()

    Heartbeat(0.05, stopped).start()

    assert was_called.wait(10)
    assert "the event loop has not turned for" in reasons[0]


def test_a_worker_that_leaves_is_not_ended_by_its_heartbeat() -> None:
    """After `stop` nobody looks any more."""
    was_called = threading.Event()
    heartbeat = Heartbeat(0.05, lambda _: was_called.set())

    heartbeat.start()
    heartbeat.stop()

    assert not was_called.wait(0.5)

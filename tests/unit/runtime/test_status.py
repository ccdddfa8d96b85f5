"""What a worker says it is doing."""

import time

import pytest

from touchstone.app import why
from touchstone.runtime.status import SILENCE_S, Phase, RuntimeStatus


def test_a_worker_that_no_broker_answers_is_disconnected_and_says_since_when() -> None:
    """It runs as far as it knows, but nobody should send work its way or believe its lag."""
    status = RuntimeStatus(phase="running", answered_at=time.monotonic() - SILENCE_S - 5)

    assert status.state == "disconnected"
    assert why(status).startswith("no broker has answered for 20 s")


@pytest.mark.parametrize("phase", ["starting", "rebalancing", "restoring", "draining"])
def test_silence_counts_only_while_records_should_flow(phase: Phase) -> None:
    """Nothing is fetched meanwhile."""
    assert RuntimeStatus(phase=phase, answered_at=time.monotonic() - 100).state == phase


def test_a_worker_that_is_answered_runs() -> None:
    """A moment of silence is nothing."""
    assert RuntimeStatus(phase="running", answered_at=time.monotonic() - 1).state == "running"

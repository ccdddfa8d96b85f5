"""What a worker says it is doing."""

import time
from pathlib import Path

import pytest

from touchstone.app import WorkerOptions, begun, why
from touchstone.runtime.status import SILENCE_S, Phase, RuntimeStatus
from touchstone.topology.load import default_topology_path, load_topology


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


@pytest.mark.parametrize(("port", "page"), [(34_567, "health and metrics on http://127.0.0.1:34567"), (None, "no page")])
def test_a_worker_says_at_its_start_who_it_is_and_where_it_can_be_looked_at(port: int | None, page: str) -> None:
    """With `--web-port 0` nobody could know otherwise."""
    options = WorkerOptions(app="shop", bootstrap="kafka:9092", instance="w1", data_dir=Path("/state"))

    said = begun(load_topology(default_topology_path()), options, port)

    assert said.startswith("worker w1 of shop has begun: topology retail, 12 partitions, clock wall, Kafka at kafka:9092, state in /state")
    assert said.endswith(page)

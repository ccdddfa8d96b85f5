"""Workers as processes, where no Kafka is to be had."""

import asyncio
from pathlib import Path

import pytest

from touchstone.devkit.workers import Workers, _environment
from touchstone.errors import Unavailable
from touchstone.topology.load import default_topology_path, load_topology


@pytest.fixture
def workers(tmp_path: Path) -> Workers:
    """Of a Kafka that is not there."""
    return Workers("127.0.0.1:1", default_topology_path(), load_topology(default_topology_path()), tmp_path)


def test_a_worker_that_dies_is_named_with_the_end_of_its_log(workers: Workers) -> None:
    """Whoever waits for it is told why, instead of waiting on."""
    workers.start("w1")

    with pytest.raises(Unavailable, match=r"(?s)worker w1 ended by itself with code 1; the end of its log:\n.*127\.0\.0\.1:1"):
        asyncio.run(workers.until_ready("w1"))

    assert workers.stop() == {"w1": 1}


def test_what_does_not_leave_in_time_is_ended(workers: Workers) -> None:
    """After `stop` nothing runs any more, however little time it was given."""
    workers.start("w1")
    process = workers.workers["w1"]

    workers.stop(0)

    assert process.poll() is not None
    assert not workers.workers


def test_a_page_that_nobody_serves_is_empty(workers: Workers) -> None:
    """Before a worker listens, and after it has gone, there is no address and no answer."""
    assert workers.address("w1") is None
    assert not workers.page("w1", "/health/ready")


def test_where_bytecode_may_not_lie_beside_the_sources_it_is_cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Compiling everything anew is half of a worker's start."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)

    environment = _environment({"A": "b"})

    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert environment["PYTHONPYCACHEPREFIX"] == str(tmp_path / "touchstone" / "bytecode")
    assert environment["A"] == "b"

"""What a worker answers while it starts, restores, runs, shares its partitions, and leaves: always what is true."""

import asyncio
import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kafka.runtime_rig import wait_until
from touchstone.devkit.broker import EmbeddedKafka
from touchstone.devkit.live import LiveSystem
from touchstone.runtime.failpoint import VARIABLE
from touchstone.topology.load import default_topology_path, load_topology


@pytest.fixture
def system(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[LiveSystem]:
    """A live system with its topics; no worker is left behind."""
    file = default_topology_path()
    topology = replace(load_topology(file), partitions=2)
    live = LiveSystem(kafka, file, topology, tmp_path, app=f"{topic_prefix}app", prefix=topic_prefix, session_timeout_s=3)
    asyncio.run(live.create_topics())
    yield live
    live.stop(0)


def ask(system: LiveSystem, name: str, path: str) -> tuple[int, dict[str, str]]:
    """Status and body of a page, also where it is an error; (0, {}) while nobody answers."""
    address = system.address(name)
    try:
        with urllib.request.urlopen(f"{address}{path}", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except (OSError, ValueError):
        return 0, {}


def wait_for_state(system: LiveSystem, name: str, state: str) -> tuple[int, dict[str, str]]:
    """Wait until the worker says that it is doing this; what `/health/ready` answered then."""
    wait_until(
        lambda: ask(system, name, "/health/ready")[1].get("state") == state,
        60,
        lambda: f"{name} never said {state}, but {ask(system, name, '/health/ready')}\n{system.log_tail(name)}",
    )
    return ask(system, name, "/health/ready")


def arm(failpoint: str, stall_s: int = 60) -> dict[str, str]:
    """The environment of a worker that is to be held at a place."""
    return {VARIABLE: failpoint, "TOUCHSTONE_STALL_TIMEOUT": str(stall_s)}


def test_a_restore_is_alive_and_not_ready_and_a_stuck_one_ends(system: LiveSystem) -> None:
    """It says what it waits for; when nothing moves for too long the process ends with the reason in the last line."""
    system.start("w1", arm("restore.before_read:1:hang", stall_s=6))

    status, ready = wait_for_state(system, "w1", "restoring")
    live, _ = ask(system, "w1", "/health/live")
    code = system.workers.pop("w1").wait(60)

    assert (status, live, code) == (503, 200, 70)
    assert "changelog records are still to be read" in ready["reason"]
    last = json.loads(system.log_tail("w1").splitlines()[-1])
    assert "exit code 70: Stalled: the restore of 2 partitions read nothing" in last["event"]


def test_while_partitions_change_hands_nobody_says_ready(system: LiveSystem) -> None:
    """The old owner, held while it hands over, is rebalancing; the new one is starting; both are alive; in the end both are ready."""
    system.start("w1", arm("rebalance.before_commit:2:hang"))
    running, _ = wait_for_state(system, "w1", "running")
    system.start("w2")

    old, said = wait_for_state(system, "w1", "rebalancing")
    new, _ = wait_for_state(system, "w2", "starting")
    lives = [ask(system, name, "/health/live")[0] for name in ("w1", "w2")]
    system.kill("w1")
    ready, _ = wait_for_state(system, "w2", "running")

    assert (running, old, new, ready) == (200, 503, 503, 200)
    assert lives == [200, 200]
    assert "change hands" in said["reason"]


def test_a_worker_that_leaves_is_alive_and_not_ready_until_it_has_gone(system: LiveSystem) -> None:
    """Held before its last commit it says that it drains; that it ends all the same is seen in test_runtime_worker.py."""
    system.start("w1", arm("rebalance.before_commit:2:hang"))
    wait_for_state(system, "w1", "running")
    system.workers["w1"].terminate()

    status, ready = wait_for_state(system, "w1", "draining")
    live, _ = ask(system, "w1", "/health/live")

    assert (status, live) == (503, 200)
    assert "finishing the last transaction" in ready["reason"]


def test_a_worker_whose_broker_is_silent_says_so_and_goes_on_when_it_is_back(tmp_path: Path) -> None:
    """The connection stands and nobody answers: the worker is alive and not ready, and loses nothing."""
    file = default_topology_path()
    with EmbeddedKafka() as broker:
        topology = replace(load_topology(file), partitions=2)
        system = LiveSystem(broker.bootstrap, file, topology, tmp_path, app="silent", session_timeout_s=30)
        asyncio.run(system.create_topics())
        system.start("w1")
        try:
            before, _ = wait_for_state(system, "w1", "running")
            pid = broker.pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            try:
                silent, said = wait_for_state(system, "w1", "disconnected")
                live, _ = ask(system, "w1", "/health/live")
            finally:
                os.kill(pid, signal.SIGCONT)
            after, _ = wait_for_state(system, "w1", "running")
        finally:
            system.stop()

    assert (before, silent, live, after) == (200, 503, 200, 200)
    assert "no broker has answered for" in said["reason"]

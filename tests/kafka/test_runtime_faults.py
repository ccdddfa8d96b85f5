"""Whatever is killed whenever: every source record has its effect once."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.runtime_rig import Rig, rig
from touchstone.runtime.failpoint import PLACES


@pytest.fixture
def toy(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[Rig]:
    """A toy application."""
    with rig(kafka, topic_prefix, tmp_path) as application:
        yield application


@pytest.mark.parametrize("keeps_state", [True, False], ids=["state kept", "state wiped"])
def test_four_kills_inside_commits_lose_nothing_and_double_nothing(toy: Rig, *, keeps_state: bool) -> None:
    """Killed at four steps of the commit protocol, a worker that starts again ends with every record counted once."""
    kills = ["commit.before_write:3:kill", "commit.before_settle:4:kill", "commit.before_end:2:kill", "commit.before_stores:5:kill"]
    toy.produce(8_000)

    for number, failpoint in enumerate(kills):
        data = toy.folder / ("state" if keeps_state else f"state-{number}")
        code = toy.start("w", failpoint=failpoint, data=data, commit_records=500).wait()
        assert code == -9
    toy.start("w", data=toy.folder / ("state" if keeps_state else "state-last"))
    toy.wait_until_done()

    outcome = toy.outcome()
    assert outcome.is_exact, outcome
    assert outcome.aborted > 0, "the kills were to fall into open transactions"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_kill_at_every_failpoint_loses_nothing_and_doubles_nothing(toy: Rig) -> None:
    """Killed before and after every numbered step of the commit, of a restore and of a rebalance, its disk lost now and then."""
    # The toy absorbs nothing (tests/fault/ walks there), and no worker makes a generation (test_generations.py kills there).
    places = [place for place in PLACES if not place.startswith(("deliver.", "generation."))]
    for number, place in enumerate(places):
        toy.produce(600)
        if place.startswith("restore."):
            shutil.rmtree(toy.folder / "w", ignore_errors=True)
        # The first commit of a worker may say nothing but the time; a later one has records in its transaction.
        visit = 3 if place == "commit.before_end" else 1
        worker = toy.start("w", failpoint=f"{place}:{visit}:kill", commit_records=100)
        if place.startswith("rebalance.") and place != "rebalance.assigned":
            toy.start(f"joiner-{number}")

        assert worker.wait() == -9, place
    toy.start("w")
    toy.wait_until_done()

    outcome = toy.outcome()
    assert outcome.is_exact, outcome
    assert outcome.aborted > 0, "some kills were to fall into open transactions"


def test_two_workers_join_die_and_leave_under_load(toy: Rig) -> None:
    """A join, a kill -9, a restart, and SIGTERM, under load: nothing is lost, nothing doubled."""
    first = toy.start("a")
    first.wait_until_ready()
    toy.produce(2_000)
    second = toy.start("b")
    second.wait_until_ready()
    toy.produce(3_000, rate=3_000)
    first.kill()
    toy.produce(2_000, rate=3_000)
    second.wait_until_ready(2)
    first = toy.start("a")
    first.wait_until_ready()
    toy.produce(2_000, rate=3_000)

    code, seconds = second.terminate()
    toy.produce(1_000)
    toy.wait_until_done()

    assert code == 0
    assert seconds < 8
    assert toy.outcome().is_exact, toy.outcome()

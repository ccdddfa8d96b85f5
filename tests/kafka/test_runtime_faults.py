"""Whatever is killed whenever: every source record has its effect once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.runtime_rig import Rig, rig


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

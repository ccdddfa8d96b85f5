"""How soon another worker, or the same one again, goes on: static membership, warm copies, a restore that is resumed."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kafka.runtime_rig import Rig, Worker, rig, wait_until

_READY = re.compile(r"group generation (\d+): (\d+) partitions ready, (\d+) records restored")
_UP_TO_DATE = "copies of 4 stores of other workers are up to date"


@pytest.fixture
def toy(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[Rig]:
    """A toy application."""
    with rig(kafka, topic_prefix, tmp_path) as application:
        yield application


def takeovers(worker: Worker) -> list[tuple[int, int, int]]:
    """Every time it took partitions over: generation, how many partitions it owns, records restored."""
    return [(int(a), int(b), int(c)) for a, b, c in _READY.findall(worker.text())]


def until_owning(worker: Worker, partitions: int) -> None:
    """Wait until it owns so many partitions."""
    wait_until(lambda: bool(takeovers(worker)) and takeovers(worker)[-1][1] == partitions, 60, worker.text)


@pytest.mark.parametrize("is_killed", [False, True], ids=["stopped", "killed"])
def test_a_static_member_that_comes_back_keeps_its_partitions_and_disturbs_nobody(toy: Rig, *, is_killed: bool) -> None:
    """Within the session timeout the group gives it what it had, in the same generation; the other worker never stands still."""
    static: dict[str, Any] = {"static_membership": True, "session_timeout_ms": 30_000}
    toy.produce(4_000)
    other, worker = toy.start("a", **static), toy.start("b", **static)
    until_owning(other, 2)
    until_owning(worker, 2)
    before = takeovers(other)

    if is_killed:
        worker.kill()
    else:
        assert worker.terminate()[0] == 0
    again = toy.start("b", **static)
    until_owning(again, 2)
    toy.produce(4_000)
    toy.wait_until_done()

    assert takeovers(other) == before
    assert [generation for generation, _, _ in takeovers(again)] == [before[-1][0]]
    assert toy.outcome().is_exact


def test_a_worker_with_warm_copies_takes_over_without_a_restore(toy: Rig) -> None:
    """It has followed the changelogs of the other's partitions: what is left to read is what was committed in the last moments."""
    toy.produce(8_000)
    worker = toy.start("a", commit_records=500)
    toy.wait_until_done()
    other = toy.start("b", standby=True)
    wait_until(lambda: _UP_TO_DATE in other.text(), 60, other.text)
    from_nothing = takeovers(other)[-1][2]

    worker.kill()
    until_owning(other, 4)

    assert from_nothing > 1_000, "half of the state had to be read when it came"
    assert takeovers(other)[-1][2] < from_nothing / 20
    toy.produce(1_000)
    toy.wait_until_done()
    assert toy.outcome().is_exact


def test_copies_are_kept_of_what_was_ours_and_given_back_when_it_is_again(toy: Rig) -> None:
    """A partition that goes to another worker and comes back needs nothing but what happened meanwhile."""
    toy.produce(8_000)
    worker = toy.start("a", commit_records=500, standby=True)
    toy.wait_until_done()
    other = toy.start("b", commit_records=500)
    until_owning(other, 2)
    wait_until(lambda: _UP_TO_DATE in worker.text(), 60, worker.text)

    assert other.terminate()[0] == 0
    until_owning(worker, 4)

    assert takeovers(worker)[-1][2] < 200
    toy.produce(1_000)
    toy.wait_until_done()
    assert toy.outcome().is_exact


def test_a_restore_that_was_killed_goes_on_where_it_was(toy: Rig) -> None:
    """What was read is on disk together with its offset."""
    toy.produce(20_000)
    first = toy.start("w", commit_records=500)
    toy.wait_until_done()
    assert first.terminate()[0] == 0
    whole = toy.start("v")
    until_owning(whole, 4)
    total = takeovers(whole)[-1][2]
    assert whole.terminate()[0] == 0
    shutil.rmtree(toy.folder / "w")

    code = toy.start("w", failpoint="restore.while_reading:4:kill").wait()
    again = toy.start("w")
    until_owning(again, 4)

    assert code == -9
    assert 0 < takeovers(again)[-1][2] < total
    toy.wait_until_done()
    assert toy.outcome().is_exact

"""A worker that stands still ends by itself, with 70 and the reason in its last line; another one goes on, and nothing is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.runtime_rig import Rig, rig


@pytest.fixture
def toy(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[Rig]:
    """A toy application."""
    with rig(kafka, topic_prefix, tmp_path) as application:
        yield application


@pytest.mark.parametrize(
    ("failpoint", "reason"),
    [
        ("consumer.poll:5:exit", "Stalled: the consumer stopped working"),
        ("consumer.poll:5:raise", "Stalled: the consumer stopped working"),
        ("commit.before_write:2:hang", "Stalled: a commit has not ended"),
        ("restore.before_read:1:hang", "Stalled: the restore of 4 partitions read nothing"),
        ("batch.after_body:2:hang", "Stalled: the event loop has not turned"),
    ],
    ids=["the consumer's thread dies", "fetching fails", "lag without commits", "a stuck restore", "a stage that never returns"],
)
def test_a_worker_that_stands_still_is_replaced(toy: Rig, failpoint: str, reason: str) -> None:
    """Each fault is real: the thread ends, the commit waits for ever, the loop is held. The next worker does the work, exactly."""
    toy.produce(2_000)

    worker = toy.start("w", failpoint=failpoint, stall_timeout_ms=3_000)
    code = worker.wait(60)

    assert code == 70
    assert reason in worker.text().splitlines()[-1]
    toy.start("w")
    toy.wait_until_done()
    assert toy.outcome().is_exact, toy.outcome()

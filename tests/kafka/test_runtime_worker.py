"""How a worker starts, works, and leaves."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.runtime_rig import Rig, rig, wait_until


@pytest.fixture
def toy(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[Rig]:
    """A toy application."""
    with rig(kafka, topic_prefix, tmp_path) as application:
        yield application


def test_a_plain_run_is_exact_and_sigterm_leaves_quickly(toy: Rig) -> None:
    """Every record has its effect once, the end is reached, and SIGTERM ends the worker within seconds, with 0."""
    toy.produce(5_000)
    worker = toy.start("w")
    toy.wait_until_done()

    code, seconds = worker.terminate()

    assert code == 0
    assert seconds < 8
    outcome = toy.outcome()
    assert outcome.is_exact, outcome
    assert outcome.aborted == 0, "an orderly run leaves nothing behind"


def test_sigterm_under_load_commits_what_was_done(toy: Rig) -> None:
    """A worker that is asked to leave in the middle of its work leaves nothing to abort, and its successor goes on exactly there."""
    toy.produce(40_000)
    worker = toy.start("w", commit_interval_ms=200)
    wait_until(lambda: toy.unread() < 40_000, 40, worker.text)

    code, _ = worker.terminate()
    half = toy.outcome()
    toy.start("v")
    toy.wait_until_done()

    assert code == 0
    assert half.doubled == half.wrong_counts == half.aborted == 0
    assert 0 < half.missing < 40_000, "it was to be stopped in the middle"
    assert toy.outcome().is_exact


def test_sigterm_while_it_starts_ends_a_worker_too(toy: Rig) -> None:
    """Asked to leave before it owns anything, a worker leaves; no thread of it keeps the process alive."""
    worker = toy.start("w")
    wait_until((toy.folder / "w" / "faust").exists, 40, worker.text)

    code, seconds = worker.terminate()

    assert code == 0
    assert seconds < 8


def test_without_local_delivery_everything_goes_through_the_topics(toy: Rig) -> None:
    """Two workers that hand nothing over in memory come to the same result."""
    first, second = toy.start("a", local_delivery=False), toy.start("b", local_delivery=False)
    first.wait_until_ready()
    second.wait_until_ready()

    toy.produce(3_000)
    toy.wait_until_done()

    assert toy.outcome().is_exact


def test_a_stopped_worker_that_wakes_up_is_fenced(toy: Rig) -> None:
    """A worker that stood still for longer than its session cannot commit any more: its partitions belong to another one."""
    toy.produce(4_000)
    zombie = toy.start("a", failpoint="commit.before_end:3:stop", commit_records=500)
    wait_until(lambda: is_stopped(zombie.process.pid), 40, zombie.text)
    survivor = toy.start("b")
    survivor.wait_until_ready()
    toy.wait_until_done()

    zombie.process.send_signal(signal.SIGCONT)

    assert zombie.wait() == 75, zombie.text()
    assert toy.outcome().is_exact


def test_an_unexpected_error_ends_the_process_without_a_commit(toy: Rig) -> None:
    """An error in the middle of a transaction ends the worker with 70; its successor counts everything once."""
    toy.produce(3_000)
    code = toy.start("w", failpoint="batch.after_body:6:raise").wait()
    toy.start("w")
    toy.wait_until_done()

    assert code == 70
    assert toy.outcome().is_exact


def test_state_of_another_topology_is_refused(toy: Rig) -> None:
    """A state that was folded with another topology is not continued: the worker says so and ends."""
    toy.produce(1_000)
    worker = toy.start("w")
    toy.wait_until_done()
    worker.terminate()

    other = toy.start("w", fingerprint="toy-2")

    assert other.wait() == 2
    assert 'program: was "toy-1", is "toy-2"' in other.text()
    assert "Joined group" not in other.text()


def test_corrupt_state_is_rebuilt_at_start(toy: Rig) -> None:
    """A database that cannot be opened, and one whose blocks are damaged, are thrown away and rebuilt from the changelog."""
    toy.produce(4_000)
    worker = toy.start("w")
    toy.wait_until_done()
    worker.terminate()
    for database in sorted((toy.folder / "w").glob("second-*")):
        damage(database)

    worker = toy.start("w")
    toy.produce(4_000)
    toy.wait_until_done()

    assert worker.text().count("it will be rebuilt from its changelog") == 4, worker.text()
    outcome = toy.outcome()
    assert outcome.is_exact, outcome


def test_state_that_breaks_while_it_is_used_is_rebuilt_without_a_restart(toy: Rig) -> None:
    """A damaged block that is met in the middle of a transaction undoes it; the store is rebuilt and the records are read again."""
    toy.produce(4_000)
    worker = toy.start("w", breaks_after=3_000, commit_records=500)
    toy.wait_until_done()

    assert "a block is damaged" in worker.text()
    assert worker.text().count("partitions ready") == 2
    assert worker.terminate()[0] == 0
    outcome = toy.outcome()
    assert outcome.is_exact, outcome


def test_missing_topics_are_named_with_the_command_that_creates_them(toy: Rig) -> None:
    """A worker does not create topics on the fly: it says which are missing, and what to do."""
    worker = toy.start("w", output_topics=[f"{toy.app}-nowhere"])

    assert worker.wait() == 2
    assert f"{toy.app}-nowhere: missing" in worker.text()
    assert "touchstone topics apply" in worker.text()


def test_a_data_directory_serves_one_worker(toy: Rig) -> None:
    """A second worker in the same directory is told so at once."""
    first = toy.start("a", data=toy.folder / "shared")
    first.wait_until_ready()

    second = toy.start("b", data=toy.folder / "shared")

    assert second.wait() == 2
    assert "found another worker in it" in second.text()


def is_stopped(pid: int) -> bool:
    """Whether the process was stopped by a signal."""
    return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "T"


def damage(database: Path) -> None:
    """Overwrite the middle of every file that holds data."""
    for file in database.iterdir():
        if file.suffix in {".sst", ".log"} or file.name.startswith(("MANIFEST", "CURRENT")):
            size = file.stat().st_size
            with file.open("r+b") as handle:
                handle.seek(size // 3)
                handle.write(os.urandom(max(1, size // 3)))

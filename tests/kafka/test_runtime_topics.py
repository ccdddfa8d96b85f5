"""Topics that are deleted and made again under a worker: it says so and stops; nothing is skipped or forgotten in silence."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.runtime_rig import STAGES, Rig, Worker, rig, wait_until
from touchstone.runtime.admin import TopicSpec, application_topics, apply, partition_counts
from touchstone.runtime.agreement import read_agreement
from touchstone.runtime.generation import begin
from touchstone.runtime.scratch import remove


@pytest.fixture
def toy(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[Rig]:
    """A toy application."""
    with rig(kafka, topic_prefix, tmp_path) as application:
        yield application


def delete(toy: Rig, topic: str) -> None:
    """Delete a topic and wait until it is gone."""
    asyncio.run(remove(toy.bootstrap, [topic]))
    wait_until(lambda: not asyncio.run(partition_counts(toy.bootstrap, [topic])), 30, lambda: f"{topic} is still there")


def create(toy: Rig, topic: str) -> None:
    """Make it again, empty, as it was."""
    specs = {spec.name: spec for spec in application_topics(toy.app, STAGES, 4)}
    asyncio.run(apply(toy.bootstrap, [specs.get(topic, TopicSpec(topic, 4))]))


def test_a_channel_topic_deleted_under_a_worker_stops_it(toy: Rig) -> None:
    """Going on, the worker would read nothing of that channel and look healthy. The command that it recommends means the same topics."""
    worker = toy.start("w", topic_options=" --app toy --topic-prefix trial.")
    toy.produce(1_000)
    toy.wait_until_done()

    delete(toy, f"{toy.app}-source")

    assert worker.wait() == 2, worker.text()
    assert f"expected the topics {toy.app}-source, found them deleted" in worker.text()
    assert "`touchstone topics apply --app toy --topic-prefix trial.`" in worker.text()


def test_a_channel_topic_made_again_while_nobody_ran_is_read_from_its_beginning(toy: Rig) -> None:
    """Kafka forgets a group's offsets together with the topic, so nothing of the new one is skipped."""
    worker = toy.start("w")
    toy.produce(3_000)
    toy.wait_until_done()
    worker.terminate()

    delete(toy, f"{toy.app}-source")
    create(toy, f"{toy.app}-source")
    toy.start("w")
    toy.produce(6_000)
    toy.wait_until_done()

    assert toy.outcome().is_exact, toy.outcome()


@pytest.mark.parametrize("disk", ["kept", "lost"])
def test_a_changelog_made_again_is_refused_and_the_disk_is_left_alone(toy: Rig, disk: str) -> None:
    """Its records were the state: a worker that began anew would forget everybody and go on counting from nothing."""
    worker = toy.start("w")
    toy.produce(3_000)
    toy.wait_until_done()
    worker.terminate()
    before = sorted(path.name for path in (toy.folder / "w").glob("second-*"))

    delete(toy, f"{toy.app}.second.changelog")
    create(toy, f"{toy.app}.second.changelog")
    worker = toy.start("w" if disk == "kept" else "v")

    assert worker.wait() == 2, worker.text()
    assert "deleted and made again" in worker.text()
    assert sorted(path.name for path in (toy.folder / "w").glob("second-*")) == before
    assert "rebuilding" not in worker.text()


def test_a_changelog_made_again_under_a_worker_ends_it_and_is_refused_afterwards(toy: Rig) -> None:
    """What it writes then has offsets that its store has passed: it stops, and whoever comes next says why."""
    worker = toy.start("w")
    for _ in range(4):  # so many transactions at least: the local store is further than the first one of the new changelog
        toy.produce(1_000)
        toy.wait_until_done()

    delete(toy, f"{toy.app}.second.changelog")
    create(toy, f"{toy.app}.second.changelog")
    toy.produce(1_000)

    assert worker.wait() == 70, worker.text()
    successor = toy.start("w")
    assert successor.wait() == 2, successor.text()
    assert "deleted and made again" in successor.text()


def test_a_worker_that_joins_late_reads_nothing_once_a_change_was_begun(toy: Rig) -> None:
    """It has looked before the change was begun, and is no member when the change looks for some: what it read would be lost to the new generation."""
    first = toy.start("first")
    first.wait_until_ready()
    first.terminate()
    toy.produce(300)
    late = toy.start("late", failpoint="start.before_join:1:stop")
    wait_until(lambda: is_stopped(late), 40, late.text)

    async def change() -> None:
        stands = await read_agreement(toy.bootstrap, toy.app)
        assert stands is not None
        await begin(toy.bootstrap, toy.app, "repartition", 6, stands)

    asyncio.run(change())
    late.process.send_signal(signal.SIGCONT)

    assert late.wait() == 2, late.text()
    assert "was begun and is not finished" in late.text()
    assert toy.unread() == 300, late.text()


def is_stopped(worker: Worker) -> bool:
    """Whether the process has stopped itself."""
    return "State:\tT" in Path(f"/proc/{worker.process.pid}/status").read_text()

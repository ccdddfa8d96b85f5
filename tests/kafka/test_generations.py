"""New generations of the state on a real broker: re-partitioned, built anew, broken off, refused."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from tests.kafka.test_end_to_end import run, system_on, until
from touchstone.app import channel_topics, input_topics, topic_specs
from touchstone.devkit.live import LiveSystem
from touchstone.devkit.trial import repeated
from touchstone.model.output import Moment
from touchstone.pipeline import JOURNEY
from touchstone.runtime.admin import group_members, partition_counts
from touchstone.runtime.agreement import read_agreement
from touchstone.runtime.client import group_lag, read_topic
from touchstone.runtime.failpoint import VARIABLE
from touchstone.runtime.names import generation_base, internal_topic
from touchstone.runtime.scratch import remove
from touchstone.simulate import Simulation, simulate
from touchstone.testing.generator import generate
from touchstone.topology.load import default_topology_path
from touchstone.view import FinalView, diff


async def topics(
    system: LiveSystem, *arguments: str, partitions: int | None = None, environment: dict[str, str] | None = None
) -> tuple[int, str]:
    """Run `touchstone topics …` for this system, as a process that can be killed. Returns its exit code and all it has said."""
    command = [sys.executable, "-m", "touchstone", "topics", *arguments, "--topology", str(system.topology_file), "--app", system.app]
    command += [
        "--topic-prefix",
        system.prefix,
        "--partitions",
        str(partitions or system.topology.partitions),
        "--bootstrap",
        system.bootstrap,
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.DEVNULL,  # nobody is there to answer
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | (environment or {}),
    )
    said, _ = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode or 0, said.decode()


async def work(system: LiveSystem, lines: list[bytes], as_of: int | None, *, workers: tuple[str, ...] = ("w1",)) -> None:
    """Send lines, let workers read everything, and stop them."""
    for name in workers:
        system.start(name)
    await system.until_ready(*workers)
    await system.send(lines)
    await system.until_quiet(as_of, seconds=120)
    assert set((await asyncio.to_thread(system.stop)).values()) == {0}
    await until(lambda: nobody_is_left(system), "the group to be empty")


async def nobody_is_left(system: LiveSystem) -> bool:
    """Whether the group has no members."""
    return not await group_members(system.bootstrap, system.app)


async def agrees(system: LiveSystem, truth: Simulation) -> None:
    """What readers believe is what the twin says, and no revision was said twice."""
    records = await system.records()
    assert not diff(FinalView(records).final(truth.as_of, system.topology.retention_ms), truth.final)
    assert repeated(records) == 0


def test_a_state_moves_to_more_and_to_fewer_partitions_and_goes_on(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """4 -> 6 -> 1: killed in the middle of the first move, which is then finished; the view is the twin's, outputs keep their partitions."""
    generated = generate(1_500, seed=31)
    lines = list(generated.lines)
    system = system_on(kafka, tmp_path, topic_prefix)
    truth = simulate(lines, system.topology)

    async def story() -> None:
        await work(system, lines[:500], None)
        code, said = await topics(system, "repartition", "--yes", partitions=6, environment={VARIABLE: "generation.before_end:3:kill"})
        assert code == -signal.SIGKILL, said
        system.start("w1")
        assert await asyncio.to_thread(system.workers.pop("w1").wait, 60) == 2
        assert "`touchstone topics repartition` of" in system.log_tail("w1")
        code, said = await topics(system, "repartition", "--yes", partitions=6)
        assert code == 0, said

        await move_on(system, 2, 6)
        await work(system, lines[500:1_000], None, workers=("w1", "w2", "w3", "w4"))
        code, said = await topics(system, "repartition", "--yes", partitions=1)
        assert code == 0, said
        system.generation, system.topology = 3, replace(system.topology, partitions=1)
        await work(system, lines[1_000:], truth.as_of)

        await agrees(system, truth)
        outputs = [system.topology.topics.moments, system.topology.topics.customers]
        assert await partition_counts(kafka, outputs) == dict.fromkeys(outputs, 4)
        assert not [path.name for path in (tmp_path / "w1").iterdir() if path.name.startswith(("journey-", "g2-"))]

    run(system, story)


async def move_on(system: LiveSystem, generation: int, partitions: int) -> None:
    """From now on the system is on this generation; a worker with another number of partitions is told what to do."""
    system.start("w1")
    assert await asyncio.to_thread(system.workers.pop("w1").wait, 60) == 2
    assert "touchstone topics repartition" in system.log_tail("w1")
    system.generation = generation
    system.topology = replace(system.topology, partitions=partitions)


def test_a_state_that_is_lost_with_its_changelogs_is_built_anew(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """E3: all of the application's own topics are gone. Touchpoints are read again under a topology that says `abandoned` later: ids stay,
    revisions rise, and what is no longer true is retracted.
    """
    generated = generate(1_500, seed=32)
    lines = list(generated.lines)
    file = tmp_path / "topology.yaml"
    file.write_text(default_topology_path().read_text().replace("for: 48h", "for: 90h"))
    system = system_on(kafka, tmp_path / "state", topic_prefix)
    other = system_on(kafka, tmp_path / "state", topic_prefix, file)
    truth, truth_then = simulate(lines, system.topology), simulate(lines, other.topology)

    async def story() -> None:
        await work(system, lines, truth.as_of)
        before = await system.records()
        code, said = await topics(other, "rebuild", "--dry-run")
        assert code == 0, said
        assert "touchpoints are left to read" in said
        own = [spec.name for spec in topic_specs(system.topology, system.app) if spec.name.startswith(system.app)]
        changelogs = [name for name in own if "agreement" not in name and "clock" not in name]
        await remove(kafka, changelogs)
        code, said = await topics(other, "rebuild", "--yes")
        assert code == 0, said

        other.generation = 2
        await work(other, [], truth.as_of, workers=("w1", "w2"))

        await agrees(other, truth_then)
        again = await other.records()
        said_then = [r for r in again if r not in before]
        known = {r.moment_id: r for r in FinalView(before).moments.values() if r.action == "assert"}
        standing = {r.moment_id for r in FinalView(again).moments.values() if r.action == "assert"}
        withdrawn = known.keys() - standing
        assert withdrawn, "the other topology was to make something untrue"
        retracted = [r for r in said_then if isinstance(r, Moment) and r.action == "retract" and r.moment_id in known]
        assert withdrawn <= {r.moment_id for r in retracted}
        for record in said_then:
            if isinstance(record, Moment) and record.moment_id in known:
                assert record.revision > known[record.moment_id].revision

    run(system, story)


def test_a_rebuild_that_is_killed_or_given_up_is_run_again(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """Begun and given up, begun again and killed between what was said and its end, finished: everything is heard, as if it were said once."""
    lines = list(generate(300, seed=33).lines)
    system = system_on(kafka, tmp_path, topic_prefix)
    truth = simulate(lines, system.topology)
    killed = {VARIABLE: "generation.before_finish:1:kill"}

    async def story() -> None:
        await work(system, lines, truth.as_of)
        before = await system.records()
        code, said = await topics(system, "rebuild", "--yes", environment=killed)
        assert code == -signal.SIGKILL, said
        code, said = await topics(system, "rebuild", "--abandon")
        assert "given up" in said
        code, said = await topics(system, "rebuild", "--yes", environment=killed)
        assert code == -signal.SIGKILL, said
        handed_over = await written(system, 3)
        assert handed_over, "the kill was to come after what was said had been handed over"
        system.start("w1")
        assert await asyncio.to_thread(system.workers.pop("w1").wait, 60) == 2
        assert "`touchstone topics rebuild` of" in system.log_tail("w1")

        code, said = await topics(system, "rebuild", "--yes")

        assert code == 0, said
        assert await written(system, 3) == 2 * handed_over
        assert f"generation 3 on {system.topology.partitions} partitions is in use" in said
        assert f"The topics {system.app}.identity, " in said, "generation 2 was given up, it was never in use"
        system.generation = 3
        await work(system, [], truth.as_of)
        await agrees(system, truth)
        known = {record.moment_id: record.revision for record in FinalView(before).moments.values()}
        again = [record for record in await system.records() if record not in before and isinstance(record, Moment)]
        assert known.keys() & {record.moment_id for record in again}, "what was said before was to be said again"
        assert all(record.revision > known.get(record.moment_id, 0) for record in again)

    run(system, story)


def test_a_second_rebuild_says_what_retention_has_taken_before_it_does_anything(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """The first finds every touchpoint. Then one partition loses its beginning and another all it had: the second says so, and without a yes
    the first one's generation stays in use.
    """
    system = system_on(kafka, tmp_path, topic_prefix)
    web = channel_topics(system.topology)[0]

    async def story() -> None:
        await system.send(generate(200, seed=34).lines)
        code, first = await topics(system, "rebuild", "--yes")
        assert code == 0, first
        ends = {lag.partition: lag.end for lag in await group_lag(kafka, system.app, [web]) if lag.end > 1}
        emptied, shortened = sorted(ends)[:2]
        await retain(kafka, {TopicPartition(web, emptied): ends[emptied], TopicPartition(web, shortened): ends[shortened] - 1})

        code, second = await topics(system, "rebuild")

        partitions = sum((await partition_counts(kafka, input_topics(system.topology))).values())
        assert "WARNING" not in first
        assert code == 2, second
        assert f"WARNING: 2 of {partitions} partitions of touchpoints and commands begin after offset 0" in " ".join(second.split())
        assert "expected an answer, found nobody to give one; say --yes" in " ".join(second.split())
        agreement = await read_agreement(kafka, system.app)
        assert agreement is not None
        assert (agreement.generation, agreement.begun) == (2, None)

    run(system, story)


async def retain(kafka: str, first_offsets: dict[TopicPartition, int]) -> None:
    """What retention does in the course of time: these partitions begin later."""
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.delete_records({partition: RecordsToDelete(before_offset=offset) for partition, offset in first_offsets.items()})
    finally:
        await admin.close()


async def written(system: LiveSystem, generation: int) -> int:
    """How many messages lie on a generation's journey topic."""
    topic = internal_topic(generation_base(system.app, generation), JOURNEY)
    return len([record async for record in read_topic(system.bootstrap, [topic])])

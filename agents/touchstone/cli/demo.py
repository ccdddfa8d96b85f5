"""`touchstone demo`: a real Kafka, real touchpoints, a killed worker, and a moment that is taken back."""

import asyncio
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, NamedTuple

import click
from rich.text import Text

from touchstone.cli.acts import Crowd, CrowdAct, StoryAct
from touchstone.cli.bootstrap import given_bootstrap_option
from touchstone.cli.interrupt import as_interrupt
from touchstone.cli.output import Output, output_option
from touchstone.cli.stage import Stage
from touchstone.cli.who_demo import play_who
from touchstone.devkit import daemon
from touchstone.devkit.audience import Audience, Tally
from touchstone.devkit.broker import kafka_or_given
from touchstone.devkit.datasets import read_lines
from touchstone.devkit.jars import KAFKA_VERSION
from touchstone.devkit.live import LiveSystem, own_system
from touchstone.devkit.stories import Stories, in_order_of_receipt, received_at, stories_after
from touchstone.devkit.trial import repeated
from touchstone.hash_key import secret_from
from touchstone.simulate import simulate
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.view import diff

CROWD = ("adobe-luma", "snowplow-ecommerce")
WORKERS = ("w1", "w2")
_PARTITIONS = 4
_SHOWN_DIFFERENCES = 10


class Outcome(NamedTuple):
    """How the demo ended: what was said in all, how far that differs from the twin, how long each part took.

    Of the `touchpoints` so many were `told` by the stories.
    """

    touchpoints: int
    told: int
    crowd: Crowd
    tally: Tally
    differences: list[str]
    repeated: int
    seconds: dict[str, float]

    @property
    def is_equal(self) -> bool:
        """Whether the live system and the twin agree, and nothing was said twice."""
        return not self.differences and not self.repeated


@click.command
@click.option("--keep", is_flag=True, help="leave Kafka and the workers running, and say how to look at them and how to stop them")
@click.option("--identity", is_flag=True, help="another one instead: who is who, by likeness, by a login, by a steward")
@given_bootstrap_option
@output_option
def demo(keep: bool, identity: bool, bootstrap: str | None, output: Output) -> int:
    """See it work: a real Kafka, two workers, 23,888 real touchpoints, a worker killed, a moment taken back.

    Starts a Kafka of its own (fetched once, 38 MB) and two workers, sends what visitors of two web shops really did, and shows people and
    journeys arise. On the way one worker is killed with -9. Then two stories: what Touchstone says of a customer before it knows who
    they are, and how it takes that back. In the end everything is held against the offline twin, which reads the same without a broker.

    About a minute. Nothing is left behind, also after Ctrl-C. With --bootstrap yours is used, under topics of its own.

    With --identity: 750 people are told apart by the ids of their devices, a caller is known again though her name is misspelt, a pair in
    doubt waits for a steward, and a steward parts two brothers. About a minute, too.

    Exit code 1 when the live system and the twin differ, or something is not as promised.
    """
    if keep and identity:
        raise click.UsageError("--keep is for the demo without --identity")
    began = time.monotonic()
    output.text(f"Apache Kafka {KAFKA_VERSION} …" if bootstrap is None else f"Kafka at {bootstrap} …")
    with as_interrupt(), ExitStack() as stack:
        address = _kafka(stack, bootstrap, output, keep=keep)
        kafka_s = time.monotonic() - began
        if bootstrap is None:
            output.text(f"  takes connections at {address} after {kafka_s:.1f} s")
        if identity:
            is_equal = asyncio.run(play_who(address, output, kafka_s=kafka_s))
        else:
            is_equal = asyncio.run(play(address, output, keep=keep, kafka_s=kafka_s))
        if keep:
            stack.pop_all()
    return 0 if is_equal else 1


def _kafka(stack: ExitStack, bootstrap: str | None, output: Output, *, keep: bool) -> str:
    """A given Kafka, or one of our own: for as long as the stack lasts, or, to be kept, the one of `touchstone kafka start`."""
    with output.progress(f"Fetching Apache Kafka {KAFKA_VERSION}") as fetched:
        if bootstrap or not keep:
            return stack.enter_context(kafka_or_given(bootstrap, progress=fetched))
        if (running := daemon.status()) is not None:
            return running.bootstrap
        stack.callback(daemon.stop)
        return daemon.start(progress=fetched).bootstrap


async def play(bootstrap: str, output: Output, *, keep: bool, kafka_s: float) -> bool:
    """The whole demo on that Kafka; whether live system and twin agree."""
    path = default_topology_path()
    topology = replace(load_topology(path), clock="event", partitions=_PARTITIONS)
    crowd = in_order_of_receipt(line for name in CROWD for line in read_lines(name))
    stories = stories_after(max(at for line in crowd if (at := received_at(line)) is not None))
    async with own_system(bootstrap, path, topology, "demo", keep=keep) as system:
        outcome = await _perform(system, crowd, stories, output, kafka_s)
        _tell(outcome, output)
        if keep:
            _tell_how_to_look(system, stories, output, is_own=daemon.status() is not None)
    return outcome.is_equal


async def _perform(system: LiveSystem, crowd: Sequence[bytes], stories: Stories, output: Output, kafka_s: float) -> Outcome:
    marks = [time.monotonic()]
    output.text(f"{len(WORKERS)} workers …")
    for name in WORKERS:
        system.start(name)
    await system.until_ready(*WORKERS)
    marks.append(time.monotonic())
    output.text(f"  are ready after {marks[1] - marks[0]:.1f} s")
    output.text(f"{len(crowd):,} touchpoints of real visitors ({' and '.join(CROWD)}), in the order in which they were received …")
    truth: list[asyncio.Future[Any]] = []

    def consult_twin() -> None:
        """While nothing but the session timeout is waited for, there is processor time to spare."""
        everything = [*crowd, *stories.lines]
        truth.append(asyncio.ensure_future(asyncio.to_thread(simulate, everything, system.topology, secret=secret_from(os.environ))))

    async with Audience(system.bootstrap, system.topology.topics) as audience:
        with Stage(output, audience.tally) as stage:
            first = await CrowdAct(system, crowd, stage).perform(WORKERS[1], consult_twin)
            await system.until_ready(*WORKERS)
        marks.append(time.monotonic())
        output.text(_summary(first, audience.tally, len(crowd)))
        await StoryAct(system, audience, stage).perform(stories)
    marks.append(time.monotonic())
    twin = await truth[0]
    await system.until_quiet(twin.as_of)
    records = await system.records()
    marks.append(time.monotonic())
    tally = Tally(records)
    return Outcome(
        touchpoints=len(crowd) + len(stories.lines),
        told=len(stories.lines),
        crowd=first,
        tally=tally,
        differences=diff(tally.view.final(twin.as_of, system.topology.retention_ms), twin.final),
        repeated=repeated(records),
        seconds={
            "kafka": round(kafka_s, 1),
            **{
                name: round(end - start, 1)
                for name, start, end in zip(("workers", "crowd", "stories", "comparison"), marks, marks[1:], strict=False)
            },
        },
    )


def _summary(crowd: Crowd, tally: Tally, touchpoints: int) -> str:
    return (
        f"  all {touchpoints:,} are read and committed after {crowd.seconds:.1f} s ({crowd.rate:,.0f} a second up to the kill); heard so far: "
        f"{tally.people:,} people, {len(tally.standing):,} moments, {tally.taken_back:,} taken back"
    )


def _tell(outcome: Outcome, output: Output) -> None:
    tally, crowd = outcome.tally, outcome.crowd
    moments = tally.by_kind_and_phase()
    if output.is_json:
        output.emit(
            {
                "touchpoints": outcome.touchpoints,
                "people": tally.people,
                "merges": tally.changes["merged"],
                "moments": [{"kind": kind, "phase": phase, "count": count} for kind, phase, count in moments],
                "corrections": dict(sorted(tally.corrections.items())),
                "taken_back": tally.taken_back,
                "dead_letters": len(tally.view.deadletters),
                "rate": round(crowd.rate),
                "killed": {
                    "worker": crowd.victim,
                    "unread": crowd.unread,
                    "undecided": crowd.undecided,
                    "pause_s": round(crowd.pause_s, 1),
                },
                "repeated": outcome.repeated,
                "equal": outcome.is_equal,
                "differences": outcome.differences,
                "seconds": outcome.seconds,
            }
        )
        return
    causes = ", ".join(f"{cause} {count:,}" for cause, count in sorted(tally.corrections.items()))
    output.text()
    output.table(
        ("", "in all"),
        [
            ("touchpoints", f"{outcome.touchpoints:,} (the crowd's {outcome.touchpoints - outcome.told:,}, the stories' {outcome.told:,})"),
            ("people", f"{tally.people:,}"),
            ("merges on the way", f"{tally.changes['merged']:,}"),
            *((f"moments: {kind} → {phase}", f"{count:,}") for kind, phase, count in moments),
            ("moments taken back", f"{tally.taken_back:,}"),
            ("statements that correct", f"{tally.corrections.total():,} ({causes})" if causes else "0"),
            ("dead letters", f"{len(tally.view.deadletters):,}"),
            ("rate", f"{crowd.rate:,.0f} touchpoints a second, two workers, up to the kill"),
            ("seconds", ", ".join(f"{name} {seconds}" for name, seconds in outcome.seconds.items())),
        ],
    )
    output.text()
    for difference in outcome.differences[:_SHOWN_DIFFERENCES]:
        output.text(difference)
    if outcome.repeated:
        output.text(f"{outcome.repeated} revisions were seen twice")
    answer = ("yes", "bold green") if outcome.is_equal else (f"no, {len(outcome.differences):,} differences", "bold red")
    output.text(Text.assemble("equal to the offline twin: ", answer))


def _tell_how_to_look(system: LiveSystem, stories: Stories, output: Output, *, is_own: bool) -> None:
    where = "" if is_own else f" --bootstrap {system.bootstrap}"
    options = f"--topic-prefix {system.prefix}{where}"
    pids = " ".join(str(worker.pid) for worker in system.workers.values())
    pages = {name: f"{system.address(name)}/metrics" for name in system.workers}
    stop = f"kill {pids}" + (" && touchstone kafka stop" if is_own else "")
    card = stories.known_too_late.card
    if output.is_json:
        output.emit(
            {"bootstrap": system.bootstrap, "topic_prefix": system.prefix, "metrics": pages, "folder": str(system.folder), "stop": stop}
        )
        return
    output.text()
    output.text("It runs on. To look:")
    output.text(f"  touchstone tail moments --from-beginning {options}")
    output.text(f"  touchstone inspect loyalty_id:{card} {options}")
    for name, page in pages.items():
        output.text(f"  curl -s {page}      # worker {name}")
    output.text(f"To stop:\n  {stop}")
    output.text(f"The workers' state and logs are in {system.folder}.")

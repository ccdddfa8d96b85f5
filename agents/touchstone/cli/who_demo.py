"""`touchstone demo --identity`: on a live system, who is who, what is only likely, and what a steward rules; all of it as promised, or said not to be."""

import asyncio
import os
import time
from typing import NamedTuple

from rich.text import Text

from touchstone.cli.output import Output
from touchstone.cli.who_acts import Recognised, Split, WhoActs
from touchstone.devkit.audience import Audience, Tally
from touchstone.devkit.encounters import Encounters, encounters, who_topology_path
from touchstone.devkit.live import LiveSystem, own_system
from touchstone.devkit.trial import repeated
from touchstone.hash_key import secret_from
from touchstone.simulate import simulate
from touchstone.topology.load import load_topology
from touchstone.view import diff

WORKERS = ("w1", "w2")
_SHOWN_DIFFERENCES = 10


class WhoOutcome(NamedTuple):
    """How it ended: `expected` people in the first act, what was found, and how far live system and twin differ in the end."""

    expected: int
    found: Recognised
    split: Split
    differences: list[str]
    repeated: int
    seconds: dict[str, float]

    @property
    def broken(self) -> list[str]:
        """What is not as promised; empty when all is."""
        found, split = self.found, self.split
        promises = {
            f"expected {self.expected} people, each with exactly their ids, found {found.people}, of whom {found.exactly} are so": (
                found.people == found.exactly == self.expected
            ),
            "what the steward was shown was not all said": split.is_as_shown,
            "expected a moment that is taken back by the split, found none": split.taken_back > 0,
            f"live system and twin differ in {len(self.differences):,} places": not self.differences,
            f"{self.repeated} revisions were seen twice": not self.repeated,
        }
        return [what for what, is_kept in promises.items() if not is_kept]


async def play_who(bootstrap: str, output: Output, *, kafka_s: float) -> bool:
    """The whole demo on that Kafka; whether everything is as promised.

    Raises:
        Unavailable: a worker ended by itself, or something that must be said is not.
    """
    path, stories = who_topology_path(), encounters()
    output.text("The topology:\n")
    for text in path.read_text(encoding="utf-8").splitlines():
        output.text(Text(f"    {text}", style="dim"))
    output.text()
    async with own_system(bootstrap, path, load_topology(path), "demo-who") as system:
        outcome = await _perform(system, stories, output, kafka_s)
    tell(outcome, output)
    return not outcome.broken


async def _perform(system: LiveSystem, stories: Encounters, output: Output, kafka_s: float) -> WhoOutcome:
    marks = [time.monotonic()]
    output.text(f"{len(WORKERS)} workers …")
    for name in WORKERS:
        system.start(name)
    await system.until_ready(*WORKERS)
    marks.append(time.monotonic())
    output.text(f"  are ready after {marks[1] - marks[0]:.1f} s")
    async with Audience(system.bootstrap, system.topology.topics, reviews=True) as audience:
        acts = WhoActs(system, audience, stories, output)
        found = await acts.people()
        marks.append(time.monotonic())
        await acts.likeness()
        await acts.doubt()
        await acts.certainty()
        split = await acts.split()
    marks.append(time.monotonic())
    everything = [*stories.lines, split.command]
    twin = await asyncio.to_thread(simulate, everything, system.topology, secret=secret_from(os.environ))
    await system.until_quiet(twin.as_of)
    records = await system.records()
    marks.append(time.monotonic())
    names = ("workers", "people", "stories", "comparison")
    took = {name: round(end - start, 1) for name, start, end in zip(names, marks, marks[1:], strict=False)}
    differences = diff(Tally(records).view.final(twin.as_of, system.topology.retention_ms), twin.final)
    return WhoOutcome(len(stories.people), found, split, differences, repeated(records), {"kafka": round(kafka_s, 1), **took})


def tell(outcome: WhoOutcome, output: Output) -> None:
    """The end: what was not as promised, how long it took, and whether the twin agrees."""
    if output.is_json:
        output.emit(
            {
                "people": outcome.found.people,
                "exactly": outcome.found.exactly,
                "people_s": round(outcome.found.seconds, 1),
                "taken_back_by_split": outcome.split.taken_back,
                "equal": not outcome.differences,
                "differences": outcome.differences,
                "broken": outcome.broken,
                "seconds": outcome.seconds,
            }
        )
        return
    output.text()
    for difference in outcome.differences[:_SHOWN_DIFFERENCES]:
        output.text(difference)
    for what in outcome.broken:
        output.text(Text.assemble(("✗ ", "bold red"), what))
    output.text(f"seconds: {', '.join(f'{name} {seconds}' for name, seconds in outcome.seconds.items())}")
    answer = ("yes", "bold green") if not outcome.differences else (f"no, {len(outcome.differences):,} differences", "bold red")
    output.text(Text.assemble("equal to the offline twin: ", answer))

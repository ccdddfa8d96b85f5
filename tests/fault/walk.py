"""The walk: faults drawn at random, one after the other, upon a system under load; at the end of every round everything is checked."""

import asyncio
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from tests.fault import reader
from tests.fault.broker_faults import CutConnections, DelayConnections, FreezeBroker, HalfOpen, KillBroker
from tests.fault.checker import check_all
from tests.fault.input_faults import LargeRecords, Poison
from tests.fault.scene import Fault, NotProven, Scene
from tests.fault.stage import SESSION_S, Kafka, own_kafka, own_scene, quiet, recovered
from tests.fault.state_faults import AheadOfChangelog, ClockJump, DiskFull, FlippedBytes, ForeignLock, MissingCurrent
from tests.fault.worker_faults import CrashLoop, Freeze, JoinAndLeave, Kill, KillAt, RebalanceDuringRestore, Scale
from tests.fault.workload import canary_lines
from touchstone.errors import TouchstoneError
from touchstone.runtime.client import group_lag
from touchstone.runtime.failpoint import PLACES
from touchstone.runtime.names import changelog_topic

_DAY_S = 86_400
_RECOVERY_S = 180.0
"""A bound, not a figure: half open connections are noticed after 40 s, a broker on a busy machine starts for as long."""
_QUIET_S = 300.0
_RATE = 60.0
_FAULTS_A_ROUND = 6
_LINES = 40_000

_OFFLINE = "generation."
"""No worker comes by these places, but `touchstone topics` while none runs: tests/kafka/test_generations.py kills it there."""

Make = Callable[[Random], Fault]


def _at(place: str) -> Make:
    at_start = place.startswith(("restore.", "rebalance."))
    return lambda random: KillAt(place, 1 if at_start else random.randint(1, 6))


CATALOGUE: Mapping[str, Make] = {
    "kill": lambda _: Kill(wipe=False),
    "kill-wipe": lambda _: Kill(wipe=True),
    **{f"at:{place}": _at(place) for place in PLACES if not place.startswith(_OFFLINE)},
    "freeze-session": lambda _: Freeze("session", 2.0 * SESSION_S),
    "freeze-transaction": lambda _: Freeze("transaction timeout", 36.0),
    "join-leave": lambda _: JoinAndLeave(),
    "crash-loop": lambda _: CrashLoop(),
    "scale": lambda _: Scale(),
    "restore-rebalance": lambda _: RebalanceDuringRestore(),
    "broker-kill": lambda random: KillBroker(seconds=random.uniform(1, 6)),
    "controller-kill": lambda random: KillBroker(controller=True, seconds=random.uniform(5, 10)),
    "broker-freeze": lambda random: FreezeBroker(random.uniform(3, 12)),
    "cut": lambda random: CutConnections(random.uniform(0.5, 5)),
    "delay": lambda random: DelayConnections(random.uniform(0.05, 0.4), 8),
    "half-open": lambda _: HalfOpen(5),
    "flipped-bytes": lambda _: FlippedBytes(),
    "missing-current": lambda _: MissingCurrent(),
    "ahead": lambda _: AheadOfChangelog(),
    "foreign-lock": lambda _: ForeignLock(),
    "disk-full": lambda _: DiskFull(),
    "day-ahead": lambda _: ClockJump(_DAY_S),
    "day-back": lambda _: ClockJump(-_DAY_S),
    "poison": lambda _: Poison(),
    "large": lambda _: LargeRecords(),
}
"""Every fault of the walk by a short word. `compaction during a restore` needs none: the cleaner is always at work (stage.py)."""


@dataclass
class Report:
    """What a walk has done and found."""

    seed: int
    rounds: int = 0
    touchpoints: int = 0
    commands: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    exits: Counter[int] = field(default_factory=Counter)
    aborted: int = 0
    longest_recovery_s: float = 0.0
    violations: list[str] = field(default_factory=list)


class Bag:
    """Draws words in a random order, each once before any comes again."""

    def __init__(self, words: Sequence[str], random: Random) -> None:
        self._words = list(words)
        self._random = random
        self._left: list[str] = []

    def draw(self) -> str:
        """The next one."""
        if not self._left:
            self._left = self._random.sample(self._words, len(self._words))
        return self._left.pop()


class Walk:
    """Rounds of faults until the time is over, or a violation is found.

    Args:
        seed: decides the faults, their victims and their times; what the machine makes of it differs.
        folder: where the brokers live, and the evidence of a violation stays.
        nodes: brokers.
        words: which faults; all of the catalogue by default.
        tell: told what happens, a line each.
    """

    def __init__(
        self,
        seed: int,
        folder: Path,
        *,
        nodes: int = 1,
        words: Sequence[str] | None = None,
        faults_a_round: int = _FAULTS_A_ROUND,
        tell: Callable[[str], None],
    ) -> None:
        self._random = Random(seed)
        self._folder = folder
        self._nodes = nodes
        chosen = list(words or [word for word in CATALOGUE if nodes > 1 or word != "controller-kill"])
        self._bag = Bag(chosen, self._random)
        self._faults_a_round = faults_a_round
        self._tell = tell
        self.report = Report(seed)

    async def run(self, seconds: float, rounds: int | None = None) -> Report:
        """Walk for about so long, or so many rounds; a round that has begun is finished."""
        deadline = time.monotonic() + seconds
        with own_kafka(self._folder / "kafka", self._nodes) as kafka:
            while not self.report.violations and time.monotonic() < deadline and (rounds is None or self.report.rounds < rounds):
                self.report.rounds += 1
                await self._round(kafka, self.report.rounds)
        return self.report

    async def _round(self, kafka: Kafka, number: int) -> None:
        folder = self._folder / f"round-{number}"
        lines = canary_lines(_LINES, self._random.randrange(1 << 30))
        prefix = f"chaos-{self.report.seed}-{number}."
        async with own_scene(kafka, folder, prefix, lines, rate=_RATE, random=self._random) as scene:
            self._found(await recovered(scene, _RECOVERY_S))
            for _ in range(self._faults_a_round):
                if self.report.violations:
                    break
                await self._fault(scene, self._bag.draw())
            if not self.report.violations:
                await self._check(scene)
            self.report.exits.update(code for _, code in scene.crew.exits)
            scene.is_evidence = bool(self.report.violations)
        if self.report.violations:
            (folder / "violations.txt").write_text("\n".join(self.report.violations), "utf-8")
        else:
            shutil.rmtree(folder)

    async def _fault(self, scene: Scene, word: str) -> None:
        fault = CATALOGUE[word](self._random)
        began = time.monotonic()
        try:
            await fault.inject(scene)
            await fault.heal(scene)
            healed = time.monotonic()
            self._found(await recovered(scene, _RECOVERY_S))
            proof = await fault.proof(scene)
        except NotProven as error:
            self._found(f"{fault.name}: not proven to have taken place: {error}; exits {scene.crew.exits[-8:]}")
            return
        except TouchstoneError as error:
            self._found(f"{fault.name}: {type(error).__name__}: {error}")
            return
        recovery = time.monotonic() - healed
        self.report.longest_recovery_s = max(self.report.longest_recovery_s, recovery)
        self.report.faults[fault.name] += 1
        self._tell(f"  {fault.name}: {proof}; {healed - began:.0f} s, recovered in {recovery:.1f} s")
        with suppress(TouchstoneError):  # asked while it runs: a broker may be busy
            system = scene.crew.system
            lost = await reader.unaccounted(scene.bootstrap, system.app, system.topology)
            self._judge("committed offset not ahead of durable state", lost)

    async def _check(self, scene: Scene) -> None:
        """Let the workload end, wait for quiet, read everything, judge it."""
        system, workload = scene.crew.system, scene.workload
        began = time.monotonic()
        workload.stop()
        self._found(await recovered(scene, _RECOVERY_S))
        found = await reader.sources(scene.bootstrap, system.topology)
        while len(found) < len(workload.acknowledged):
            found = await reader.sources(scene.bootstrap, system.topology)
        simulation = await asyncio.to_thread(reader.twin, workload.acknowledged, found, system.topology)
        unrest = await quiet(scene, simulation.as_of, _QUIET_S)
        self._judge("progress within a bound", [unrest] if unrest else [])
        quiet_s = time.monotonic() - began
        if unrest:
            return
        readings = await reader.read_everything(scene.bootstrap, scene.crew, workload.acknowledged, found, simulation)
        self.report.aborted += await reader.aborted(scene.bootstrap, system.app, system.topology)
        names = scene.crew.names
        codes = {name: await scene.crew.dismiss(name) for name in names}
        self._judge("workers leave in order", [f"{name} left with {code}" for name, code in codes.items() if code != 0])
        readings = replace(readings, local_offsets=await self._local_offsets(scene, names))
        for invariant, violations in check_all(readings).items():
            self._judge(invariant, violations)
        commands = sum(source.topic == system.topology.topics.commands for source in found)
        self.report.touchpoints += len(found) - commands
        self.report.commands += commands
        self._tell(
            f"  {len(found) - commands} touchpoints, {commands} commands, {len(readings.said)} records said, quiet after {quiet_s:.0f} s, checked in {time.monotonic() - began - quiet_s:.0f} s"
        )

    async def _local_offsets(self, scene: Scene, names: Sequence[str]) -> dict[str, tuple[int, int]]:
        system = scene.crew.system
        topics = [changelog_topic(system.app, stage) for stage in ("identity", "journey")]
        ends = {(lag.topic, lag.partition): lag.end for lag in await group_lag(scene.bootstrap, system.app, topics)}
        return {
            f"{name}: {stage}[{partition}]": (offset, ends[changelog_topic(system.app, stage), partition])
            for name in names
            for (stage, partition), offset in reader.local_offsets(system.folder, name, system.topology).items()
        }

    def _judge(self, invariant: str, violations: Sequence[str]) -> None:
        self.report.checked[invariant] += 1
        self.report.violations += [f"{invariant}: {violation}" for violation in violations]

    def _found(self, violation: str | None) -> None:
        if violation is not None:
            self.report.violations.append(violation)


def table(report: Report) -> str:
    """The report as one line of JSON, for the note and for docs/guarantees.md."""
    return json.dumps(
        {
            "seed": report.seed,
            "rounds": report.rounds,
            "touchpoints": report.touchpoints,
            "commands": report.commands,
            "faults": dict(report.faults),
            "checked": dict(report.checked),
            "exit codes": {str(code): count for code, count in sorted(report.exits.items())},
            "aborted records": report.aborted,
            "longest recovery s": round(report.longest_recovery_s, 1),
            "violations": report.violations,
        },
        ensure_ascii=False,
    )

"""Touchstone and the peer on the same touchpoints of one topic: what each took, and that both said the same."""

import asyncio
import json
import shutil
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.peer_quix import Quix, Ran
from bench.watch import Watch
from touchstone.contracts.codec import bundled_codec
from touchstone.devkit.live import LiveSystem, own_system
from touchstone.errors import TouchstoneError
from touchstone.model.output import Customer, Moment
from touchstone.runtime import admin, client, scratch
from touchstone.topology.load import load_topology

TOPOLOGY = Path(__file__).with_name("peer.topology.yaml")
WORKER = "worker"
_LOOK_S = 0.02
_SHOWN = 5

Change = tuple[str, str | None, str | None, str]
"""Person, phase before, phase after, event id of the touchpoint that caused it."""


class PeersDiffer(TouchstoneError):
    """Touchstone and the peer do not say the same of the same touchpoints: their costs are not comparable, and one of them is wrong."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A state that was read from the changelogs again: how many records in which time, and how long until records flowed."""

    records: float
    seconds: float
    until_first_s: float

    @property
    def rate(self) -> float:
        """Records per second."""
        return self.records / self.seconds


class Pair:
    """One topic of touchpoints and both who read it."""

    def __init__(self, system: LiveSystem, quix: Quix) -> None:
        self._system = system
        self._quix = quix
        self._watch = Watch(system, WORKER)

    async def send(self, lines: Iterable[bytes]) -> int:
        """Write touchpoints for both."""
        return await self._system.send(lines)

    async def touchstone_cpu_s(self) -> float:
        """A worker starts, reads all there is, and ends: the CPU seconds of its life but for its end."""
        self._system.start(WORKER)
        await self._watch.until_running()
        await self._system.until_quiet(None)
        sample = await self._watch.until(lambda _: True)
        self._system.stop()
        return sample.cpu_s

    async def quix_cpu_s(self, count: int) -> float:
        """The same of the peer."""
        return (await self._quix.run(count)).cpu_s

    async def touchstone_restored(self) -> Restored:
        """A worker that lost its disk, from its first sign of restoring until it runs; it reads what came since."""
        shutil.rmtree(self._system.folder / WORKER)
        self._system.start(WORKER)
        begin = await self._first({"restoring", "running"})
        end = await self._first({"running"})
        await self._system.until_quiet(None)
        sample = await self._watch.until(lambda _: True)
        self._system.stop()
        seconds = max(end - begin, _LOOK_S)
        return Restored(sample.restored, seconds, seconds)

    async def quix_restored(self, count: int) -> Restored:
        """The same of the peer, but until it has applied the last record: it waits for a second of silence after it, which is not counted."""
        self._quix.lose_state()
        ran: Ran = await self._quix.run(count)
        return Restored(ran.restored, ran.restore_s, ran.until_first_s)

    async def compare(self) -> int:
        """How many changes of phase both have said and committed.

        Raises:
            PeersDiffer: not the same ones, or not each once.
        """
        ours, theirs = await self._said_by_touchstone(), await self._said_by_quix()
        if ours != theirs or not ours:
            differing = sorted(((ours - theirs) + (theirs - ours)).items(), key=str)
            shown = "\n".join(
                f"  {change}: {ours[change]} times by Touchstone, {theirs[change]} by Quix Streams" for change, _ in differing[:_SHOWN]
            )
            raise PeersDiffer(
                f"expected the same changes of phase of both, found {ours.total():,} of Touchstone and {theirs.total():,} of Quix Streams, "
                f"{len(differing):,} of which differ; the first:\n{shown}"
            )
        return ours.total()

    async def _said_by_touchstone(self) -> Counter[Change]:
        """What stands in the end: of each moment the highest revision, unless that takes it back."""
        names, codec = self._system.topology.topics, bundled_codec()
        latest: dict[str, Moment] = {}
        persons: dict[str, str] = {}
        async for record in client.read_topic(self._system.bootstrap, [names.moments, names.customers]):
            said = codec.decode_record(record.value) if record.value is not None else None
            if isinstance(said, Customer):
                persons[said.customer_id] = ",".join(f"{one['kind']}:{one['value']}" for one in said.identifiers)
            elif isinstance(said, Moment) and (said.moment_id not in latest or said.revision > latest[said.moment_id].revision):
                latest[said.moment_id] = said
        return Counter(
            (
                persons.get(moment.customer_id, moment.customer_id),
                moment.from_phase,
                moment.to_phase,
                moment.touchpoints[-1].partition("/")[2],
            )
            for moment in latest.values()
            if moment.action == "assert"
        )

    async def _said_by_quix(self) -> Counter[Change]:
        records = await self._quix.records()
        return Counter((str(r["person"]), r["from"], r["to"], str(r["touchpoint"])) for r in records)

    async def _first(self, states: set[str]) -> float:
        """When the worker first said to be in one of these states; asked often, of the page that costs it least."""
        deadline = time.monotonic() + 600
        while await asyncio.to_thread(self._state) not in states:
            self._system.check_alive()
            if time.monotonic() > deadline:
                raise TimeoutError(f"the worker was not {' or '.join(states)} after 600 s:\n{self._system.log_tail(WORKER)}")
            await asyncio.sleep(_LOOK_S)
        return time.monotonic()

    def _state(self) -> str:
        address = self._system.address(WORKER)
        if address is None:
            return ""
        try:
            with urllib.request.urlopen(f"{address}/health/ready", timeout=2) as answer:
                return str(json.load(answer)["state"])
        except urllib.error.HTTPError as error:  # not ready, and it says what it does instead
            return str(json.load(error)["state"])
        except OSError:
            return ""


@asynccontextmanager
async def pair(bootstrap: str, python: Path) -> AsyncIterator[Pair]:
    """Both on topics of their own for one block; afterwards topics, state and processes are gone."""
    async with own_system(bootstrap, TOPOLOGY, load_topology(TOPOLOGY), "bench-peer") as system:
        target = f"{system.prefix}quix-moments"
        await admin.apply(bootstrap, [admin.TopicSpec(target, system.topology.partitions)])
        quix = Quix(python, bootstrap, system.topology.channels["web"].topic, target, system.folder / "quix")
        try:
            yield Pair(system, quix)
        finally:
            await scratch.remove(bootstrap, [target, *quix.topics])

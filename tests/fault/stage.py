"""A Kafka of our own behind proxies, and systems upon it: what a walk and the single fault tests have in common."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from tests.fault.crew import Crew
from tests.fault.proxy import Proxy
from tests.fault.scene import Scene
from tests.fault.workload import Workload
from touchstone.app import channel_topics, output_topics, topic_specs
from touchstone.devkit.cluster import Cluster
from touchstone.devkit.live import LiveSystem
from touchstone.errors import TouchstoneError
from touchstone.runtime import admin
from touchstone.runtime.lookout import Lookout, Sight
from touchstone.runtime.scratch import remove
from touchstone.topology.load import default_topology_path, load_topology

SESSION_S = 3
PARTITIONS = 4
SKEW = Path(__file__).with_name("skew")

_BROKER = {
    # A worker that is gone must not hold others up for the ten seconds between two looks at timed-out transactions.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "2000",
    # The cleaner is always at work, so that every restore meets compaction.
    "log.cleaner.backoff.ms": "1000",
    "log.segment.delete.delay.ms": "1000",
}
_CHANGELOG = {"segment.ms": "3000", "min.cleanable.dirty.ratio": "0.01", "min.compaction.lag.ms": "0", "max.compaction.lag.ms": "5000"}
_POLL_S = 0.2


@dataclass
class Kafka:
    """A cluster and the proxies before its nodes."""

    cluster: Cluster
    proxies: list[Proxy]


@contextmanager
def own_kafka(folder: Path, nodes: int = 1) -> Iterator[Kafka]:
    """A cluster whose front is a proxy for each node."""
    with ExitStack() as stack:
        proxies = [Proxy() for _ in range(nodes)]
        cluster = Cluster(folder, nodes=nodes, properties=_BROKER, fronts=[proxy.port for proxy in proxies])
        for number, proxy in enumerate(proxies, 1):
            proxy.upstream = cluster.inner_port(number)
            stack.enter_context(proxy)
        yield Kafka(stack.enter_context(cluster), proxies)


@asynccontextmanager
async def own_scene(
    kafka: Kafka, folder: Path, prefix: str, lines: Sequence[bytes], *, rate: float, random: Random, workers: int = 2
) -> AsyncIterator[Scene]:
    """A system with topics of its own and so many workers that are ready, and a workload that flows."""
    file = default_topology_path()
    topology = replace(load_topology(file), partitions=PARTITIONS, clock="event")
    cluster, clock_file = kafka.cluster, folder / "clock"
    await asyncio.to_thread(_prepare, folder, clock_file)
    system = LiveSystem(cluster.front, file, topology, folder / "workers", app=f"{prefix}app", prefix=prefix, session_timeout_s=SESSION_S)
    specs = [
        replace(spec, config={**spec.config, **_CHANGELOG}) if spec.name.endswith(".changelog") else spec
        for spec in topic_specs(system.topology, system.app)
    ]
    await admin.apply(cluster.bootstrap, specs)
    workload = Workload(cluster.bootstrap, system.topology, lines, rate)
    path = os.pathsep.join(filter(None, [str(SKEW), os.environ.get("PYTHONPATH")]))
    environment = {"PYTHONPATH": path, "TOUCHSTONE_TEST_CLOCK": str(clock_file)}
    async with Crew(system, environment=environment) as crew:
        scene = Scene(crew, cluster, kafka.proxies, workload, random, folder, clock_file)
        for number in range(1, workers + 1):
            crew.hire(f"w{number}")
        flowing = asyncio.create_task(workload.run())
        try:
            yield scene
        finally:
            flowing.cancel()
            with suppress(asyncio.CancelledError):
                await flowing
            for undo in scene.undo:
                await asyncio.to_thread(undo)
    if not scene.is_evidence:
        with suppress(TouchstoneError):  # they only take room
            await remove(cluster.bootstrap, [spec.name for spec in specs])


def _prepare(folder: Path, clock_file: Path) -> None:
    folder.mkdir(parents=True)
    clock_file.write_text("0", "utf-8")


async def look(scene: Scene) -> Sight:
    """One look at the system, with new connections: the old ones may be dead."""
    system = scene.crew.system
    async with Lookout(scene.bootstrap, system.app, system.reads, output_topics(system.topology)) as lookout:
        return await lookout.look()


async def recovered(scene: Scene, seconds: float) -> str | None:
    """Wait until every worker is ready and records are read again; what was expected instead, if that takes too long."""
    channels = channel_topics(scene.crew.system.topology)
    found, since = "nothing", None
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while loop.time() < deadline:
        ready, names = await scene.crew.ready(), scene.crew.names
        if names and ready == names:
            try:
                sight = await asyncio.wait_for(look(scene), 30)
            except (TouchstoneError, TimeoutError) as error:
                found = f"no answer from Kafka ({type(error).__name__})"
            else:
                done = sight.done(channels)
                if since is not None and (done > since or sight.behind(channels) == 0):
                    return None
                since = done if since is None else since
                found = f"{sight.behind(channels)} records unread, {done} read"
        else:
            found = f"ready: {', '.join(ready) or 'none'} of {', '.join(names) or 'none'}"
        await asyncio.sleep(_POLL_S)
    return f"no progress within {seconds:.0f} s: {found}; exits {scene.crew.exits[-8:]}"


async def quiet(scene: Scene, until_ms: int, seconds: float) -> str | None:
    """Wait until everything was read, no transaction is open and the clock has passed; what was found instead, if that takes too long."""
    system = scene.crew.system
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    async with Lookout(scene.bootstrap, system.app, system.reads, output_topics(system.topology)) as lookout:
        while True:
            sight = await lookout.look()
            if system.is_quiet(sight, until_ms):
                return None
            if loop.time() > deadline:
                return (
                    f"not quiet within {seconds:.0f} s: {sight.behind()} records unread, {len(sight.undecided)} partitions undecided, "
                    f"clocks {sorted(sight.reached.values())}, expected {until_ms}; exits {scene.crew.exits[-8:]}"
                )
            await asyncio.sleep(_POLL_S)

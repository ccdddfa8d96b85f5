"""A live system of our own: topics and workers on a Kafka, fed, watched, awaited and read."""

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir

from touchstone.app import channel_topics, input_topics, output_topics, topic_specs
from touchstone.contracts.codec import bundled_codec
from touchstone.devkit.claim import claim_new
from touchstone.devkit.folders import state_folder
from touchstone.devkit.workers import Workers
from touchstone.errors import Unavailable
from touchstone.intake.lines import Prepared, prepare_line
from touchstone.model.output import Carried, Moment
from touchstone.pipeline import OutputRecord, stages_of
from touchstone.runtime import admin, client
from touchstone.runtime.lookout import Lookout, Sight
from touchstone.runtime.names import generation_base, internal_topics
from touchstone.runtime.scratch import remove
from touchstone.topology.compile import Topology
from touchstone.topology.prefix import prefixed

_POLL_S = 0.1
_BREATHE_EVERY = 50
_FOLDER_PREFIX = "touchstone-live-"


@dataclass
class LiveSystem(Workers):
    """Topics and workers of an application of its own, beside others on the same Kafka."""

    generation: int = 1

    def __post_init__(self) -> None:
        """Use the topics of this system only."""
        self.topology = prefixed(self.topology, self.prefix)

    @property
    def reads(self) -> list[str]:
        """The topics that its group reads."""
        return [*input_topics(self.topology), *internal_topics(generation_base(self.app, self.generation), stages_of(self.topology))]

    async def create_topics(self) -> int:
        """Create what is missing; returns how many topics there are."""
        specs = topic_specs(self.topology, self.app, self.generation)
        await admin.apply(self.bootstrap, specs)
        return len(specs)

    async def remove_topics(self) -> None:
        """Delete its topics with all that is in them. Its workers must have gone."""
        await remove(self.bootstrap, [spec.name for spec in topic_specs(self.topology, self.app)])

    async def send(self, lines: Iterable[bytes], sent: Callable[[int], None] = lambda _: None) -> int:
        """Send lines as `touchstone produce` does; returns how many once all are acknowledged. `sent` is told how many went out."""

        async def records() -> AsyncIterator[Prepared]:
            for number, line in enumerate(lines, 1):
                yield prepare_line(line, self.topology)
                sent(number)
                if number % _BREATHE_EVERY == 0:
                    await asyncio.sleep(0)  # who looks on wants to see something meanwhile

        return await client.produce_lines(self.bootstrap, records())

    def lookout(self) -> Lookout:
        """To look at it from outside, with `async with`; its topics must be there."""
        return Lookout(self.bootstrap, self.app, self.reads, output_topics(self.topology), self.generation)

    def is_quiet(self, sight: Sight, until_ms: int | None) -> bool:
        """Whether everything was read, no transaction was open, and every journey partition had passed `until_ms` (None: any time)."""
        return sight.behind() == 0 and not sight.undecided and sight.has_passed(until_ms, self.topology.partitions)

    async def until_quiet(self, until_ms: int | None, seconds: float = 300, watch: Callable[[int], None] = lambda _: None) -> None:
        """Wait until it is quiet. `watch` is told how many touchpoints are still to be read.

        Raises:
            Unavailable: it takes longer than `seconds`, or a worker ended by itself.
        """
        channels = channel_topics(self.topology)
        deadline = time.monotonic() + seconds
        async with self.lookout() as lookout:
            while not self.is_quiet(sight := await lookout.look(), until_ms):
                self.check_alive()
                watch(sight.behind(channels))
                if time.monotonic() > deadline:
                    raise Unavailable(self._unrest(sight, until_ms, seconds))
                await asyncio.sleep(_POLL_S)

    def _unrest(self, sight: Sight, until_ms: int | None, seconds: float) -> str:
        passed = sum(until_ms is None or time_ms >= until_ms for time_ms in sight.reached.values())
        logs = "".join(f"\nthe end of the log of {name}:\n{tail}" for name in self.workers if (tail := self.log_tail(name)))
        return (
            f"expected quiet within {seconds:.0f} s; {sight.behind()} records are unread, transactions are open in {len(sight.undecided)} "
            f"partitions, {passed} of {self.topology.partitions} journey partitions have passed {until_ms}{logs}"
        )

    async def records(self, topics: Sequence[str] | None = None) -> list[OutputRecord]:
        """Everything that was said and committed, partition by partition in order; of further outputs only those that ask for consent."""
        names, asking = self.topology.topics, {output.topic: output.name for output in self.topology.asking}
        reviews = (names.reviews,) if self.topology.matching is not None else ()
        wanted = list(topics or (names.moments, names.customers, names.identities, names.deadletters, *reviews, *asking))
        codec, records = bundled_codec(), list[OutputRecord]()
        async for r in client.read_topic(self.bootstrap, wanted):
            if r.value is not None:
                said = codec.decode_record(r.value)
                records.append(Carried(asking[r.topic], said) if isinstance(said, Moment) and r.topic in asking else said)
        return records


@asynccontextmanager
async def own_system(
    bootstrap: str, topology_file: Path, topology: Topology, name: str, *, session_timeout_s: int = 6, keep: bool = False
) -> AsyncIterator[LiveSystem]:
    """A live system for one block, under names of its own; when the block ends its workers, state and topics are gone.

    With `keep` it lives on, also after this process, once the block has ended well. When the block ends with an error the workers are not
    asked to leave but ended, and the topics stay where they are on a Kafka that lives on.
    """
    run = f"{name}-{uuid.uuid4().hex[:8]}"
    folder, lock = (state_folder() / run, None) if keep else claim_new(_FOLDER_PREFIX, Path(gettempdir()))
    system = LiveSystem(
        bootstrap, topology_file, topology, folder, app=run, prefix=f"{run}.", session_timeout_s=session_timeout_s, detached=keep
    )
    try:
        await system.create_topics()
        yield system
        if keep:
            return
        await asyncio.to_thread(system.stop)
        await system.remove_topics()
    except BaseException:
        keep = False
        raise
    finally:
        if not keep:
            system.stop(0)
            rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)

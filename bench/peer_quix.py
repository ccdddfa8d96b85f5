"""The peer as a process: started on a topic of touchpoints, awaited, asked what it took."""

import asyncio
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from touchstone.devkit import tether
from touchstone.errors import Unavailable
from touchstone.runtime import client

ROOT = Path(__file__).parents[1]
_PATIENCE_S = 900.0
_MARKERS_S = 30.0
_LOOK_S = 0.1


class Ran(msgspec.Struct, frozen=True):
    """What one run of the peer says of itself (bench/quix.py)."""

    processed: int
    cpu_s: float
    restored: int
    restore_s: float
    until_first_s: float
    topics: list[str]


@dataclass
class Quix:
    """The peer's job on one source, with a state of its own that stays from run to run."""

    python: Path
    bootstrap: str
    source: str
    target: str
    folder: Path
    topics: set[str] = field(default_factory=set)

    async def run(self, count: int) -> Ran:
        """Read so many touchpoints more, then end.

        Raises:
            Unavailable: it failed, or ended before it had read them; with the end of what it said.
        """
        command = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), str(self.python), "-m", "bench.quix"]
        command += [self.bootstrap, self.source, self.target, f"{self.target}.group", str(self.folder), str(count)]
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_PATIENCE_S):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        said = err.decode(errors="replace")[-2_000:]
        if process.returncode:
            raise Unavailable(f"the peer ended with code {process.returncode}; the end of what it said:\n{said}")
        ran = msgspec.json.decode(out.splitlines()[-1], type=Ran)
        self.topics.update(ran.topics)
        if ran.processed < 2 * count:
            raise Unavailable(f"expected the peer to process {2 * count:,} records, it gave up after {ran.processed:,}:\n{said}")
        return ran

    def lose_state(self) -> None:
        """Its disk is gone."""
        shutil.rmtree(self.folder)

    async def records(self) -> list[dict[str, str | None]]:
        """The changes of phase that it has said and committed. A commit is decided before each partition has been told of it: that is awaited."""
        async with asyncio.timeout(_MARKERS_S):
            while await client.has_open_transaction(self.bootstrap, [self.target]):  # noqa: ASYNC110  # Kafka says it to who asks only
                await asyncio.sleep(_LOOK_S)
        return [msgspec.json.decode(record.value) async for record in client.read_topic(self.bootstrap, [self.target]) if record.value]

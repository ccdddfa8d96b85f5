"""The workers of one system under a supervisor, as an operator would run them: whoever ends with 1, 70, 75 or by a signal is started again."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple, Self

from tests.fault.checker import Sample
from touchstone.devkit.live import LiveSystem
from touchstone.runtime.failpoint import VARIABLE as FAILPOINT

RESTARTED = {1, 70, 75, -signal.SIGKILL}
"""The exit codes after which docs/operate.md says: start again."""

_LOOK_S = 0.2
_SAMPLE_EVERY = 5


class Exit(NamedTuple):
    """A worker that ended by itself, or was killed."""

    worker: str
    code: int


@dataclass
class Crew:
    """Workers by name, those that should run at the moment; `exits` in the order in which they were noticed."""

    system: LiveSystem
    exits: list[Exit] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    """Given to every worker that is started from now on."""
    _expected: set[str] = field(default_factory=set)
    _paused: set[str] = field(default_factory=set)
    _watching: "asyncio.Task[None] | None" = None

    async def __aenter__(self) -> Self:
        """Begin to look after them."""
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop looking, and end whoever is left."""
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
        for name in list(self._paused):
            self.resume(name)
        await asyncio.to_thread(self.system.stop, 0)

    @property
    def names(self) -> list[str]:
        """Who should run at the moment and is not paused."""
        return sorted(self._expected - self._paused)

    def folder(self, name: str) -> Path:
        """Where a worker keeps its state."""
        return self.system.folder / name

    def hire(self, name: str, failpoint: str = "") -> None:
        """Start a worker that shall run from now on; a failpoint is armed for its first life only."""
        self._expected.add(name)
        self.system.start(name, {**self.environment, **({FAILPOINT: failpoint} if failpoint else {})})

    def pid(self, name: str) -> int:
        """The process of a worker."""
        return self.system.workers[name].pid

    async def kill(self, name: str, *, wipe: bool = False) -> int:
        """SIGKILL; it is not started again until `hire`. With `wipe` its disk is lost too. Returns the exit code."""
        self._expected.discard(name)
        worker = self.system.workers[name]
        await asyncio.to_thread(self.system.kill, name)
        self.exits.append(Exit(name, worker.returncode))
        if wipe:
            rmtree(self.folder(name))
        return int(worker.returncode)

    async def dismiss(self, name: str, seconds: float = 30) -> int:
        """SIGTERM; returns the exit code."""
        self._expected.discard(name)
        worker = self.system.workers.pop(name)
        worker.terminate()
        try:
            code = await asyncio.to_thread(worker.wait, seconds)
        except subprocess.TimeoutExpired:
            worker.kill()
            code = await asyncio.to_thread(worker.wait)
        self.exits.append(Exit(name, code))
        return code

    def pause(self, name: str) -> None:
        """SIGSTOP."""
        os.kill(self.pid(name), signal.SIGSTOP)
        self._paused.add(name)

    def resume(self, name: str) -> None:
        """SIGCONT."""
        self._paused.discard(name)
        with suppress(KeyError, ProcessLookupError):
            os.kill(self.pid(name), signal.SIGCONT)

    def state(self, name: str) -> str:
        """What the system says a worker's process does: `T` when it stands still."""
        return process_state(self.pid(name))

    def ended(self, code: int, since: int = 0) -> list[str]:
        """Who has ended with this code, among the exits from number `since` on."""
        return [exit_.worker for exit_ in self.exits[since:] if exit_.code == code]

    def log(self, name: str) -> str:
        """All that a worker has said, in all its lives."""
        file = self.folder(name) / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    async def ready(self) -> list[str]:
        """Who answers that records flow."""
        if self._watching is not None and self._watching.done():
            self._watching.result()  # nobody is looked after any more: say why
        return [name for name in self.names if await asyncio.to_thread(self.system.page, name, "/health/ready")]

    async def _watch(self) -> None:
        number = 0
        while True:
            for name, worker in list(self.system.workers.items()):
                if name in self._expected and (code := worker.poll()) is not None:
                    self.exits.append(Exit(name, code))
                    self._paused.discard(name)
                    del self.system.workers[name]
                    if code in RESTARTED:
                        self.hire(name)
                    else:
                        self._expected.discard(name)
            if number % _SAMPLE_EVERY == 0:
                for name in self.names:
                    await self._sample(name)
            number += 1
            await asyncio.sleep(_LOOK_S)

    async def _sample(self, name: str) -> None:
        with suppress(OSError, KeyError, ValueError):  # it may end at any moment
            process = Path(f"/proc/{self.pid(name)}")
            status = (process / "status").read_text("utf-8")
            rss = sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024  # none: it has ended
            descriptors = len(list((process / "fd").iterdir()))
            disk = sum(file.stat().st_size for file in self.folder(name).rglob("*") if file.is_file() and file.name != "log")
            self.samples.append(Sample(name, rss, descriptors, disk / 2**20))
        for path in ("/metrics", "/health/ready", "/health/live"):
            if page := await asyncio.to_thread(self.system.page, name, path):
                self.pages[f"{name}{path}"] = page


def process_state(pid: int) -> str:
    """What the system says a process does: `T` when it was stopped by a signal."""
    return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]

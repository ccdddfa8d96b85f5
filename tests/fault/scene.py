"""What a fault acts upon, and what every fault can do: take place, be undone, and prove that it took place."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.fault.crew import Crew
from tests.fault.proxy import Proxy
from tests.fault.workload import Workload
from touchstone.devkit.cluster import Cluster

POLL_S = 0.1


class NotProven(AssertionError):
    """A fault was injected and nothing shows that it took place: the test has tested nothing."""


@dataclass
class Scene:
    """One system under faults. `names` gives every worker that joins a name of its own."""

    crew: Crew
    cluster: Cluster
    proxies: list[Proxy]
    workload: Workload
    random: Random
    folder: Path
    clock_file: Path
    hired: int = field(default=0)
    is_evidence: bool = False
    """Something is wrong: its topics and files are to stay."""
    undo: list[Callable[[], None]] = field(default_factory=list)
    """Called at the end, whatever happens: what must not outlive the test."""

    @property
    def bootstrap(self) -> str:
        """Kafka, past the proxies."""
        return self.cluster.bootstrap

    def new_name(self) -> str:
        """A name that no worker has had."""
        self.hired += 1
        return f"x{self.hired}"

    def victim(self) -> str:
        """One of the workers that run."""
        return self.random.choice(self.crew.names)


class Fault(ABC):
    """One kind of trouble. `name` is what it is called in the table of docs/guarantees.md."""

    name: str

    @abstractmethod
    async def inject(self, scene: Scene) -> None:
        """Let it take place; returns when it has lasted."""

    @abstractmethod
    async def heal(self, scene: Scene) -> None:
        """Undo what an operator would have to undo."""

    @abstractmethod
    async def proof(self, scene: Scene) -> str:
        """What shows that it took place.

        Raises:
            NotProven: nothing does.
        """


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[object]], what: str, seconds: float) -> None:
    """Wait for a condition.

    Raises:
        NotProven: it does not come true within so many seconds.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if await found if isinstance(found, Awaitable) else found:
            return
        if time.monotonic() > deadline:
            raise NotProven(f"waited {seconds:.0f} s for {what}")
        await asyncio.sleep(POLL_S)

"""A live system of our own: topics and workers as processes on a Kafka, fed, killed, awaited and read."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from touchstone.app import channel_topics, output_topics, prefixed, topic_specs
from touchstone.contracts.codec import bundled_codec
from touchstone.devkit import tether
from touchstone.errors import Unavailable, UsageError
from touchstone.intake.lines import prepare_line
from touchstone.pipeline import IDENTITY, JOURNEY, OutputRecord
from touchstone.runtime import admin, client
from touchstone.runtime.names import internal_topics
from touchstone.topology.compile import Topology

_POLL_S = 0.2
_LOG_LINES = 25


@dataclass
class LiveSystem:
    """Several workers on one Kafka. Its processes never outlive this one.

    `topology_file` is what the workers load; `topology` the same with partitions, clock and topic prefix as given here.
    """

    bootstrap: str
    topology_file: Path
    topology: Topology
    folder: Path
    app: str = "touchstone"
    prefix: str = ""
    session_timeout_s: int = 6
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Use the topics of this system only."""
        self.topology = prefixed(self.topology, self.prefix)

    async def create_topics(self) -> int:
        """Create what is missing; returns how many topics there are."""
        specs = topic_specs(self.topology, self.app)
        await admin.apply(self.bootstrap, specs)
        return len(specs)

    # -- workers ---------------------------------------------------------------------------------------------------------------
    def start(self, name: str, environment: dict[str, str] | None = None) -> None:
        """Start the worker of this name, with the state it left behind if it ran before."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "web.port").unlink(missing_ok=True)
        command = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), sys.executable, "-m", "touchstone", "worker"]
        command += ["--topology", str(self.topology_file), "--partitions", str(self.topology.partitions), "--clock", self.topology.clock]
        command += ["--app", self.app, "--topic-prefix", self.prefix, "--instance", name, "--data-dir", str(folder)]
        command += ["--session-timeout", str(self.session_timeout_s), "--web-port", "0", "--bootstrap", self.bootstrap, "--log-level", "warning"]
        with (folder / "log").open("ab") as log:
            self.workers[name] = subprocess.Popen(  # noqa: S603 - our own program
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | (environment or {})
            )

    def kill(self, name: str) -> None:
        """End a worker with SIGKILL: it has no chance to say or write anything."""
        worker = self.workers.pop(name)
        worker.send_signal(signal.SIGKILL)
        worker.wait()

    def stop(self, seconds: float = 15) -> dict[str, int]:
        """Ask all workers to leave, and end those that do not within `seconds`; returns their exit codes."""
        for worker in self.workers.values():
            worker.terminate()
        deadline = time.monotonic() + seconds
        codes = {}
        for name, worker in self.workers.items():
            try:
                codes[name] = worker.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                codes[name] = worker.wait()
        self.workers.clear()
        return codes

    async def until_ready(self, *names: str, seconds: float = 90) -> None:
        """Wait until these workers answer that they are ready.

        Raises:
            Unavailable: one of them died, or took too long; with the end of its log.
        """
        deadline = time.monotonic() + seconds
        for name in names:
            while not await asyncio.to_thread(self._is_ready, name):
                self.check_alive()
                if time.monotonic() > deadline:
                    raise Unavailable(f"worker {name} is not ready after {seconds:.0f} s; the end of its log:\n{self.log_tail(name)}")
                await asyncio.sleep(_POLL_S)

    def check_alive(self) -> None:
        """See that no worker has ended by itself.

        Raises:
            Unavailable: one has; with the end of its log.
        """
        for name, worker in self.workers.items():
            code = worker.poll()
            if code is not None:
                raise Unavailable(f"worker {name} ended by itself with code {code}; the end of its log:\n{self.log_tail(name)}")

    def log_tail(self, name: str) -> str:
        """The last lines of a worker's log."""
        return "\n".join((self.folder / name / "log").read_text(errors="replace").splitlines()[-_LOG_LINES:])

    def page(self, name: str, path: str) -> str:
        """What the worker's web server answers; empty when it does not."""
        try:
            port = (self.folder / name / "web.port").read_text()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:  # noqa: S310 - loopback
                return str(answer.read().decode())
        except (OSError, urllib.error.URLError):
            return ""

    def _is_ready(self, name: str) -> bool:
        return bool(self.page(name, "/health/ready"))

    # -- touchpoints in, what is said out ------------------------------------------------------------------------------------------
    async def send(self, lines: Iterable[bytes], sent: Callable[[int], None] = lambda _: None) -> int:
        """Send lines as `touchstone produce` does; returns how many once all are acknowledged."""

        def records() -> Iterable[tuple[str, bytes | None, bytes]]:
            for number, line in enumerate(lines, 1):
                yield prepare_line(line, self.topology)
                sent(number)

        return await client.produce_lines(self.bootstrap, records())

    async def until_quiet(self, until_ms: int, seconds: float = 300, watch: Callable[[int], None] = lambda _: None) -> None:
        """Wait until everything is read, no transaction is open, and every journey partition has passed `until_ms`.

        `watch` is told how many records are still to be read.

        Raises:
            Unavailable: it takes longer than `seconds`, or a worker ended by itself.
        """
        topics = [*channel_topics(self.topology), *internal_topics(self.app, (IDENTITY, JOURNEY))]
        deadline = time.monotonic() + seconds
        calm, before = 0, None
        while calm < 2:  # noqa: PLR2004 - the same twice: nothing moved between two looks
            self.check_alive()
            lags = await client.group_lag(self.bootstrap, self.app, topics)
            behind = sum(lag.records for lag in lags)
            reached = await client.journey_clock(self.bootstrap, self.app)
            is_past = len(reached) == self.topology.partitions and min(reached.values()) >= until_ms
            is_open = await client.has_open_transaction(self.bootstrap, [*topics, *output_topics(self.topology)])
            now = [(lag.topic, lag.partition, lag.end) for lag in lags]
            calm = calm + 1 if behind == 0 and is_past and not is_open and (now == before or not calm) else 0
            before = now
            watch(behind)
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"expected quiet within {seconds:.0f} s; {behind} records are unread, open transaction: {is_open}, "
                    f"journey partitions passed {until_ms}: {sum(time >= until_ms for time in reached.values())} of {self.topology.partitions}"
                )
            await asyncio.sleep(_POLL_S)

    async def records(self, topics: Iterable[str] | None = None) -> list[OutputRecord]:
        """Everything that was said and committed, partition by partition in order."""
        names = self.topology.topics
        wanted = list(topics or (names.moments, names.customers, names.identities, names.deadletters))
        codec = bundled_codec()
        return [codec.decode_record(r.value) async for r in client.read_topic(self.bootstrap, wanted) if r.value is not None]


def require_topology(path: Path) -> Path:
    """The file, if it is one."""
    if not path.is_file():
        raise UsageError(f"expected a topology at {path}, found no file")
    return path

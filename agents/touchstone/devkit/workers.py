"""Workers as processes: started, awaited, killed, asked, stopped."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from touchstone.contracts.registry_client import URL
from touchstone.devkit import tether
from touchstone.devkit.folders import cache_folder
from touchstone.errors import Unavailable
from touchstone.topology.compile import Topology

_POLL_S = 0.1
_LOG_LINES = 25


@dataclass
class Workers:
    """Several workers on one Kafka. Their processes never outlive this one, unless `detached`.

    `topology_file` is what the workers load; `topology` is the same with partitions, clock and topic prefix as they are told.
    """

    bootstrap: str
    topology_file: Path
    topology: Topology
    folder: Path
    app: str = "touchstone"
    prefix: str = ""
    session_timeout_s: int = 6
    detached: bool = False
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        """Start the worker of this name, with the state it left behind if it ran before.

        To be called from a thread that lives as long as the worker shall: Linux ties the worker's life to it.
        """
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "web.port").unlink(missing_ok=True)
        command = [] if self.detached else [sys.executable, "-I", "-S", tether.__file__, str(os.getpid())]
        command += [sys.executable, "-m", "touchstone", "worker", "--topology", str(self.topology_file)]
        command += ["--partitions", str(self.topology.partitions), "--clock", self.topology.clock]
        command += ["--app", self.app, "--topic-prefix", self.prefix, "--instance", name, "--data-dir", str(folder)]
        command += [
            "--session-timeout",
            str(self.session_timeout_s),
            "--web-port",
            "0",
            "--bootstrap",
            self.bootstrap,
            "--log-level",
            "warning",
        ]
        with (folder / "log").open("ab") as log:
            # A session of their own: Ctrl-C in the terminal ends us first, and we end them.
            self.workers[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment(environment or {}), start_new_session=True
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
                codes[name] = worker.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                codes[name] = worker.wait()
        self.workers.clear()
        return codes

    async def until_ready(self, *names: str, seconds: float = 180) -> None:
        """Wait until each of these workers has answered that it is ready.

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

    def address(self, name: str) -> str | None:
        """Where the worker's web server answers, as `http://host:port`; None before it does."""
        try:
            return f"http://127.0.0.1:{int((self.folder / name / 'web.port').read_text())}"
        except (FileNotFoundError, ValueError):
            return None

    def page(self, name: str, path: str) -> str:
        """What the worker's web server answers; empty when it does not."""
        address = self.address(name)
        try:
            if address is not None:
                with urllib.request.urlopen(address + path, timeout=2) as answer:  # noqa: S310 - loopback
                    return str(answer.read().decode())
        except (OSError, urllib.error.URLError):
            pass
        return ""

    def _is_ready(self, name: str) -> bool:
        return bool(self.page(name, "/health/ready"))


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """Ours and more, without a schema registry: topics of a trial are nothing to register. Where nothing may be compiled beside the sources, it goes to the user's cache: half of a worker's start is compiling."""
    environment = {name: value for name, value in os.environ.items() if name != URL} | dict(more)
    if environment.pop("PYTHONDONTWRITEBYTECODE", ""):
        environment.setdefault("PYTHONPYCACHEPREFIX", str(cache_folder() / "bytecode"))
    return environment

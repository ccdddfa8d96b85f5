"""A real Kafka for as long as a `with` block lasts."""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from types import TracebackType
from typing import Self

import msgspec

from touchstone.devkit.claim import claim, claim_new, note
from touchstone.devkit.doors import Door, Doors
from touchstone.devkit.jars import Progress, fetch_jars
from touchstone.devkit.java import find_java
from touchstone.devkit.keeper import keep
from touchstone.devkit.ports import free_ports
from touchstone.devkit.running import BOOTSTRAP_VARIABLE, Running
from touchstone.devkit.server import HOST, READY, Profile, formatted, java_command, server_properties
from touchstone.errors import InvariantBroken, Unavailable

_READY_SECONDS = 180.0  # ready after 2.5 s; a machine that is busy with other tests has taken over a minute
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.05
_PORT_ATTEMPTS = 3  # a free port may be gone again before Kafka binds it
_PREFIX = "touchstone-kafka-"
_PORT_TAKEN = ("Address already in use", "failed to bind")


class EmbeddedKafka:
    """One Apache Kafka node of our own, on free ports of this machine.

    In a `with` block its data is thrown away at the end. It never outlives this process, however that ends, unless `detached`.

    Args:
        profile: `test` is ready soonest; `bench` is compiled fully and has more memory.
        port: where clients connect; a free one by default.
        folder: where its data stays between starts; by default a temporary folder that is removed.
        properties: settings of `server.properties` to add or override.
        progress: told about bytes fetched when Kafka has to be fetched first.
        detached: it outlives this process; needs a folder.
        doors: locked listeners to open beside the plain one; `address` says where they are.
    """

    def __init__(
        self,
        *,
        profile: Profile = "test",
        port: int | None = None,
        folder: Path | None = None,
        properties: Mapping[str, str] | None = None,
        progress: Progress | None = None,
        detached: bool = False,
        doors: Doors | None = None,
    ) -> None:
        if detached and folder is None:
            raise InvariantBroken("a detached broker needs a folder of its own")
        self._profile: Profile = profile
        self._wanted_port = port
        self._given_folder = folder
        self._properties = dict(properties or {})
        self._progress = progress
        self._detached = detached
        self._doors = doors or Doors()
        self._door_ports: dict[str, int] = {}
        self._folder: Path | None = None
        self._port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """Where clients connect, as `host:port`.

        Raises:
            InvariantBroken: it has not been started.
        """
        if self._port is None:
            raise InvariantBroken("start the embedded Kafka before asking where it listens")
        return f"{HOST}:{self._port}"

    def address(self, door: Door) -> str:
        """Where clients of that locked listener connect, as `host:port`.

        Raises:
            InvariantBroken: it has not been started, or has no such listener.
        """
        if door not in self._door_ports:
            raise InvariantBroken(
                f"expected a started embedded Kafka with a listener {door}, found {', '.join(self._door_ports) or 'none'}"
            )
        return f"{HOST}:{self._door_ports[door]}"

    @property
    def pid(self) -> int | None:
        """The process of the broker; none while it does not run."""
        return self._process.pid if self._process is not None and self.is_running else None

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of the broker's log, for a message about what went wrong."""
        return tail(self._folder / "broker.log", lines) if self._folder is not None else ""

    def start(self) -> None:
        """Fetch what is missing, start Kafka, return when it takes connections.

        Raises:
            Unavailable: no Java, no network for the first fetch, the port is taken, the broker died or was not ready in time.
        """
        if self.is_running:
            raise InvariantBroken("this embedded Kafka runs already")
        if self._wanted_port is not None and not _is_free(self._wanted_port):
            raise _port_taken(self._wanted_port)
        java, jars = find_java(), fetch_jars(self._progress)
        folder, lock = self._claim()
        try:
            formatted(folder / "data", java, jars, self._doors.format_arguments())
            for attempt in range(1, _PORT_ATTEMPTS + 1):
                port, controller_port, *others = free_ports(2 + len(self._doors.names))
                self._port = self._wanted_port or port
                self._door_ports = dict(zip(self._doors.names, others, strict=True))
                settings = folder / "server.properties"
                settings.touch(0o600)  # passwords stand in it where there are users
                text = server_properties(
                    folder / "data", self._port, controller_port, {**self._doors.properties(), **self._properties}, self._door_ports
                )
                settings.write_text(text, "utf-8")
                self._process = self._spawn(java_command(java, jars, self._profile, "kafka.Kafka", str(settings)), folder, lock)
                note(lock, msgspec.json.encode(Running(self.bootstrap, self._process.pid, str(folder))))
                if self._await_ready(is_last_attempt=attempt == _PORT_ATTEMPTS):
                    break
        except BaseException:
            self.stop()
            raise
        finally:
            os.close(lock)  # the broker holds it now

    def stop(self) -> None:
        """End it: in order where its data stays, at once where it is thrown away. Stopping twice does nothing."""
        process, self._process = self._process, None
        if process is not None:
            if self._given_folder is not None:
                process.terminate()
            else:
                process.kill()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._folder is not None and self._given_folder is None:
            rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def kill(self) -> int:
        """End it with SIGKILL, as a machine that fails would; its data stays. Returns the exit code; it can be started again.

        Raises:
            InvariantBroken: it does not run.
        """
        process = self._process
        if process is None or not self.is_running:
            raise InvariantBroken("expected an embedded Kafka that runs, found none to kill")
        process.kill()
        return process.wait(_STOP_SECONDS)

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop it."""
        self.stop()

    def _claim(self) -> tuple[Path, int]:
        if self._given_folder is None:
            self._folder, lock = claim_new(_PREFIX, Path(tempfile.gettempdir()))
        else:
            self._folder, lock = self._given_folder, claim(self._given_folder)
        return self._folder, lock

    def _spawn(self, command: list[str], folder: Path, lock: int) -> subprocess.Popen[bytes]:
        return keep(command, folder / "broker.log", lock, detached=self._detached)

    def _await_ready(self, *, is_last_attempt: bool) -> bool:
        """Whether it is ready; false when another program took the free port that was chosen, so that another can be tried."""
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            ended = not self.is_running  # asked before the log is read: what it said at its end is then seen
            log = self.log_tail(200)
            if READY in log:
                return True
            if ended:
                if not any(words in log for words in _PORT_TAKEN):
                    code = self._process.returncode if self._process is not None else None
                    raise Unavailable(f"the embedded Kafka died with code {code} while starting; its log ends with:\n{self.log_tail()}")
                if self._wanted_port is not None or is_last_attempt:
                    raise _port_taken(self._port)
                return False
            time.sleep(_POLL_SECONDS)
        raise Unavailable(f"the embedded Kafka was not ready after {_READY_SECONDS:.0f} s; its log ends with:\n{self.log_tail()}")


@contextmanager
def kafka_or_given(bootstrap: str | None = None, *, profile: Profile = "test", progress: Progress | None = None) -> Iterator[str]:
    """The bootstrap address of the Kafka that is given, as argument or in TOUCHSTONE_BOOTSTRAP, else of an embedded one for this block."""
    if given := bootstrap or os.environ.get(BOOTSTRAP_VARIABLE):
        yield given
        return
    with EmbeddedKafka(profile=profile, progress=progress) as kafka:
        yield kafka.bootstrap


def tail(path: Path, lines: int) -> str:
    """The last lines of a log file; nothing where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 64 * 1024))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Kafka does: connections that linger are no obstacle
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _port_taken(port: int | None) -> Unavailable:
    return Unavailable(
        f"port {port} of {HOST} is taken by another program; stop that one (`ss -ltnp` names it), choose another port, "
        f"or, if it is a Kafka you want to use, set {BOOTSTRAP_VARIABLE}={HOST}:{port}"
    )

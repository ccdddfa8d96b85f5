"""A real schema registry for as long as a `with` block lasts: Apicurio, which speaks Confluent's API, in memory, on a free port."""

import os
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from types import TracebackType
from typing import Self

from touchstone.devkit.broker import tail
from touchstone.devkit.claim import claim_new
from touchstone.devkit.folders import cache_folder
from touchstone.devkit.jars import Jar, Progress, fetch_jars
from touchstone.devkit.java import find_java
from touchstone.devkit.keeper import keep
from touchstone.devkit.ports import free_ports
from touchstone.devkit.server import HOST
from touchstone.errors import InvariantBroken, Unavailable

APICURIO = Jar(
    "io.apicurio",
    "apicurio-registry-app",
    "2.6.13.Final",
    "3cda1b34aa020fb4ac4dd6a66018d757e81e437f97e20a1f92d366b70091c6ba",
    142_198_683,
    "all",
    "tar.gz",
)
_PRODUCT = f"apicurio-{APICURIO.version}"
_PATH = "/apis/ccompat/v7"
_JVM = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_READY_SECONDS = 180.0  # ready after 5 s; a machine that is busy with other tests takes far longer
_POLL_SECONDS = 0.1


class EmbeddedRegistry:
    """One registry of our own; what it holds is gone with it. It never outlives this process, however that ends.

    Args:
        port: where it listens; a free one by default. Stopped and started again on one port it is the same address, and empty.
        progress: told about bytes fetched when it has to be fetched first (142 MB).
    """

    def __init__(self, *, port: int | None = None, progress: Progress | None = None) -> None:
        self._port = port
        self._progress = progress
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where clients of Confluent's API connect.

        Raises:
            InvariantBroken: it has not been started.
        """
        if self._port is None:
            raise InvariantBroken("start the embedded registry before asking where it listens")
        return f"http://{HOST}:{self._port}{_PATH}"

    @property
    def pid(self) -> int | None:
        """The process of the registry; none while it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Fetch what is missing, start it, return when it answers.

        Raises:
            Unavailable: no Java, no network for the first fetch, or it died or was not ready in time.
        """
        java, runner = find_java(), _unpacked(self._progress)
        self._port = self._port or free_ports(1)[0]
        self._folder, lock = claim_new("touchstone-registry-", Path(tempfile.gettempdir()))
        settings = {
            "quarkus.http.host": HOST,
            "quarkus.http.port": str(self._port),
            "quarkus.log.level": "WARN",
            "quarkus.banner.enabled": "false",
        }
        command = [str(java.path), *_JVM, *java.flags, *(f"-D{name}={value}" for name, value in settings.items()), "-jar", str(runner)]
        try:
            self._process = keep(command, self._folder / "registry.log", lock)
            self._await_ready()
        except BaseException:
            self.stop()
            raise
        finally:
            os.close(lock)  # the registry holds it now

    def stop(self) -> None:
        """End it at once. Stopping twice does nothing."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        if self._folder is not None:
            rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop it."""
        self.stop()

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not self._answers():
            log = tail(self._folder / "registry.log", 20) if self._folder is not None else ""
            if self.pid is None:
                raise Unavailable(f"the embedded registry died while starting; its log ends with:\n{log}")
            if time.monotonic() > deadline:
                raise Unavailable(f"the embedded registry was not ready after {_READY_SECONDS:.0f} s; its log ends with:\n{log}")
            time.sleep(_POLL_SECONDS)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/subjects", timeout=5) as answer:  # noqa: S310 - loopback
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False


def _unpacked(progress: Progress | None) -> Path:
    """The runner in the user's cache, unpacked once; any number of processes may do this at once."""
    folder = cache_folder() / _PRODUCT / "app"
    runner = folder / f"{APICURIO.artifact}-{APICURIO.version}-runner.jar"
    if not runner.exists():
        (archive,) = fetch_jars(progress, (APICURIO,), _PRODUCT)
        with tempfile.TemporaryDirectory(prefix=".unpack-", dir=folder.parent) as made:
            with tarfile.open(archive) as packed:
                packed.extractall(Path(made) / "app", filter="data")
            with suppress(OSError):  # another process was quicker: its result is as good
                (Path(made) / "app").rename(folder)
        archive.unlink(missing_ok=True)  # what was unpacked is as large
    return runner

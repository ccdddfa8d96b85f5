"""Fetches the jars of Apache Kafka once, checks each, keeps them in the user's cache."""

import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import requests
from jgo.maven import MavenContext, PythonResolver

from touchstone.devkit.folders import cache_folder
from touchstone.errors import Unavailable

KAFKA_VERSION = "4.1.1"

Progress = Callable[[int, int], None]
"""Told the bytes fetched so far and the bytes to fetch, from any thread, one call at a time."""

_THREADS = 8  # cold fetch: 5.5 s with 8, 62 s when dependencies are resolved instead of listed
_ATTEMPTS = 3
_TIMEOUT_SECONDS = 60


class Jar(NamedTuple):
    """One line of `kafka-jars.txt`."""

    group: str
    artifact: str
    version: str
    sha256: str
    size: int
    classifier: str = ""
    kind: str = "jar"

    @property
    def filename(self) -> str:
        """The name it has in a Maven repository and in our cache."""
        return f"{self.artifact}-{self.version}{'-' if self.classifier else ''}{self.classifier}.{self.kind}"

    def is_sound(self, path: Path) -> bool:
        """Whether that file is this jar, whole and unchanged."""
        try:
            if path.stat().st_size != self.size:
                return False
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256
        except OSError:  # not there, or not to be read: fetching it says which
            return False


def listed_jars() -> tuple[Jar, ...]:
    """What Kafka needs to run: coordinate, hash and size of each jar."""
    lines = (files("touchstone.devkit") / "kafka-jars.txt").read_text("utf-8").split("\n")
    jars = []
    for line in filter(None, lines):
        coordinate, sha256, size = line.split()
        group, artifact, version = coordinate.split(":")
        jars.append(Jar(group, artifact, version, sha256, int(size)))
    return tuple(jars)


def fetch_jars(
    progress: Progress | None = None, jars: tuple[Jar, ...] | None = None, product: str = f"kafka-{KAFKA_VERSION}"
) -> tuple[Path, ...]:
    """The jars on this disk, each checked against its hash; what is missing or damaged is fetched again.

    Any number of processes may do this at once: a jar appears under its name only when it is whole.

    Args:
        progress: told about bytes fetched; not called when nothing has to be fetched.
        jars: which; by default all that Kafka needs.
        product: the folder of the cache in which they are kept.

    Raises:
        Unavailable: a jar could be had neither from the cache nor from the repository.
    """
    wanted = listed_jars() if jars is None else jars
    folder = cache_folder() / product
    missing = [jar for jar in wanted if not jar.is_sound(folder / jar.filename)]
    if missing:
        _make(folder)
        meter = _Meter(sum(jar.size for jar in missing), progress)
        with _trusted_certificates(), ThreadPoolExecutor(_THREADS, thread_name_prefix="jars") as pool:
            for outcome in [pool.submit(_fetch, jar, folder, meter) for jar in missing]:
                outcome.result()
    return tuple(folder / jar.filename for jar in wanted)


class _Meter:
    """Adds up what several threads fetch; a failed attempt gives its bytes back."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._lock = threading.Lock()
        self._total = total
        self._progress = progress
        self._done = 0

    def add(self, size: int) -> None:
        with self._lock:
            self._done += size
            if self._progress is not None:
                self._progress(self._done, self._total)


def _fetch(jar: Jar, folder: Path, meter: _Meter) -> None:
    failures: list[str] = []
    for _ in range(_ATTEMPTS):
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as attempt:
            counted: list[int] = []
            try:
                path = _download(jar, Path(attempt), meter, counted)
                if jar.is_sound(path):
                    path.replace(folder / jar.filename)
                    return
                failures.append(f"{path.stat().st_size} bytes came, their sha256 is not {jar.sha256} of {jar.size} bytes")
            except (requests.RequestException, RuntimeError, OSError) as error:  # jgo says "not found" with a RuntimeError
                failures.append(_cause(error))
            meter.add(-sum(counted))
    raise Unavailable(
        f"{jar.artifact} {jar.version} could not be fetched: {jar.filename} failed {_ATTEMPTS} times, last with: {failures[-1]}\n"
        "The first start needs the network (Kafka 38 MB, the registry 142 MB; kept afterwards). Behind a mirror set TOUCHSTONE_MAVEN to its address; behind a proxy "
        "set HTTPS_PROXY and REQUESTS_CA_BUNDLE; or name a running Kafka in TOUCHSTONE_BOOTSTRAP"
    )


def _download(jar: Jar, folder: Path, meter: _Meter, counted: list[int]) -> Path:
    @contextmanager
    def count(_name: str, _total: int) -> Iterator[Callable[[int], None]]:
        def add(size: int) -> None:
            counted.append(size)
            meter.add(size)

        yield add

    mirror = os.environ.get("TOUCHSTONE_MAVEN")
    context = MavenContext(
        resolver=PythonResolver(progress_callback=count),
        repo_cache=folder,
        remote_repos={"mirror": mirror.rstrip("/")} if mirror else None,
        timeout=_TIMEOUT_SECONDS,
    )
    return (
        context.project(jar.group, jar.artifact).at_version(jar.version).artifact(classifier=jar.classifier, packaging=jar.kind).resolve()
    )


def _cause(error: BaseException) -> str:
    """The innermost cause: `requests` wraps "Connection refused" three times."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return f"{type(error).__name__}: {error}"


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"the cache folder {folder} cannot be made: {error}; set XDG_CACHE_HOME to a folder that can be written"
        ) from error


@contextmanager
def _trusted_certificates() -> Iterator[None]:
    """`requests`, under jgo, looks at REQUESTS_CA_BUNDLE only; pip and OpenSSL users have set one of the others."""
    given = os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE")
    if given is None or "REQUESTS_CA_BUNDLE" in os.environ or "CURL_CA_BUNDLE" in os.environ:
        yield
        return
    os.environ["REQUESTS_CA_BUNDLE"] = given
    try:
        yield
    finally:
        del os.environ["REQUESTS_CA_BUNDLE"]

"""Fetching, from a repository of our own on this machine."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from touchstone.devkit.jars import KAFKA_VERSION, Jar, fetch_jars, listed_jars
from touchstone.errors import Unavailable

CONTENT = {name: name.encode() * 5000 for name in ("broker", "codec", "log")}
JARS = tuple(Jar("org.example", name, "1.0", hashlib.sha256(body).hexdigest(), len(body)) for name, body in CONTENT.items())


class Repository(http.server.ThreadingHTTPServer):
    """A Maven repository of a few jars; counts what is asked for and can answer wrongly."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[str] = []
        self.wrong: dict[str, list[bytes]] = {}


class Answer(http.server.BaseHTTPRequestHandler):
    """Serves the jars."""

    server: Repository

    def do_GET(self) -> None:
        """A jar, or what is to be answered in its place, or nothing."""
        parts = self.path.strip("/").split("/")
        name = parts[-3]
        if self.path.endswith(".jar") and parts[:2] == ["org", "example"]:
            self.server.asked.append(name)
            wrong = self.server.wrong.get(name)
            body = wrong.pop(0) if wrong else CONTENT[name]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        else:
            self.send_error(404)

    def log_message(self, *_arguments: object) -> None:
        """Be silent."""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """A repository, and an empty cache to fetch into."""
    with Repository() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.setenv("TOUCHSTONE_MAVEN", f"http://127.0.0.1:{server.server_port}/")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield server
        server.shutdown()
        thread.join()


def cached(tmp_path: Path, name: str) -> Path:
    """Where a jar is kept."""
    return tmp_path / "touchstone" / f"kafka-{KAFKA_VERSION}" / f"{name}-1.0.jar"


def test_the_list_names_each_jar_of_kafka_once_with_its_hash_and_size() -> None:
    """35 jars, 38 MB; the broker itself has the version we say."""
    jars = listed_jars()

    assert len({jar.filename for jar in jars}) == len(jars) == 35
    assert f"kafka_2.13-{KAFKA_VERSION}.jar" in {jar.filename for jar in jars}
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in jars)


def test_what_is_missing_is_fetched_and_what_is_there_is_not(repository: Repository, tmp_path: Path) -> None:
    """The second time nothing is asked for, and the order is that of the list."""
    first = fetch_jars(jars=JARS)
    second = fetch_jars(jars=JARS)

    assert first == second == tuple(cached(tmp_path, jar.artifact) for jar in JARS)
    assert [path.read_bytes() for path in first] == list(CONTENT.values())
    assert sorted(repository.asked) == sorted(CONTENT)


@pytest.mark.parametrize("damage", [b"", b"codec", CONTENT["codec"][:-1] + b"X"], ids=["empty", "truncated", "changed"])
def test_a_damaged_jar_is_fetched_again(repository: Repository, tmp_path: Path, damage: bytes) -> None:
    """An interrupted fetch of another tool, or a flipped bit on disk, does not reach Java."""
    fetch_jars(jars=JARS)
    cached(tmp_path, "codec").write_bytes(damage)
    repository.asked.clear()

    fetch_jars(jars=JARS)

    assert repository.asked == ["codec"]
    assert cached(tmp_path, "codec").read_bytes() == CONTENT["codec"]


def test_a_wrong_answer_is_tried_again(repository: Repository, tmp_path: Path) -> None:
    """A captive portal's page is not taken for a jar; the next attempt may be right."""
    repository.wrong["log"] = [b"<html>please log in</html>"]

    fetch_jars(jars=JARS)

    assert repository.asked.count("log") == 2
    assert cached(tmp_path, "log").read_bytes() == CONTENT["log"]


def test_wrong_answers_for_ever_end_with_a_message_and_leave_nothing_behind(repository: Repository, tmp_path: Path) -> None:
    """Three attempts, then the jar, what came, and what to do; no half file stays under its name or another."""
    repository.wrong["log"] = [b"no"] * 9

    with pytest.raises(Unavailable, match=r"(?s)log-1\.0\.jar failed 3 times.*TOUCHSTONE_MAVEN.*TOUCHSTONE_BOOTSTRAP"):
        fetch_jars(jars=JARS)

    left = {path.name for path in cached(tmp_path, "log").parent.iterdir()}
    assert left == {"broker-1.0.jar", "codec-1.0.jar"}


def test_no_network_is_said_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: Repository) -> None:
    """Nobody listens: the message names the cause, not three layers of wrapping."""
    monkeypatch.setenv("TOUCHSTONE_MAVEN", "http://127.0.0.1:9")

    with pytest.raises(Unavailable, match=r"(?s)ConnectionRefusedError.*needs the network"):
        fetch_jars(jars=JARS)


def test_several_at_once_all_get_whole_jars(repository: Repository) -> None:
    """A test session and a demo may fetch at the same time."""
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: fetch_jars(jars=JARS), range(4)))

    assert all([path.read_bytes() for path in paths] == list(CONTENT.values()) for paths in outcomes)


def test_progress_ends_at_the_total_even_after_a_failed_attempt(repository: Repository) -> None:
    """What a failed attempt brought is taken off again; nothing is told when nothing is fetched."""
    repository.wrong["log"] = [b"no"]
    told: list[tuple[int, int]] = []

    fetch_jars(lambda done, total: told.append((done, total)), JARS)
    before = list(told)
    fetch_jars(lambda done, total: told.append((done, total)), JARS)

    total = sum(map(len, CONTENT.values()))
    assert before[-1] == (total, total)
    assert told == before


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which folder and how to choose another."""
    (tmp_path / "touchstone").write_text("a file where a folder should be", "utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    with pytest.raises(Unavailable, match="XDG_CACHE_HOME"):
        fetch_jars(jars=JARS)

import random
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rocksdict import Options, Rdict

from touchstone.errors import DiskUnusable, InvariantBroken, Retriable, StateUnusable
from touchstone.state.keys import ROW, after
from touchstone.state.rocksdb import RocksBackend, RocksEnvironment

ENVIRONMENT = RocksEnvironment()
KEYS = [b"\x03g%02d\x00n" % number for number in range(50)]
PREAMBLE = """
import os, resource, sys
from pathlib import Path
from touchstone.errors import *
from touchstone.state.rocksdb import RocksBackend, RocksEnvironment, RocksOptions
environment = RocksEnvironment(RocksOptions(write_buffer_bytes=64 << 10))
path = Path(sys.argv[1])
keys = [b"\\x03g%02d\\x00n" % number for number in range(50)]
def value(offset, key): return b"%d " % offset + os.urandom(100)
def say(text): sys.stdout.write(f"{text}\\n"); sys.stdout.flush()
"""


@contextmanager
def started(script: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that works on a store; it is dead when the block is left."""
    with subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(script), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def everything(backend: RocksBackend) -> dict[bytes, bytes]:
    """All rows."""
    return dict(backend.scan(ROW, after(ROW)))


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A closed store at offset 30 with flushed files; every row begins with the offset it was written at."""
    path = tmp_path / "filled"
    backend = RocksBackend(path, ENVIRONMENT)
    noise = random.Random(1)
    for offset in range(1, 31):
        backend.write([(key, b"%d " % offset + noise.randbytes(200)) for key in KEYS], offset)
        if offset % 10 == 0:
            backend._db.flush()
    backend.close()
    return path


def consistent(backend: RocksBackend) -> None:
    """The rows are those of the offset."""
    rows = everything(backend)
    assert set(rows) == (set(KEYS) if backend.offset else set())
    assert {int(value.split()[0]) for value in rows.values()} <= {backend.offset}


def test_rows_and_offset_survive_kill_9_together(tmp_path: Path) -> None:
    """Killed in the middle of commits, again and again, the store holds exactly the last commit, never half a one."""
    path = tmp_path / "killed"
    script = """
        backend = RocksBackend(path, environment)
        offset = backend.offset
        say(offset)
        while True:
            offset += 1
            backend.write([(key, value(offset, key)) for key in keys], offset)
            say(offset)
    """
    reached = 0
    for commits in (1, 7, 50, 120, 300):
        with started(script, path) as process:
            assert process.stdout is not None
            for _ in range(commits):
                reached = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().split("\n")  # said before it died; the last line may be cut
            assert process.wait() == -signal.SIGKILL
        reached = max([reached, *map(int, rest[:-1])])

        backend = RocksBackend(path, ENVIRONMENT)
        consistent(backend)
        assert backend.offset in {reached, reached + 1}  # one commit may have ended before it could be said
        backend.close()


def test_a_restore_that_is_killed_continues_where_it_was(tmp_path: Path) -> None:
    """Bulk writes are as atomic as commits: each fetch is there wholly, with its offset, or not at all."""
    path = tmp_path / "killed"
    script = """
        backend = RocksBackend(path, environment)
        for fetch in range(1, 1000):
            backend.write([(b"\\x03g%d\\x00n%d" % (fetch, n), os.urandom(100)) for n in range(1000)], fetch * 1000)
            say(fetch)
    """
    with started(script, path) as process:
        assert process.stdout is not None
        for _ in range(25):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL

    backend = RocksBackend(path, ENVIRONMENT)

    assert backend.offset >= 25_000
    assert len(everything(backend)) == backend.offset
    backend.close()


def damage(path: Path, how: str, noise: random.Random) -> None:
    """Harm one file as disks and crashes do."""
    content = bytearray(path.read_bytes())
    match how:
        case "flipped":
            for _ in range(5):
                content[noise.randrange(len(content))] ^= 0xFF
            path.write_bytes(content)
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case "zeroed":
            path.write_bytes(bytes(len(content)))
        case _:
            path.unlink()


@pytest.mark.parametrize("how", ["flipped", "cut", "zeroed", "missing"])
@pytest.mark.parametrize("file", ["*.sst", "CURRENT", "MANIFEST-*", "OPTIONS-*", "IDENTITY", "rocksdict-config.json", "*.log"])
def test_a_damaged_file_is_unusable_state_or_does_no_harm(filled: Path, file: str, how: str) -> None:
    """At opening or at reading: `StateUnusable`, or a state that was once committed; never a bare Exception, never half a state."""
    noise = random.Random(file + how)
    for number, name in enumerate(sorted(path.name for path in filled.glob(file))):
        path = filled.with_name(f"damaged-{number}")
        shutil.copytree(filled, path)
        if how == "flipped" and not (path / name).stat().st_size:
            continue
        damage(path / name, how, noise)

        backend = None
        try:
            backend = RocksBackend(path, ENVIRONMENT)
            consistent(backend)
            harmed = ""
        except StateUnusable as error:
            harmed = str(error)
        if backend is not None:
            backend.close()

        assert str(path) in harmed or (not harmed and file not in {"*.sst", "CURRENT"})
        RocksBackend.destroy(path)
        rebuilt = RocksBackend(path, ENVIRONMENT)
        rebuilt.write([(KEYS[0], b"1 ")], 1)
        assert everything(rebuilt) == {KEYS[0]: b"1 "}
        rebuilt.close()


def test_a_flipped_block_is_met_by_get_and_by_scan(filled: Path) -> None:
    """RocksDB opens such a file without a word, and its iterator just ends early: both must say so, and wiping helps."""
    for file in filled.glob("*.sst"):
        content = bytearray(file.read_bytes())
        content[100:140] = bytes(byte ^ 0xFF for byte in content[100:140])
        file.write_bytes(content)
    backend = RocksBackend.__new__(RocksBackend)
    backend._path, backend._environment = filled, ENVIRONMENT
    backend._db = backend._open()

    with pytest.raises(StateUnusable, match="checksum"):
        backend.get(KEYS[0])
    with pytest.raises(StateUnusable, match="checksum"):
        everything(backend)

    backend.wipe()
    assert everything(backend) == {}
    assert backend.offset == 0
    backend.close()


def test_a_store_open_elsewhere_is_busy_and_left_alone(tmp_path: Path) -> None:
    """In this process and in another; not even destroying touches it."""
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    backend = RocksBackend(mine, ENVIRONMENT)
    script = "backend = RocksBackend(path, environment); backend.write([(keys[0], b'1')], 1); say(1); sys.stdin.read()"
    with started(script, theirs) as process:
        assert process.stdout is not None
        process.stdout.readline()

        for busy in (mine, theirs):
            with pytest.raises(Retriable, match="open in another"):
                RocksBackend(busy, ENVIRONMENT)
            with pytest.raises(Retriable, match="open in another"):
                RocksBackend.destroy(busy)
    backend.close()

    backend = RocksBackend(theirs, ENVIRONMENT)
    assert backend.offset == 1
    backend.close()


def test_a_disk_that_takes_no_more_is_its_own_error(tmp_path: Path) -> None:
    """Not unusable state: rebuilding would not help. What was committed is there when there is room again."""
    path = tmp_path / "store"
    script = """
        backend = RocksBackend(path, environment)
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.RLIM_INFINITY))
        try:
            for offset in range(1, 10_000):
                backend.write([(key, value(offset, key)) for key in keys], offset)
        except TouchstoneError as error:
            say(f"{type(error).__name__} {error}")
            say(offset)
            os._exit(3)
    """
    with started(script, path) as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 3, said
    text, offset = said.splitlines()

    assert text.startswith(DiskUnusable.__name__)
    assert "nothing that was committed is lost" in text
    backend = RocksBackend(path, ENVIRONMENT)
    consistent(backend)
    assert backend.offset == int(offset) - 1
    backend.close()


def test_a_file_in_the_way_is_an_operators_matter(tmp_path: Path) -> None:
    """The message names the place and the remedy."""
    (tmp_path / "data").write_text("not a folder", encoding="utf-8")

    for path in (tmp_path / "data", tmp_path / "data" / "store"):
        with pytest.raises(DiskUnusable, match="move it or choose another data directory"):
            RocksBackend(path, ENVIRONMENT)


@pytest.mark.parametrize("version", [b"2", None], ids=["newer", "none"])
def test_state_of_another_format_is_unusable(filled: Path, version: bytes | None) -> None:
    """It is rebuilt rather than misread, and the lock is free again."""
    db = Rdict(str(filled), Options(raw_mode=True))
    if version is None:
        db.delete(b"\x00format")
    else:
        db.put(b"\x00format", version)
    db.close()

    with pytest.raises(StateUnusable, match="format version b'1'"):
        RocksBackend(filled, ENVIRONMENT)

    RocksBackend.destroy(filled)
    RocksBackend(filled, ENVIRONMENT).close()


def test_the_bytes_of_the_backends_own_rows_are_these(filled: Path) -> None:
    """A golden value: a change of it needs another format version."""
    db = Rdict(str(filled), Options(raw_mode=True))

    assert db.get(b"\x00format") == b"1"
    assert db.get(b"\x00offset") == (30).to_bytes(8, "big")
    db.close()


def test_closing_twice_does_nothing_and_use_after_it_is_our_bug(tmp_path: Path) -> None:
    """The runtime closes in more than one way out."""
    backend = RocksBackend(tmp_path / "store", ENVIRONMENT)
    backend.close()
    backend.close()

    for use in (lambda: backend.get(b"x"), lambda: everything(backend), lambda: backend.write([], 1)):
        with pytest.raises(InvariantBroken, match="after it was closed"):
            use()


def test_destroying_what_does_not_exist_does_nothing(tmp_path: Path) -> None:
    """A partition may be wiped before it was ever opened."""
    RocksBackend.destroy(tmp_path / "store")

    assert not (tmp_path / "store").exists()


def test_a_store_left_with_an_open_iterator_can_still_be_wiped(tmp_path: Path) -> None:
    """A scan that was not read to its end does not hold the lock."""
    backend = RocksBackend(tmp_path / "store", ENVIRONMENT)
    backend.write([(key, b"1") for key in KEYS], 1)
    next(backend.scan(ROW, after(ROW)))

    backend.wipe()

    assert backend.offset == 0
    backend.close()


def test_stores_share_one_cache_and_stay_small(tmp_path: Path) -> None:
    """24 stores of a worker fit into memory: opening them costs less than a MiB each."""
    script = """
        def resident(): return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
        before = resident()
        environment = RocksEnvironment()
        stores = [RocksBackend(path / str(number), environment) for number in range(24)]
        say(resident() - before)
    """
    with started(script, tmp_path) as process:
        said, _ = process.communicate(timeout=60)

    assert int(said) < 24 << 20


def test_compacting_a_range_lets_old_values_leave_the_files(tmp_path: Path) -> None:
    """Deleted and replaced ones, also out of the write-ahead log; what stands, and what lies beside the range, is as it was."""
    backend = RocksBackend(tmp_path, ENVIRONMENT)
    old, stands = b"zq7x31kf-w93jq0vb72", b"mk2lv8-rt5hq0"
    backend.write([(KEYS[1], old), (KEYS[2], old + b"2"), (KEYS[3], stands)], 1)
    backend.write([(KEYS[1], None), (KEYS[2], b"new")], 2)
    assert any(old in path.read_bytes() for path in tmp_path.iterdir()), "deleting alone deletes nothing"

    for key in KEYS[1:3]:
        backend.compact(key, after(key))

    assert not [path.name for path in tmp_path.iterdir() if old in path.read_bytes()]
    assert [backend.get(key) for key in KEYS[1:4]] == [None, b"new", stands]

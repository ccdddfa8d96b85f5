"""What happens to the state on a worker's disk, and to the disk."""

import asyncio
import fcntl
import os
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.fault.scene import Fault, NotProven, Scene, until
from touchstone.errors import StateUnusable
from touchstone.state.rocksdb import RocksBackend, RocksEnvironment

_LIFE_S = 60.0
_TMPFS_MB = 24


class BrokenState(Fault):
    """A worker is killed and finds its databases damaged when it comes back."""

    def __init__(self) -> None:
        self._worker = ""
        self._touched = 0
        self._log_before = 0

    async def inject(self, scene: Scene) -> None:
        """Kill, damage."""
        self._worker = scene.victim()
        databases = _open_databases(scene.crew.pid(self._worker), scene.crew.folder(self._worker))
        await scene.crew.kill(self._worker)
        self._log_before = len(scene.crew.log(self._worker))
        self._touched = sum(self.damage(scene, database) for database in databases)

    async def heal(self, scene: Scene) -> None:
        """Start it again, and wait until it works."""
        scene.crew.hire(self._worker)
        await until(lambda: _is_ready(scene, self._worker), f"{self._worker} to be ready", _LIFE_S)

    def damage(self, scene: Scene, database: Path) -> int:
        """Do it; returns how much was damaged."""
        raise NotImplementedError

    def news(self, scene: Scene) -> str:
        """What the worker has said since."""
        return scene.crew.log(self._worker)[self._log_before :]


class FlippedBytes(BrokenState):
    """A byte in every hundred of the files that hold data is turned over."""

    name = "RocksDB: flipped bytes"

    def damage(self, scene: Scene, database: Path) -> int:
        """Flip."""
        touched = 0
        for file in database.iterdir():
            if file.suffix in {".sst", ".log"} or file.name.startswith("MANIFEST"):
                content = bytearray(file.read_bytes())
                places = [scene.random.randrange(len(content)) for _ in range(len(content) // 100)]
                for place in places:
                    content[place] ^= 0xFF
                file.write_bytes(content)
                touched += len(places)
        return touched

    async def proof(self, scene: Scene) -> str:
        """The worker noticed."""
        noticed = self.news(scene).count("rebuil")
        if not (self._touched and noticed):
            raise NotProven(f"{self._touched} bytes flipped, {noticed} databases reported")
        return f"{self._touched} bytes flipped, {noticed} databases thrown away"


class MissingCurrent(BrokenState):
    """The file that names the present manifest is gone from every database."""

    name = "RocksDB: CURRENT missing"

    def __init__(self) -> None:
        super().__init__()
        self._gone: list[Path] = []

    def damage(self, scene: Scene, database: Path) -> int:
        """Delete it."""
        current = database / "CURRENT"
        current.unlink()
        self._gone.append(current)
        return 1

    async def proof(self, scene: Scene) -> str:
        """It was there, it went, and the worker has made another."""
        made = sum(path.exists() for path in self._gone)
        if not (self._touched and made):
            raise NotProven(f"{self._touched} files deleted, {made} made again")
        return f"{self._touched} files deleted, {made} databases made anew"


class AheadOfChangelog(BrokenState):
    """A database claims an offset that its changelog has not reached, and holds a row that was never committed."""

    name = "state ahead of its changelog"

    def damage(self, scene: Scene, database: Path) -> int:
        """Write through the store's own code, as a bug in the order of the commit would."""
        try:
            backend = RocksBackend(database, RocksEnvironment())
        except StateUnusable:  # an earlier fault has damaged it, and nobody has opened it since
            return 0
        backend.write([(b"\x03default/cookie:ghost\x00ndefault/cookie:ghost", b"\x90")], backend.offset + 1_000_000)
        backend.close()
        return 1

    async def proof(self, scene: Scene) -> str:
        """The worker noticed."""
        noticed = self.news(scene).count("its changelog spans")
        if not noticed:
            raise NotProven(f"{self._touched} databases were put ahead, none was reported")
        return f"{self._touched} databases put ahead, {noticed} reported and rebuilt"


class ForeignLock(Fault):
    """Another process holds the lock of a database when the worker comes back."""

    name = "RocksDB: foreign lock"

    def __init__(self) -> None:
        self._worker = ""
        self._log_before = 0
        self._codes: list[int] = []
        self._said = False

    async def inject(self, scene: Scene) -> None:
        """Hold the locks while it tries to start."""
        crew = scene.crew
        self._worker = scene.victim()
        await crew.kill(self._worker)
        self._log_before, since = len(crew.log(self._worker)), len(crew.exits)
        locks = [folder / "LOCK" for folder in crew.folder(self._worker).glob("*-*") if (folder / "LOCK").exists()]
        handles = [lock.open("r+b") for lock in locks]
        try:
            for handle in handles:
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            crew.hire(self._worker)
            await until(lambda: self._worker in {e.worker for e in crew.exits[since:]}, f"{self._worker} to give up", _LIFE_S)
        finally:
            for handle in handles:
                handle.close()
        self._codes = [e.code for e in crew.exits[since:] if e.worker == self._worker]
        self._said = "is open in another process" in crew.log(self._worker)[self._log_before :]

    async def heal(self, scene: Scene) -> None:
        """The lock is free again, and the supervisor goes on trying."""
        if self._worker not in scene.crew.names:
            scene.crew.hire(self._worker)

    async def proof(self, scene: Scene) -> str:
        """It said why it did not start."""
        if not self._codes or not self._said:
            raise NotProven(f"exit codes {self._codes}, said why: {self._said}")
        return f"exit codes {self._codes}, with the reason in the log"


class DiskFull(Fault):
    """The disk under a worker's state is full; the operator makes room. Needs root, for a small tmpfs of its own."""

    name = "disk full"

    def __init__(self) -> None:
        self._worker = ""
        self._mounted: Path | None = None
        self._code: list[int] = []

    async def inject(self, scene: Scene) -> None:
        """Let a worker join whose folder is small, and fill that."""
        crew = scene.crew
        self._worker = scene.new_name()
        folder = crew.folder(self._worker)
        folder.mkdir(parents=True)
        await asyncio.to_thread(_run, "mount", "-t", "tmpfs", "-o", f"size={_TMPFS_MB}m", "tmpfs", str(folder))
        self._mounted = folder
        scene.undo.append(lambda: _run("umount", "--lazy", str(folder)))
        log = scene.folder / f"{self._worker}.log"
        log.touch()
        (folder / "log").symlink_to(log)  # what it says must not be lost with the room
        crew.hire(self._worker)
        await until(lambda: _is_ready(scene, self._worker), f"{self._worker} to be ready", _LIFE_S)
        since = len(crew.exits)
        await asyncio.to_thread(_fill, folder / "filler")
        await until(lambda: self._worker in {e.worker for e in crew.exits[since:]}, f"{self._worker} to notice", 2 * _LIFE_S)
        self._code = [e.code for e in crew.exits[since:] if e.worker == self._worker]

    async def heal(self, scene: Scene) -> None:
        """Make room, let it work again, and let it leave."""
        assert self._mounted is not None
        (self._mounted / "filler").unlink()
        if self._worker not in scene.crew.names:
            scene.crew.hire(self._worker)
        await until(lambda: _is_ready(scene, self._worker), f"{self._worker} to be ready", _LIFE_S)
        await scene.crew.dismiss(self._worker)

    async def proof(self, scene: Scene) -> str:
        """It said so."""
        said = scene.crew.log(self._worker).count("the disk is full")
        if not said or not self._code:
            raise NotProven(f"exit codes {self._code}; said so {said} times")
        return f"ended with {sorted(set(self._code))}, said that the disk is full, went on when there was room"


class ClockJump(Fault):
    """The wall clock of all workers jumps by a day, and back."""

    def __init__(self, seconds: int) -> None:
        self.name = f"clock jumps a day {'ahead' if seconds > 0 else 'back'}"
        self._seconds = seconds
        self._seen = 0

    async def inject(self, scene: Scene) -> None:
        """Jump, stay there for some commits."""
        pids = [scene.crew.pid(name) for name in scene.crew.names]
        scene.clock_file.write_text(str(self._seconds), "utf-8")

        def seen() -> int:
            notes = [scene.clock_file.with_name(f"{scene.clock_file.name}.{pid}") for pid in pids]
            return sum(note.exists() and note.read_text("utf-8") == str(self._seconds) for note in notes)

        await until(lambda: seen() == len(pids), "all workers to look at the clock", _LIFE_S)
        self._seen = seen()
        await asyncio.sleep(3.0)  # how long the fault lasts

    async def heal(self, scene: Scene) -> None:
        """Jump back."""
        scene.clock_file.write_text("0", "utf-8")

    async def proof(self, scene: Scene) -> str:
        """Every worker has read the other time."""
        if not self._seen:
            raise NotProven("no worker has read the other time")
        return f"{self._seen} workers read a time that was {self._seconds} s off"


def _run(*command: str) -> None:
    """Needs root: a small disk of its own is a mount."""
    subprocess.run(command, check=True)


def _fill(file: Path) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
    try:
        with suppress(OSError):  # full
            while os.write(descriptor, bytes(4096)):
                pass
    finally:
        os.close(descriptor)


def _open_databases(pid: int, folder: Path) -> list[Path]:
    """Those that the worker works with: what it has left of partitions that moved on is opened, and judged, only when they come back."""
    opened = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            opened.add(descriptor.readlink().parent)
    return [database for database in sorted(folder.glob("*-*")) if database in opened and (database / "CURRENT").exists()]


async def _is_ready(scene: Scene, worker: str) -> bool:
    return worker in await scene.crew.ready()

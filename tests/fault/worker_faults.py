"""What happens to workers: killed, frozen, joined, dismissed, crashing again and again."""

import asyncio
import signal

from tests.fault.scene import Fault, NotProven, Scene, until

_LIFE_S = 60.0


class Kill(Fault):
    """`kill -9` of a random worker that comes back at once, with its disk or without."""

    def __init__(self, *, wipe: bool) -> None:
        self.name = "kill -9, disk lost" if wipe else "kill -9"
        self._wipe = wipe
        self._code = 0
        self._name = ""

    async def inject(self, scene: Scene) -> None:
        self._name = scene.victim()
        self._code = await scene.crew.kill(self._name, wipe=self._wipe)

    async def heal(self, scene: Scene) -> None:
        scene.crew.hire(self._name)

    async def proof(self, scene: Scene) -> str:
        if self._code != -signal.SIGKILL:
            raise NotProven(f"exit code {self._code}")
        return f"{self._name} ended by signal 9"


class KillAt(Fault):
    """A worker that kills itself at a named place of the runtime; the supervisor starts it again."""

    def __init__(self, place: str, visits: int = 1) -> None:
        self.name = f"kill -9 at {place}"
        self._place = place
        self._visits = visits
        self._worker = ""
        self._since = 0

    async def inject(self, scene: Scene) -> None:
        crew = scene.crew
        self._worker = scene.victim()
        await crew.dismiss(self._worker)
        if self._place == "restore.while_reading":
            await asyncio.to_thread(forget_state, scene, self._worker)
        self._since = len(crew.exits)
        crew.hire(self._worker, failpoint=f"{self._place}:{self._visits}:kill")
        joiner = None
        if self._place.startswith("rebalance."):
            joiner = scene.new_name()
            await until(lambda: self._took_place(scene) or self._is_ready(scene), f"{self._worker} to be ready", _LIFE_S)
            crew.hire(joiner)
        await until(lambda: self._took_place(scene), f"{self._worker} to come by {self._place}", _LIFE_S)
        if joiner is not None:
            await crew.dismiss(joiner)

    async def heal(self, scene: Scene) -> None:
        """The supervisor has started it again, without the failpoint."""

    async def proof(self, scene: Scene) -> str:
        if not self._took_place(scene):
            raise NotProven(f"no worker ended at {self._place}")
        return f"{self._worker} ended by signal 9, which nobody but its failpoint sent"

    def _took_place(self, scene: Scene) -> bool:
        return self._worker in scene.crew.ended(-signal.SIGKILL, self._since)

    def _is_ready(self, scene: Scene) -> bool:
        return bool(scene.crew.system.page(self._worker, "/health/ready"))


class Freeze(Fault):
    """SIGSTOP past the session, or past the transaction timeout, then SIGCONT: a zombie that believes it still owns everything."""

    def __init__(self, what: str, seconds: float) -> None:
        self.name = f"SIGSTOP past the {what}"
        self._what = what
        self._seconds = seconds
        self._worker = ""
        self._state = ""
        self._since = 0
        self._others = 0

    async def inject(self, scene: Scene) -> None:
        self._worker = scene.victim()
        self._since = len(scene.crew.exits)
        self._others = len(scene.crew.names) - 1
        scene.crew.pause(self._worker)
        await asyncio.sleep(self._seconds)  # how long the fault lasts
        self._state = scene.crew.state(self._worker)

    async def heal(self, scene: Scene) -> None:
        scene.crew.resume(self._worker)

    async def proof(self, scene: Scene) -> str:
        if self._state != "T":
            raise NotProven(f"the process was in state {self._state!r}, expected T")
        fenced = self._worker in scene.crew.ended(75, self._since)
        return f"{self._worker} stood still for {self._seconds:.0f} s, {'fenced (75)' if fenced else 'went on'} afterwards"


class JoinAndLeave(Fault):
    """A worker joins, works, and leaves in order."""

    name = "a worker joins and leaves"

    def __init__(self) -> None:
        self._code = -1
        self._was_ready = False

    async def inject(self, scene: Scene) -> None:
        joiner = scene.new_name()
        scene.crew.hire(joiner)
        await until(lambda: joiner_ready(scene, joiner), f"{joiner} to be ready", _LIFE_S)
        self._was_ready = True
        self._code = await scene.crew.dismiss(joiner)

    async def heal(self, scene: Scene) -> None:
        """Nothing is to be undone."""

    async def proof(self, scene: Scene) -> str:
        if not self._was_ready or self._code != 0:
            raise NotProven(f"ready: {self._was_ready}, exit code {self._code}")
        return "it was ready, and left with 0"


class CrashLoop(Fault):
    """A worker that dies again and again, each time soon after its start: a rebalance a time."""

    name = "crash loop"
    _TIMES = 3

    def __init__(self) -> None:
        self._codes: list[int] = []

    async def inject(self, scene: Scene) -> None:
        crasher = scene.new_name()
        for _ in range(self._TIMES):
            scene.crew.hire(crasher)
            await until(lambda: scene.crew.system.address(crasher) is not None, f"{crasher} to begin", _LIFE_S)
            await asyncio.sleep(scene.random.uniform(0.0, 3.0))  # somewhere between its first request and its first commits
            self._codes.append(await scene.crew.kill(crasher))

    async def heal(self, scene: Scene) -> None:
        """It is not started again."""

    async def proof(self, scene: Scene) -> str:
        if self._codes != [-signal.SIGKILL] * self._TIMES:
            raise NotProven(f"exit codes {self._codes}")
        return f"killed {self._TIMES} times within its first seconds"


class Scale(Fault):
    """One worker, six, one again."""

    name = "1 → 6 → 1 workers"

    def __init__(self) -> None:
        self._most = 0
        self._left = 0

    async def inject(self, scene: Scene) -> None:
        crew = scene.crew
        for name in crew.names[1:]:
            await crew.dismiss(name)
        while len(crew.names) < 6:
            crew.hire(scene.new_name())
        await until(lambda: all_ready(scene), "six workers to be ready", 2 * _LIFE_S)
        self._most = len(crew.names)
        codes = [await crew.dismiss(name) for name in crew.names[1:]]
        self._left = codes.count(0)

    async def heal(self, scene: Scene) -> None:
        scene.crew.hire("w2")

    async def proof(self, scene: Scene) -> str:
        if self._most != 6 or self._left != 5:
            raise NotProven(f"at most {self._most} workers, {self._left} left in order")
        return "six were ready at once, five left with 0"


class RebalanceDuringRestore(Fault):
    """A worker stands still in the midst of its restore while another takes the partitions over; then it goes on."""

    name = "rebalance during a restore"

    def __init__(self) -> None:
        self._stood = self._took_over = False

    async def inject(self, scene: Scene) -> None:
        crew, sleeper = scene.crew, scene.victim()
        await crew.kill(sleeper, wipe=True)
        crew.hire(sleeper, failpoint="restore.while_reading:1:stop")
        await until(lambda: crew.state(sleeper) == "T", f"{sleeper} to stand in its restore", _LIFE_S)
        crew.pause(sleeper)
        self._stood = True
        joiner = scene.new_name()
        crew.hire(joiner)
        await until(lambda: joiner_ready(scene, joiner), f"{joiner} to take over", _LIFE_S)
        self._took_over = True
        crew.resume(sleeper)
        await crew.dismiss(joiner)

    async def heal(self, scene: Scene) -> None:
        """Nothing is to be undone."""

    async def proof(self, scene: Scene) -> str:
        if not (self._stood and self._took_over):
            raise NotProven(f"stood in its restore: {self._stood}, another took over: {self._took_over}")
        return "process state T between two fetches of a restore; another was ready meanwhile"


async def joiner_ready(scene: Scene, name: str) -> bool:
    """Whether this worker answers that records flow."""
    return name in await scene.crew.ready()


async def all_ready(scene: Scene) -> bool:
    """Whether every worker that should run answers that records flow."""
    return len(await scene.crew.ready()) == len(scene.crew.names) > 0


def forget_state(scene: Scene, worker: str) -> None:
    """Lose a worker's disk, so that there is something to restore."""
    for directory in scene.crew.folder(worker).glob("*-*"):
        for file in directory.iterdir():
            file.unlink()
        directory.rmdir()

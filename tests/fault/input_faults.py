"""What producers do: floods of garbage, and records as large as Kafka takes."""

from tests.fault import reader
from tests.fault.checker import Said
from tests.fault.scene import Fault, NotProven, Scene, until
from tests.fault.workload import large_line, poison
from touchstone.model.output import DeadLetter

_LIFE_S = 60.0


class Poison(Fault):
    """So many records in a row of which no touchpoint can be made."""

    name = "flood of poison"

    def __init__(self, count: int = 400) -> None:
        self._count = count
        self._letters = 0

    async def inject(self, scene: Scene) -> None:
        """Send them."""
        before = len(await _letters(scene))
        scene.workload.insert(poison(self._count, scene.random.randrange(1 << 30)))

        async def arrived() -> bool:
            self._letters = len(await _letters(scene)) - before
            return self._letters >= self._count

        await until(arrived, f"{self._count} dead letters", _LIFE_S)

    async def heal(self, scene: Scene) -> None:
        """Nothing is to be undone."""

    async def proof(self, scene: Scene) -> str:
        """The dead letters."""
        return f"{self._letters} dead letters"


class LargeRecords(Fault):
    """Records of nearly 10 MB, far above `limits.record`."""

    name = "records of 10 MB"
    _SIZE = 10_000_000

    def __init__(self, count: int = 3) -> None:
        self._count = count
        self._found = 0

    async def inject(self, scene: Scene) -> None:
        """Send them."""
        first = scene.random.randrange(1 << 30)
        scene.workload.insert([large_line(first + number, self._SIZE) for number in range(self._count)])

        async def arrived() -> bool:
            self._found = sum(letter.size >= self._SIZE for letter in await _letters(scene))
            return self._found >= self._count

        await until(arrived, f"{self._count} large dead letters", _LIFE_S)

    async def heal(self, scene: Scene) -> None:
        """Nothing is to be undone."""

    async def proof(self, scene: Scene) -> str:
        """The dead letters' sizes."""
        if self._found < self._count:
            raise NotProven(f"{self._found} large dead letters, expected {self._count}")
        return f"{self._found} dead letters of at least {self._SIZE:,} bytes"


async def _letters(scene: Scene) -> list[DeadLetter]:
    said: list[Said] = await reader.said(scene.bootstrap, scene.crew.system.topology)
    return [each.record for each in said if isinstance(each.record, DeadLetter)]

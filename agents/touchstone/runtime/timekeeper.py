"""When the journey partitions are advanced, and when this worker says how far its sources are."""

from collections.abc import Mapping

from aiokafka import TopicPartition

from touchstone.runtime.batch import End
from touchstone.runtime.broker_time import BrokerTime
from touchstone.runtime.partitions import Partitions
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.sources import Barrier, JourneyClock, OwnSources, Statement

_IDLE_S = 1.0


class Timekeeper:
    """Joins what all workers said about the sources with what this worker has read.

    A statement is a reason to commit when a source came to its end, left it, or was read further, and once a second while only the wall
    clock moves. Moments are those of the monotonic clock, in seconds: nobody can set it.
    """

    def __init__(self, settings: WorkerSettings, clock: JourneyClock, partitions: Partitions, broker_time: BrokerTime) -> None:
        self._mode = settings.clock
        self._key = settings.instance.encode()
        self._clock = clock
        self._partitions = partitions
        self._barrier = Barrier()
        self._acted_on: int | None = None
        self._reached: dict[int, int] = {}
        self._said: Statement | None = None
        self._said_at = 0.0
        self.sources = OwnSources(settings.clock, broker_time)

    @property
    def key(self) -> bytes:
        """The key of this worker's statements."""
        return self._key

    @property
    def now(self) -> int | None:
        """The time this worker acts on."""
        return self._acted_on

    def assign(self) -> None:
        """Start again with the partitions that are owned now."""
        self.sources.assign(self._partitions.sources, self._clock.said)
        self._reached = {}
        self._barrier.reset()
        self._said = None
        self._said_at = 0.0

    def due(self, now_s: float, positions: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, End]) -> list[tuple[int, int]]:
        """The journey partitions that must be advanced now, each with the time."""
        candidate = self._clock.compute()
        self._acted_on = self._barrier.pass_through(candidate, now_s, self._partitions.internal, positions, ends, self._acted_on)
        if self._acted_on is None:
            return []
        now = self._acted_on
        behind = [partition for partition in sorted(self._partitions.owned) if self._reached.get(partition) != now]
        return [(partition, now) for partition in behind]

    def advanced(self, partition: int, now: int) -> None:
        """The program has fired what was due in this partition."""
        self._reached[partition] = now

    def statement(self, now_s: float, positions: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, End]) -> Statement | None:
        """What to say now; None when nothing of weight changed.

        While only the wall clock moves that is once a second: every statement moves the time of all workers, and their commits would
        otherwise call for each other without end.
        """
        statement = Statement(self.sources.state(positions, ends), sorted(self._reached.items()))
        if statement == self._said or not (statement.sources or statement.reached):
            return None
        if self._essence(statement) == self._essence(self._said) and now_s - self._said_at < _IDLE_S:
            return None
        return statement

    def wants_commit(self, now_s: float, positions: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, End]) -> bool:
        """Whether time alone is a reason to commit."""
        return bool(self.due(now_s, positions, ends)) or self.statement(now_s, positions, ends) is not None

    def said(self, statement: Statement, now_s: float) -> None:
        """The statement was committed."""
        self._said, self._said_at = statement, now_s

    def _essence(self, statement: Statement | None) -> object:
        if statement is None or self._mode == "event":
            return statement
        return [(topic, partition, None if at_end else time, at_end) for topic, partition, time, at_end in statement.sources]

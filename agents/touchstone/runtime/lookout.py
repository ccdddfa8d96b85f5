"""How far a running application is, seen from outside: connections that stay open, a few requests a look."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from touchstone.errors import UsageError
from touchstone.runtime.admin import partition_counts
from touchstone.runtime.client import Lag
from touchstone.runtime.closing import stop
from touchstone.runtime.metadata import know
from touchstone.runtime.names import clock_topic, generation_base
from touchstone.runtime.reach import unreachable
from touchstone.runtime.security import connection
from touchstone.runtime.sources import decode_statement
from touchstone.runtime.to_end import to_end


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look found.

    `lags`: how far the group is in each partition it reads. `undecided`: partitions in which a transaction is not decided yet.
    `reached`: how far each journey partition has been advanced, with everything that came of it committed.
    """

    lags: tuple[Lag, ...]
    undecided: tuple[TopicPartition, ...]
    reached: dict[int, int]

    def behind(self, topics: Iterable[str] | None = None) -> int:
        """Offsets that the group has not committed, in all that it reads or in these topics; markers of transactions count."""
        wanted = None if topics is None else set(topics)
        return sum(lag.records for lag in self.lags if wanted is None or lag.topic in wanted)

    def there(self, topics: Iterable[str]) -> int:
        """Offsets that these topics hold: what is done and what is behind, as of one look."""
        wanted = set(topics)
        return sum(lag.end - lag.beginning for lag in self.lags if lag.topic in wanted)

    def done(self, topics: Iterable[str]) -> int:
        """Offsets that the group has committed in these topics."""
        wanted = set(topics)
        return sum(lag.end - lag.beginning - lag.records for lag in self.lags if lag.topic in wanted)

    def has_passed(self, until_ms: int | None, partitions: int) -> bool:
        """Whether every one of so many journey partitions has passed that time; a time of None is always passed."""
        return until_ms is None or (len(self.reached) >= partitions and min(self.reached.values()) >= until_ms)


class Lookout:
    """Looks at a running application again and again.

    A look asks for committed offsets first and for ends afterwards: where nothing is behind, nothing was left to read at the moment at
    which the ends were asked for. Stable ends come before ends, so that a transaction that begins in between does not look decided.

    Args:
        bootstrap: where Kafka is.
        app: the application id: its consumer group, its clock topic.
        reads: the topics that the group reads.
        writes: further topics whose transactions matter.
        generation: of the application's own topics.
    """

    def __init__(self, bootstrap: str, app: str, reads: Sequence[str], writes: Sequence[str], generation: int = 1) -> None:
        self._bootstrap, self._app = bootstrap, app
        self._reads, self._writes = tuple(reads), tuple(writes)
        self._clock = TopicPartition(clock_topic(generation_base(app, generation)), 0)
        self._reached: dict[int, int] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            UsageError: a topic is not there.
            Retriable: the brokers cannot be reached.
        """
        try:
            await self._connect()
        except BaseException as error:
            await self._stack.aclose()
            raise await self._as_ours(error) from error
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Disconnect."""
        await self._stack.aclose()

    async def look(self) -> Sight:
        """Look now.

        Raises:
            Retriable: the brokers cannot be reached.
        """
        try:
            offsets = await self._admin.list_consumer_group_offsets(self._app)
            stable = await self._stable.end_offsets(self._all)
            ends = await self._plain.end_offsets(self._all)
            await self._read_clock(stable[self._clock])
        except KafkaError as error:
            raise await self._as_ours(error) from error
        committed = {tp: found.offset for tp, found in offsets.items() if found.offset >= 0}
        lags = tuple(Lag(tp.topic, tp.partition, committed.get(tp), self._beginnings[tp], ends[tp]) for tp in self._sources)
        return Sight(lags, tuple(tp for tp in self._all if stable[tp] < ends[tp]), dict(self._reached))

    async def _connect(self) -> None:
        self._stable: Any = await self._open(
            AIOKafkaConsumer(
                **connection(self._bootstrap),
                client_id="touchstone-lookout",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
                fetch_max_wait_ms=50,
            )
        )
        self._plain: Any = await self._open(
            AIOKafkaConsumer(**connection(self._bootstrap), client_id="touchstone-lookout", enable_auto_commit=False)
        )
        self._admin: Any = await self._open(
            AIOKafkaAdminClient(**connection(self._bootstrap), client_id="touchstone-lookout"), AIOKafkaAdminClient.close
        )
        counts = await partition_counts(self._bootstrap, topics := list(dict.fromkeys([*self._reads, *self._writes, self._clock.topic])))
        if missing := [topic for topic in topics if topic not in counts]:
            raise UsageError(f"expected the topics {', '.join(missing)} at {self._bootstrap}, found none of that name")
        self._all = sorted(TopicPartition(topic, number) for topic in topics for number in range(counts[topic]))
        await know(self._plain, self._all)
        reads = set(self._reads)
        self._sources = [tp for tp in self._all if tp.topic in reads]
        self._beginnings = await self._plain.beginning_offsets(self._sources)
        self._stable.assign([self._clock])
        await self._stable.seek_to_beginning(self._clock)
        await know(self._stable, self._all)  # the assignment has narrowed it to one topic

    async def _open(self, connection: Any, close: Callable[[Any], Awaitable[None]] = stop) -> Any:
        self._stack.push_async_callback(close, connection)
        await connection.start()
        return connection

    async def _read_clock(self, end: int) -> None:
        async for fetched, _ in to_end(self._stable, {self._clock: end}, "Look again when it can be read"):
            for record in (record for records in fetched.values() for record in records):
                for partition, time in decode_statement(record.value).reached if record.value is not None else ():
                    self._reached[partition] = max(time, self._reached.get(partition, time))

    async def _as_ours(self, error: BaseException) -> BaseException:
        if isinstance(error, KafkaError):
            return await unreachable(self._bootstrap, error)
        return error

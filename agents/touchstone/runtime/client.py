"""What the command line and the tests need of Kafka besides a worker: write, read, follow, how far a group is."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from touchstone.errors import UsageError
from touchstone.runtime.admin import group_offsets, partition_counts
from touchstone.runtime.batch import program_record
from touchstone.runtime.closing import stop
from touchstone.runtime.metadata import know
from touchstone.runtime.names import clock_topic
from touchstone.runtime.ordered import in_order_of_time
from touchstone.runtime.producer import LARGEST_RECORD_BYTES
from touchstone.runtime.program import Record
from touchstone.runtime.reach import reaching, start
from touchstone.runtime.security import connection
from touchstone.runtime.sources import decode_statement
from touchstone.runtime.to_end import to_end

Isolation = Literal["read_committed", "read_uncommitted"]


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a group is in one partition. `committed` is None where it has no offset yet; markers of transactions count as records."""

    topic: str
    partition: int
    committed: int | None
    beginning: int
    end: int

    @property
    def records(self) -> int:
        """Offsets between the group and the end."""
        return self.end - (self.beginning if self.committed is None else self.committed)


Line = tuple[str, bytes | None, bytes | None] | tuple[str, bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""Topic, key, value, and headers where there are any."""


async def produce_lines(
    bootstrap: str, records: "AsyncIterator[Line] | Iterable[Line]", acknowledged: Callable[[], None] = lambda: None
) -> int:
    """Write (topic, key, value, headers) records in order, idempotently; returns how many, once all are acknowledged by all replicas.

    Records of one key stay in order. From an async iterator the caller decides the pace. `acknowledged` is called for each record that
    is; whoever breaks off knows by it how many were.

    Raises:
        Retriable: The brokers cannot be reached, or a record was not acknowledged; all before it may have been.
    """
    count = 0
    pending: set[asyncio.Future[Any]] = set()
    failed: list[BaseException] = []

    def answered(answer: asyncio.Future[Any]) -> None:
        pending.discard(answer)
        error = asyncio.CancelledError() if answer.cancelled() else answer.exception()
        if error is None:
            acknowledged()
        else:  # kept: nobody may be waiting for this one
            failed.append(error)

    async with producing(bootstrap) as producer:
        async for topic, key, value, *headers in _each(records):
            answer = await producer.send(topic, value, key, headers=list(headers[0]) if headers else None)
            pending.add(answer)
            answer.add_done_callback(answered)
            count += 1
            if failed:
                raise failed[0]
        while pending:
            await asyncio.wait(pending)
        await asyncio.sleep(0)  # the callbacks of the last ones
        if failed:
            raise failed[0]
    return count


@asynccontextmanager
async def producing(bootstrap: str) -> AsyncIterator[Any]:
    """An idempotent producer for as long as the block lasts; at its end everything is acknowledged.

    Raises:
        Retriable: The brokers cannot be reached, or a record was not acknowledged.
    """
    producer = AIOKafkaProducer(
        **connection(bootstrap),
        client_id="touchstone-produce",
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=1 << 18,
        max_request_size=LARGEST_RECORD_BYTES,
    )
    async with reaching(bootstrap):
        try:
            await start(producer.start(), bootstrap)
            yield producer
            await producer.flush()
        finally:
            await producer.stop()


async def read_topic(
    bootstrap: str, topics: Sequence[str], isolation: Isolation = "read_committed", *, only: Collection[int] | None = None
) -> AsyncIterator[Record]:
    """All records of the topics (of these partitions), from their beginning to where they end now; within a partition in order.

    Raises:
        UsageError: A topic does not exist.
        Retriable: The brokers cannot be reached, or do not answer any more while it reads.
    """
    partitions = [tp for tp in await _partitions(bootstrap, topics) if only is None or tp.partition in only]
    async with _consumer(bootstrap, isolation) as consumer:
        await know(consumer, partitions)
        beginnings, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        left = {tp: end for tp, end in ends.items() if end > beginnings[tp]}
        consumer.assign(list(left))
        for tp in left:
            consumer.seek(tp, beginnings[tp])
        async for fetched, _ in to_end(consumer, left, "What was read is not all; run the command again when it can be"):
            for tp, records in fetched.items():
                for record in records:
                    if record.offset < left[tp]:
                        yield program_record(record)


async def follow(
    bootstrap: str,
    topics: Sequence[str],
    isolation: Isolation = "read_committed",
    *,
    from_beginning: bool = False,
    begin: Mapping[TopicPartition, int] | None = None,
) -> AsyncIterator[Record]:
    """Records as they come, for ever: from now on, from `begin` on, or from the beginning, then what is there in the order of its writing.

    Raises:
        UsageError: A topic does not exist.
        Retriable: The brokers cannot be reached.
    """
    partitions = await _partitions(bootstrap, topics)
    async with _consumer(bootstrap, isolation) as consumer:
        consumer.assign(partitions)
        if from_beginning:
            async for record in in_order_of_time(consumer, partitions):
                yield program_record(record)
        else:
            for tp, end in (begin or await consumer.end_offsets(partitions)).items():
                consumer.seek(tp, end)
        while True:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    yield program_record(record)


async def ends(bootstrap: str, topics: Sequence[str]) -> dict[TopicPartition, int]:
    """Where each partition of the topics ends now.

    Raises:
        UsageError: A topic does not exist.
        Retriable: The brokers cannot be reached.
    """
    partitions = await _partitions(bootstrap, topics)
    async with _consumer(bootstrap, "read_committed") as consumer:
        await know(consumer, partitions)
        return dict(await consumer.end_offsets(partitions))


async def group_lag(bootstrap: str, group: str, topics: Sequence[str]) -> list[Lag]:
    """How far a group is in every partition of these topics.

    Raises:
        UsageError: A topic does not exist.
        Retriable: The brokers cannot be reached.
    """
    partitions = await _partitions(bootstrap, topics)
    async with _consumer(bootstrap, "read_uncommitted") as consumer:
        await know(consumer, partitions)
        beginnings = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
    committed = await group_offsets(bootstrap, group)
    return [Lag(tp.topic, tp.partition, committed.get(tp), beginnings[tp], ends[tp]) for tp in sorted(partitions)]


async def has_open_transaction(bootstrap: str, topics: Sequence[str]) -> bool:
    """Whether a transaction that wrote to one of these topics is not decided yet: its last stable offset is below its end.

    Raises:
        UsageError: A topic does not exist.
        Retriable: The brokers cannot be reached.
    """
    partitions = await _partitions(bootstrap, topics)
    ends: list[dict[TopicPartition, int]] = []
    for isolation in ("read_committed", "read_uncommitted"):  # in this order: what begins in between must not look decided
        async with _consumer(bootstrap, isolation) as consumer:
            await know(consumer, partitions)
            ends.append(await consumer.end_offsets(partitions))
    stable, high = ends
    return any(stable[tp] < high[tp] for tp in high)


async def journey_clock(bootstrap: str, app: str) -> dict[int, int]:
    """How far each journey partition has been advanced, with everything that came of it committed.

    Raises:
        UsageError: The application has no clock topic yet.
        Retriable: The brokers cannot be reached.
    """
    reached: dict[int, int] = {}
    async for record in read_topic(bootstrap, [clock_topic(app)]):
        if record.value is not None:
            for partition, time in decode_statement(record.value).reached:
                reached[partition] = max(time, reached.get(partition, time))
    return reached


async def _each(records: Any) -> AsyncIterator[Any]:
    if isinstance(records, AsyncIterator):
        async for record in records:
            yield record
    else:
        for record in records:
            yield record


@asynccontextmanager
async def _consumer(bootstrap: str, isolation: str) -> AsyncIterator[Any]:
    consumer = AIOKafkaConsumer(
        **connection(bootstrap),
        client_id="touchstone-read",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level=isolation,
        fetch_max_wait_ms=50,
    )
    async with reaching(bootstrap):
        try:
            await start(consumer.start(), bootstrap)
            yield consumer
        finally:
            await stop(consumer)


async def _partitions(bootstrap: str, topics: Sequence[str]) -> list[TopicPartition]:
    counts = await partition_counts(bootstrap, topics)
    missing = [topic for topic in topics if topic not in counts]
    if missing:
        raise UsageError(f"expected the topics {', '.join(missing)}, found none of that name; run `touchstone topics apply`")
    return [TopicPartition(topic, number) for topic in topics for number in range(counts[topic])]

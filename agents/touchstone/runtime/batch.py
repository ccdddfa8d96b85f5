"""Records on their way from the consumer to the agents."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import TopicPartition

from touchstone.runtime.program import Record


class End(NamedTuple):
    """What the last fetch said about a partition: its high watermark, and since when we know that, at the earliest.

    `answered`: seconds of the monotonic clock. The answer came after it and is another one than that before, so that of two answers the
    later one belongs to a question that was asked after the earlier one had come.
    """

    highwater: int
    answered: float


class Batch(NamedTuple):
    """What one poll of the consumer returned.

    `positions` are the next offsets to read. They may move without a record: transaction markers and aborted records occupy offsets.
    """

    epoch: int
    records: Mapping[TopicPartition, Sequence[Any]]
    positions: Mapping[TopicPartition, int]


class Slice(NamedTuple):
    """A run of records of one partition, with the position that is reached when they are done."""

    tp: TopicPartition
    records: list[Record]
    position: int


class Portion(NamedTuple):
    """What an agent is handed at once: slices of its topic."""

    topic: str
    slices: list[Slice]
    size: int


def portions(batch: Batch, limit: int) -> Iterator[Portion]:
    """Cut a batch into portions of at most `limit` records, one topic after the other and round again.

    Within a partition the order is kept. No topic waits for more than one portion of each other topic, whatever the backlog.
    """
    waiting: dict[str, deque[tuple[TopicPartition, Sequence[Any], int]]] = {}
    for tp, records in batch.records.items():
        if records:
            waiting.setdefault(tp.topic, deque()).append((tp, records, 0))
    while waiting:
        for topic in list(waiting):
            yield _portion(topic, waiting[topic], batch.positions, limit)
            if not waiting[topic]:
                del waiting[topic]


def _portion(
    topic: str, waiting: deque[tuple[TopicPartition, Sequence[Any], int]], positions: Mapping[TopicPartition, int], limit: int
) -> Portion:
    slices: list[Slice] = []
    left = limit
    while waiting and left > 0:
        tp, records, start = waiting.popleft()
        end = min(start + left, len(records))
        position = positions[tp] if end == len(records) else records[end - 1].offset + 1
        slices.append(Slice(tp, [program_record(record) for record in records[start:end]], position))
        left -= end - start
        if end < len(records):
            waiting.appendleft((tp, records, end))
    return Portion(topic, slices, limit - left)


def program_record(record: Any) -> Record:
    """A record of aiokafka, as the stages see it."""
    return Record(record.topic, record.partition, record.offset, record.timestamp, record.key, record.value, record.headers)

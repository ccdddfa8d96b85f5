"""What Kafka still holds of the touchpoints: where it begins, and since when it is complete."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from touchstone.errors import Unavailable
from touchstone.runtime.admin import partition_counts
from touchstone.runtime.closing import stop
from touchstone.runtime.metadata import know
from touchstone.runtime.reach import reaching
from touchstone.runtime.security import connection

_PATIENCE_S = 30.0


class Inputs(NamedTuple):
    """`beginnings`: the first offset of each partition. `since_ms`: when the latest of those begins that lost some; None: all is there."""

    beginnings: dict[TopicPartition, int]
    records: int
    since_ms: int | None

    @property
    def cut(self) -> int:
        """How many partitions begin after offset 0: what came before is in no topic any more."""
        return sum(offset > 0 for offset in self.beginnings.values())


async def what_is_left(bootstrap: str, topics: Sequence[str]) -> Inputs:
    """Look at the topics of touchpoints. A partition that begins at offset 0 has lost nothing.

    Raises:
        Retriable: The brokers cannot be reached.
        Unavailable: They do not hand over what they hold.
    """
    counts = await partition_counts(bootstrap, topics)
    partitions = [TopicPartition(topic, number) for topic in topics for number in range(counts.get(topic, 0))]
    reader: Any = AIOKafkaConsumer(
        **connection(bootstrap),
        client_id="touchstone-generation",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=1 << 16,
    )
    async with reaching(bootstrap):
        try:
            await reader.start()
            await know(reader, partitions)
            beginnings = await reader.beginning_offsets(partitions)
            ends = await reader.end_offsets(partitions)
            cut = {tp for tp in partitions if beginnings[tp] > 0}
            empty = {tp for tp in cut if beginnings[tp] == ends[tp]}
            times = await _first_times(reader, cut - empty, ends)
        finally:
            await stop(reader)
    now = time.time_ns() // 1_000_000  # where no record is left, everything up to now is lost
    since_ms = max((times.get(tp, now) for tp in cut), default=None)
    return Inputs(beginnings, sum(ends[tp] - beginnings[tp] for tp in partitions), since_ms)


async def _first_times(reader: Any, partitions: set[TopicPartition], ends: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
    """The time of the first record of each partition; of one that holds only markers, none."""
    if not partitions:
        return {}
    reader.assign(partitions)
    await reader.seek_to_beginning(*partitions)
    times: dict[TopicPartition, int] = {}
    deadline = time.monotonic() + _PATIENCE_S
    left = set(partitions)
    while left:
        if time.monotonic() > deadline:
            where = ", ".join(f"{tp.topic}[{tp.partition}]" for tp in sorted(left)[:3])
            raise Unavailable(f"expected the first record of {where} within {_PATIENCE_S:.0f} s, found none; run it again")
        for tp, records in (await reader.getmany(timeout_ms=200, max_records=len(partitions))).items():
            times.setdefault(tp, records[0].timestamp)
        left = {tp for tp in left if tp not in times and await reader.position(tp) < ends[tp]}
        if left:
            reader.resume(*left)
        reader.pause(*[tp for tp in partitions if tp in times])
    return times

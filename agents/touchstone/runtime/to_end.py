"""Partitions read to a known end, by commands that must not wait for ever for what does not come."""

import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiokafka import TopicPartition

from touchstone.errors import Retriable

_STALLED_S = 60.0
"""Longer than a broker takes to start, and a partition to find another leader."""
_AT_ONCE = 2_000
_SHOWN = 3

Portion = tuple[Mapping[TopicPartition, list[Any]], Mapping[TopicPartition, int]]
"""Records by partition, and where the reader stands in every partition by then."""


async def to_end(reader: Any, ends: Mapping[TopicPartition, int]) -> AsyncIterator[Portion]:
    """What comes until the reader, which is assigned and placed, stands at the end of each partition. A portion may be without records.

    The time that passes while a portion is dealt with counts for nothing.

    Raises:
        Retriable: For a minute nothing came, and the end was not reached.
    """
    stands = {tp: await reader.position(tp) for tp in ends}
    moved_at = time.monotonic()
    while left := sorted(tp for tp, end in ends.items() if stands[tp] < end):
        fetched = await reader.getmany(timeout_ms=100, max_records=_AT_ONCE)
        before, stands = stands, {tp: await reader.position(tp) for tp in ends}
        if stands == before and time.monotonic() - moved_at > _STALLED_S:
            raise Retriable(_stalled(left, stands, ends))
        asked_at = time.monotonic()
        yield fetched, stands
        moved_at = time.monotonic() if stands != before else moved_at + time.monotonic() - asked_at


def _stalled(left: list[TopicPartition], stands: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> str:
    where = ", ".join(f"{tp.topic}[{tp.partition}] at {stands[tp]} of {ends[tp]}" for tp in left[:_SHOWN])
    others = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
    return (
        f"expected to read every partition to its end, found that nothing came for {_STALLED_S:.0f} s of {where}{others}: has each of them a "
        "leader? Nothing is lost and nothing is in use that is half done. Mend it and run the command again: it goes on where it was"
    )

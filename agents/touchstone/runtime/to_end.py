"""Partitions read to a known end, by commands that must not wait for ever for what does not come."""

import asyncio
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


async def to_end(reader: Any, ends: Mapping[TopicPartition, int], remedy: str) -> AsyncIterator[Portion]:
    """What comes until the reader, which is assigned and placed, stands at the end of each partition. A portion may be without records.

    The time that passes while a portion is dealt with counts for nothing.

    Args:
        reader: a consumer of aiokafka.
        ends: where to stop, for each partition that is to be read.
        remedy: what to say to whoever waits, when nothing comes any more.

    Raises:
        Retriable: For a minute nothing came, and the end was not reached.
    """
    stands: dict[TopicPartition, int] = {}
    silent_s = 0.0
    while left := sorted(tp for tp, end in ends.items() if stands.get(tp, -1) < end):
        asked_at, before, fetched = time.monotonic(), stands, {}
        try:
            # aiokafka waits for ever for the position of a partition whose leader has gone.
            async with asyncio.timeout(_STALLED_S - silent_s):
                if stands:
                    fetched = await reader.getmany(timeout_ms=100, max_records=_AT_ONCE)
                stands = {tp: await reader.position(tp) for tp in ends}
        except TimeoutError:
            raise Retriable(_stalled(left, stands, ends, remedy)) from None
        silent_s = silent_s + time.monotonic() - asked_at if stands == before else 0.0
        yield fetched, stands


def _stalled(left: list[TopicPartition], stands: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int], remedy: str) -> str:
    where = ", ".join(f"{tp.topic}[{tp.partition}] at {stands.get(tp, 'an unknown place')} of {ends[tp]}" for tp in left[:_SHOWN])
    others = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
    return (
        f"expected to read every partition to its end, found that nothing came for {_STALLED_S:.0f} s of {where}{others}: is Kafka there, and has "
        f"each of them a leader? {remedy}"
    )

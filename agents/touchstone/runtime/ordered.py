"""What lies in several partitions, in the order in which it was written."""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aiokafka import TopicPartition


async def in_order_of_time(consumer: Any, partitions: Sequence[TopicPartition]) -> AsyncIterator[Any]:
    """The consumer's records from the beginning to where the partitions end now, by the time at which Kafka has them.

    Within a partition the order is always its own. Only what one fetch brings of each partition is held in memory.
    """
    ends = await consumer.end_offsets(partitions)
    await consumer.seek_to_beginning(*partitions)
    at_hand: dict[TopicPartition, deque[Any]] = {tp: deque() for tp in partitions if ends[tp] > 0}
    read: set[TopicPartition] = set()
    while at_hand:
        for tp in [tp for tp in read if tp in at_hand and not at_hand[tp]]:
            del at_hand[tp]
        empty = [tp for tp, records in at_hand.items() if not records]
        if empty:
            for tp, records in (await consumer.getmany(*empty, timeout_ms=100)).items():
                at_hand[tp].extend(records)
            for tp in empty:
                if await consumer.position(tp) >= ends[tp]:  # what comes behind the end is not waited for: it may never cease
                    read.add(tp)
        elif at_hand:
            earliest = min(at_hand, key=lambda tp: (at_hand[tp][0].timestamp, tp))
            yield at_hand[earliest].popleft()

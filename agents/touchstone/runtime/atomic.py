"""A few records in one transaction: all are to be read, or none."""

import asyncio
import uuid
from collections.abc import Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaProducer

from touchstone.runtime.producer import LARGEST_RECORD_BYTES
from touchstone.runtime.reach import reaching
from touchstone.runtime.security import connection


class Sent(NamedTuple):
    """A record to write; without a partition the key decides, as Java's producer would."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    partition: int | None = None


async def write_together(bootstrap: str, records: Sequence[Sent]) -> None:
    """Write these records in one transaction; on return readers of `read_committed` see all of them.

    Raises:
        Retriable: The brokers cannot be reached, or did not take it; then none of the records counts.
    """
    if not records:
        return
    producer = AIOKafkaProducer(
        client_id="touchstone-together",
        transactional_id=f"touchstone-together-{uuid.uuid4().hex}",
        max_request_size=LARGEST_RECORD_BYTES,
        **connection(bootstrap),
    )
    async with reaching(bootstrap):
        try:
            await producer.start()
            async with producer.transaction():
                sending = [
                    await producer.send(record.topic, record.value, record.key, partition=record.partition, headers=list(record.headers))
                    for record in records
                ]
                await asyncio.gather(*sending)
        finally:
            await producer.stop()

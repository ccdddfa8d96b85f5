"""Reads a compacted topic whole, on every worker, before anything is processed, and follows it."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from touchstone.runtime.closing import stop
from touchstone.runtime.security import connection
from touchstone.runtime.settings import WorkerSettings


class Table(NamedTuple):
    """A topic that all workers know by heart, and whom to tell of its values."""

    topic: str
    learn: Callable[[bytes], None]


class TableReader:
    """Feeds a table from the beginning of its topic on. `known` is set once the end, as of the start, is reached."""

    def __init__(self, settings: WorkerSettings, table: Table | None) -> None:
        self._settings = settings
        self._table = table
        self.known = asyncio.Event()

    async def run(self) -> None:
        """Read until cancelled; without a table there is nothing to read, and nothing to wait for."""
        if self._table is None:
            self.known.set()
            await asyncio.Event().wait()
            return
        tp = TopicPartition(self._table.topic, 0)
        reader: Any = AIOKafkaConsumer(
            **connection(self._settings.bootstrap),
            client_id=f"{self._settings.transactional_id}-table",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=500,
        )
        await reader.start()
        try:
            reader.assign([tp])
            end = (await reader.end_offsets([tp]))[tp]
            await reader.seek_to_beginning(tp)
            while True:
                if not self.known.is_set() and await reader.position(tp) >= end:
                    self.known.set()
                for records in (await reader.getmany(timeout_ms=200)).values():
                    for record in records:
                        if record.value is not None:
                            self._table.learn(record.value)
        finally:
            await stop(reader)

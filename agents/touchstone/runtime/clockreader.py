"""Reads the clock topic whole, on every worker."""

import asyncio
import time
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from touchstone.runtime.broker_time import BrokerTime
from touchstone.runtime.closing import stop
from touchstone.runtime.names import clock_topic
from touchstone.runtime.security import connection
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.sources import JourneyClock, decode_statement

_ALIVE_SHARE = 0.75
"""Of the session timeout: a dead worker was silent for longer before the group noticed."""


class ClockReader:
    """Feeds the journey clock from the beginning of the topic on. `known` is set once the end, as of the start, is reached."""

    def __init__(self, settings: WorkerSettings, clock: JourneyClock, broker_time: BrokerTime) -> None:
        self._settings = settings
        self._clock = clock
        self._broker_time = broker_time
        self._heard_ms: dict[str, int] = {}
        self.known = asyncio.Event()

    def is_alive(self, transactional_id: str) -> bool:
        """Whether this worker has said something a moment ago, as all do once a second; one whose session is over has not."""
        heard_ms = self._heard_ms.get(transactional_id)
        return heard_ms is not None and time.time() * 1_000 - heard_ms < _ALIVE_SHARE * self._settings.session_timeout_ms

    async def run(self) -> None:
        """Read until cancelled."""
        tp = TopicPartition(clock_topic(self._settings.base), 0)
        reader: Any = AIOKafkaConsumer(
            **connection(self._settings.bootstrap),
            client_id=f"{self._settings.transactional_id}-clock",
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
                for records in (await reader.getmany(timeout_ms=100)).values():
                    read_at = time.monotonic()
                    for record in records:
                        self._broker_time.heard(record.timestamp, read_at)
                        self._heard_ms[self._settings.transactional_id_of((record.key or b"").decode())] = record.timestamp
                        if record.value is not None:
                            self._clock.read(decode_statement(record.value))
        finally:
            await stop(reader)

"""What the watchdog asks of the group's consumer; everything else about it: tests/kafka/test_runtime_*.py."""

import asyncio

from aiokafka import AIOKafkaConsumer

from touchstone.runtime.transport import EngineConsumerThread


def test_a_consumer_that_is_still_connecting_is_not_broken() -> None:
    """On a busy machine the watchdog looks before there is anything to look at; the worker must not end because of that."""

    async def ask() -> BaseException | None:
        thread = object.__new__(EngineConsumerThread)
        thread._thread = None
        thread._consumer = consumer = AIOKafkaConsumer(bootstrap_servers="nowhere:9092")
        try:
            return thread.broken()
        finally:
            await consumer.stop()

    assert asyncio.run(ask()) is None

"""Stops a reader of aiokafka without losing the error that made it stop."""

import asyncio
from typing import Any


async def stop(reader: Any) -> None:
    """Stop it, and close its connections.

    While Kafka is away a fetch waits to be tried again. aiokafka cancels it, and lets that cancellation out as if the caller had been
    cancelled: the error on its way to whoever has to know would be gone, and a task with it.
    """
    stopping = asyncio.ensure_future(reader.stop())
    await asyncio.wait([stopping])
    if stopping.cancelled():
        await reader._client.close()
    else:
        stopping.result()

"""Faust agents, one per topic, that take portions instead of events."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import faust
from faust.streams import Stream

from touchstone.runtime.batch import Portion
from touchstone.runtime.loop import Work
from touchstone.runtime.transport import EngineApp

Body = Callable[[Portion], None]


class PortionStream(Stream[Any]):
    """A Faust stream that can be read portion by portion, as the loop hands them out."""

    app: EngineApp

    async def batches(self) -> AsyncIterator[Work]:
        """The portions of the one topic that this stream reads."""
        (topic,) = self.channel.topics  # type: ignore[attr-defined]  # only agents on topics use it
        async for work in self.app.engine.loop.mailbox(topic).work():
            yield work


def register(app: EngineApp, topic: str, name: str, body: Body) -> None:
    """Add an agent for a topic; `body` is called for every portion, under the loop's lock.

    An exception of the body goes back to the loop, which ends the process before anything of the portion is committed.
    """

    async def agent(stream: faust.StreamT[Any]) -> None:
        async for work in stream.batches():  # type: ignore[attr-defined]  # the app's streams are PortionStreams
            try:
                body(work.portion)
            except Exception as error:  # noqa: BLE001  # the loop decides
                work.failed(error)
            else:
                work.done()

    app.agent(app.topic(topic, key_type=bytes, value_type=bytes), name=name)(agent)

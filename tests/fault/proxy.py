"""A TCP proxy that stands before a broker and can cut, delay and swallow what goes through it.

The kernel of a test machine need not have netem, and nobody should need root to see a connection die.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

HOST = "127.0.0.1"
_CHUNK = 1 << 16


@dataclass
class Counters:
    """What the proxy has done so far: the proof that a fault took place."""

    accepted: int = 0
    refused: int = 0
    cut: int = 0
    delayed: int = 0
    swallowed: int = 0


@dataclass(eq=False)
class _Pair:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    is_half_open: bool = False


@dataclass
class Proxy:
    """Forwards connections to a port; runs in a thread of its own. All methods may be called from any thread.

    `delay_s` holds every chunk back for so long. `refuses` lets no new connection in.
    """

    port: int = 0
    upstream: int = 0
    delay_s: float = 0.0
    refuses: bool = False
    counters: Counters = field(default_factory=Counters)

    def __post_init__(self) -> None:
        """Take a free port now, so that others can be told about it before the proxy runs."""
        self._socket = socket.create_server((HOST, self.port))
        self.port = int(self._socket.getsockname()[1])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=f"proxy-{self.port}", daemon=True)
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        """Begin to forward."""
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        """Cut everything and end."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def connections(self) -> int:
        """How many are open and alive."""
        return sum(not pair.is_half_open for pair in self._pairs)

    def cut(self) -> int:
        """Reset every connection, both ends hear of it; returns how many there were."""
        return int(self._call(self._cut()))

    def half_open(self) -> int:
        """From now on the connections that are open swallow everything and say nothing, for ever; returns how many. New ones work."""
        return int(self._call(self._half_open()))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, sock=self._socket)

    async def _end(self) -> None:
        self._server.close()
        await self._cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            self.counters.refused += 1
            _reset(writer)
            return
        try:
            upstream, server = await asyncio.open_connection(HOST, self.upstream)
        except OSError:
            _reset(writer)  # as a host whose broker is down would
            return
        self.counters.accepted += 1
        pair = _Pair(writer, server)
        self._pairs.add(pair)
        for source, target in ((reader, server), (upstream, writer)):
            task = asyncio.create_task(self._pump(pair, source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, pair: _Pair, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            while chunk := await source.read(_CHUNK):
                if self.delay_s:
                    self.counters.delayed += 1
                    await asyncio.sleep(self.delay_s)
                if pair.is_half_open:
                    self.counters.swallowed += 1
                    continue
                target.write(chunk)
                await target.drain()
            if pair.is_half_open:
                return  # the other end must not hear that this one has given up
        self._drop(pair)

    def _drop(self, pair: _Pair) -> None:
        if pair in self._pairs:
            self._pairs.discard(pair)
            _reset(pair.client)
            _reset(pair.server)

    async def _cut(self) -> int:
        pairs = list(self._pairs)
        for pair in pairs:
            self._drop(pair)
        self.counters.cut += len(pairs)
        return len(pairs)

    async def _half_open(self) -> int:
        pairs = [pair for pair in self._pairs if not pair.is_half_open]
        for pair in pairs:
            pair.is_half_open = True
        return len(pairs)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with RST instead of FIN: whatever was on its way is gone."""
    found = writer.get_extra_info("socket")
    with suppress(OSError):
        if found is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()

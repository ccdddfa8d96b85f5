"""The workload: touchpoints and stewards' commands with merges, splits, duplicates, disorder and garbage, sent at a pace, each either acknowledged or sent again.

It knows nothing of faults and nothing of what must hold. What it leaves behind is the list of what Kafka has acknowledged.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from typing import NamedTuple

import msgspec

from touchstone.errors import Retriable
from touchstone.intake.lines import Prepared, prepare_line
from touchstone.runtime.client import producing
from touchstone.testing.generator import Mix, garbage_line, generate
from touchstone.topology.compile import Topology

CANARY = "canaryquill"
"""Stands in every personal value of the workload, and nowhere else in the world."""

PHONES = re.compile(r"(?<!\d)\+?49302\d{6}(?!\d)")
"""The invented telephone numbers, which cannot hold a word."""

_SPELLINGS = (
    (b"@example.org", f"@{CANARY}.example".encode()),
    (b"@EXAMPLE.ORG", f"@{CANARY.upper()}.EXAMPLE".encode()),
    (b'"ck-', f'"ck-{CANARY}-'.encode()),
    (b'"kiosk-', f'"kiosk-{CANARY}-'.encode()),
    (b'"dev-', f'"dev-{CANARY}-'.encode()),
    (b'"card-', f'"card-{CANARY}-'.encode()),
    (b'"Person ', f'"{CANARY} '.encode()),  # names in profiles; who gave a command, and why
    (b'"torn"', f'"{CANARY}"'.encode()),
    (b'"event_id":"e', b'"event_id":"tp-'),
)
_TICK_S = 0.2
_PATIENCE_S = 45.0  # longer than the producer's own timeout


class Acknowledged(NamedTuple):
    """A line that Kafka has confirmed, and where it lies."""

    line: bytes
    topic: str
    partition: int
    offset: int


def canary_lines(touchpoints: int, seed: int) -> list[bytes]:
    """Generated touchpoints, and commands about them, in whose personal values the canary stands."""
    lines = list(generate(touchpoints, seed, mix=Mix(login=0.2, garbage=0.01, commands=0.03)).lines)
    return [with_canary(line) for line in lines]


def with_canary(line: bytes) -> bytes:
    """The same line with the canary in its personal values."""
    for plain, spelled in _SPELLINGS:
        line = line.replace(plain, spelled)
    return line


def poison(count: int, seed: int) -> list[bytes]:
    """Lines none of which is a touchpoint."""
    random = Random(seed)
    return [with_canary(garbage_line(number, random)) for number in range(count)]


def large_line(number: int, size: int) -> bytes:
    """A line of about so many bytes: far above `limits.record`, just below what the topics take."""
    return msgspec.json.encode(
        {
            "event_id": f"tp-large-{number}",
            "channel": "web",
            "type": "search",
            "occurred_at": "2024-01-02T00:00:00Z",
            "received_at": "2024-01-02T00:00:00Z",
            "identifiers": {"cookie": f"ck-{CANARY}-large"},
            "properties": {"page": CANARY * (size // len(CANARY))},
        }
    )


class Workload:
    """Sends lines at a rate until it is told to stop.

    What is refused or not answered is sent again until it is acknowledged: it may then stand in the log twice, as with every producer that
    does not give up. Extra lines can be put in between.
    """

    def __init__(self, bootstrap: str, topology: Topology, lines: Sequence[bytes], rate: float) -> None:
        self._bootstrap = bootstrap
        self._topology = topology
        self._lines = lines
        self._rate = rate
        self._next = 0
        self._extra: list[bytes] = []
        self._stop = asyncio.Event()
        self.acknowledged: list[Acknowledged] = []
        self.sent_again = 0

    def insert(self, lines: Sequence[bytes]) -> None:
        """Send these as well, at once."""
        self._extra += lines

    def stop(self) -> None:
        """Send nothing new; `run` returns once all that was sent is acknowledged."""
        self._stop.set()

    async def run(self) -> None:
        """Send."""
        open_lines: list[bytes] = []
        began, begun_with = time.monotonic(), 0
        while not self._stop.is_set() or open_lines or self._extra:
            try:
                async with producing(self._bootstrap) as producer:
                    began, begun_with = time.monotonic(), self._next
                    while not self._stop.is_set() or open_lines or self._extra:
                        open_lines += self._due(time.monotonic() - began, begun_with)
                        open_lines = await self._send(producer, open_lines)
                        if open_lines:
                            self.sent_again += len(open_lines)
                            break  # a producer whose record was not acknowledged cannot keep its order any more: take another
                        with suppress(TimeoutError):
                            await asyncio.wait_for(self._stop.wait(), _TICK_S)
            except (Retriable, TimeoutError):
                await asyncio.sleep(_TICK_S)

    def _due(self, seconds: float, begun_with: int) -> list[bytes]:
        extra, self._extra = self._extra, []
        if self._stop.is_set():
            return extra
        until = min(len(self._lines), begun_with + round(seconds * self._rate))
        lines = list(self._lines[self._next : until])
        self._next = max(self._next, until)
        return extra + lines

    async def _send(self, producer: object, lines: Sequence[bytes]) -> list[bytes]:
        """Send, wait for the answers, note what is acknowledged; returns the others."""
        sent: list[tuple[bytes, asyncio.Future[object] | None]] = []
        for line in lines:
            prepared: Prepared = prepare_line(line, self._topology)
            try:
                sent.append((line, await producer.send(prepared.topic, prepared.value, prepared.key, headers=list(prepared.headers))))  # type: ignore[attr-defined]
            except Exception:  # noqa: BLE001  # whatever the reason: it is not acknowledged
                sent.append((line, None))
        waiting = [answer for _, answer in sent if answer is not None]
        if waiting:
            await asyncio.wait(waiting, timeout=_PATIENCE_S)
        left = []
        for line, answer in sent:
            if answer is None or not answer.done() or answer.exception() is not None:
                left.append(line)
                continue
            where: object = answer.result()
            self.acknowledged.append(Acknowledged(line, where.topic, where.partition, where.offset))  # type: ignore[attr-defined]
        return left

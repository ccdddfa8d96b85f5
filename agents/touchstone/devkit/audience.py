"""Somebody who listens to the output topics while the system runs, keeps count, and can wait for a word."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

from touchstone.contracts.codec import bundled_codec
from touchstone.errors import Unavailable
from touchstone.model.output import DeadLetter, IdentityChange, Moment, Review
from touchstone.pipeline import OutputRecord
from touchstone.runtime import client
from touchstone.topology.topics import Topics
from touchstone.view import FinalView

_Kind = TypeVar("_Kind", Moment, IdentityChange, Review, DeadLetter)
_LATEST = 4
_LOOK_S = 1.0


class Tally:
    """What was said so far, counted; pure. Records may come more than once."""

    def __init__(self, records: Iterable[OutputRecord] = ()) -> None:
        self.view = FinalView()
        self.changes: Counter[str] = Counter()
        self.corrections: Counter[str] = Counter()
        self.taken_back = 0
        self.latest: deque[Moment] = deque(maxlen=_LATEST)
        self._seen: set[tuple[str, int]] = set()
        for record in records:
            self.take(record)

    def take(self, record: OutputRecord) -> None:
        """Count one record."""
        self.view.apply(record)
        if isinstance(record, IdentityChange):
            self.changes[record.kind] += self._is_new(record.change_id)
        elif isinstance(record, Moment) and self._is_new(record.moment_id, record.revision):
            self.latest.append(record)
            self.taken_back += record.action == "retract"
            if record.corrects:
                self.corrections[record.corrects] += 1

    @property
    def people(self) -> int:
        """How many customers are somebody now."""
        return sum(customer.status == "active" for customer in self.view.customers.values())

    @property
    def standing(self) -> list[Moment]:
        """The moments that stand asserted."""
        return [moment for moment in self.view.moments.values() if moment.action == "assert"]

    def by_kind_and_phase(self) -> list[tuple[str, str, int]]:
        """The standing moments: kind, phase they lead to, how many; in order of kind and phase."""
        counts = Counter((moment.kind, moment.to_phase or moment.rule) for moment in self.standing)
        return [(kind, phase, count) for (kind, phase), count in sorted(counts.items())]

    def _is_new(self, name: str, revision: int = 0) -> bool:
        before = len(self._seen)
        self._seen.add((name, revision))
        return len(self._seen) > before


class Audience:
    """Reads the output topics as they are committed, from their beginning, for as long as an `async with` block lasts.

    The topic of reviews is among them only with `reviews`: it exists where something is matched.
    """

    def __init__(self, bootstrap: str, topics: Topics, *, reviews: bool = False) -> None:
        self._bootstrap = bootstrap
        self._topics = [topics.moments, topics.customers, topics.identities, topics.deadletters, *([topics.reviews] * reviews)]
        self._said: list[OutputRecord] = []
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.tally = Tally()

    async def __aenter__(self) -> Self:
        """Begin to listen."""
        self._task = asyncio.create_task(self._listen(), name="audience")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def until(self, kind: type[_Kind], is_wanted: Callable[[_Kind], bool], what: str, seconds: float = 60) -> _Kind:
        """Wait until somebody says this (or has said it), and return it.

        Raises:
            Unavailable: nobody said it in time; `what` names it.
        """
        heard, deadline = 0, time.monotonic() + seconds
        while True:
            self._news.clear()
            for record in self._said[heard:]:
                if isinstance(record, kind) and is_wanted(record):
                    return record
            heard = len(self._said)
            if self._task is not None and self._task.done():
                self._task.result()  # raises what ended it
            if time.monotonic() > deadline:
                raise Unavailable(f"expected to read {what} within {seconds:.0f} s, found {heard:,} other records")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), _LOOK_S)

    async def _listen(self) -> None:
        codec = bundled_codec()
        async for record in client.follow(self._bootstrap, self._topics, from_beginning=True):
            if record.value is not None:
                said = codec.decode_record(record.value)
                self._said.append(said)
                self.tally.take(said)
                self._news.set()

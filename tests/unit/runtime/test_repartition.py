"""What a command that makes a new generation does when a partition cannot be read."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import TopicPartition

from touchstone.errors import Retriable
from touchstone.runtime import repartition, to_end
from touchstone.runtime.repartition import Repartition, statements

SOURCE = "app.journey.changelog"


class Reader:
    """A consumer of partitions that hold `ends` records each; of those in `leaderless` none ever comes, and no error either."""

    def __init__(self, ends: Mapping[TopicPartition, int], leaderless: Iterable[TopicPartition]) -> None:
        self._ends = dict(ends)
        self._leaderless = frozenset(leaderless)
        self._stands = dict.fromkeys(ends, 0)
        self._has_paused = True

    async def end_offsets(self, _partitions: Any) -> dict[TopicPartition, int]:
        """Known: the leader was there then."""
        return self._ends

    async def beginning_offsets(self, _partitions: Any) -> dict[TopicPartition, int]:
        """Nothing was deleted."""
        return dict.fromkeys(self._ends, 0)

    def assign(self, _partitions: Any) -> None:
        """It has all of them."""

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on there."""
        self._stands[partition] = offset

    async def position(self, partition: TopicPartition) -> int:
        """Where it stands."""
        return self._stands[partition]

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[Any]]:
        """One record of each partition that has a leader; nothing every other time."""
        await asyncio.sleep(0.001)
        self._has_paused = not self._has_paused
        if self._has_paused:
            return {}
        come = [tp for tp, end in self._ends.items() if tp not in self._leaderless and self._stands[tp] < end]
        for tp in come:
            self._stands[tp] += 1
        return {tp: [SimpleNamespace(key=b"key", value=b"value")] for tp in come}


class Hand:
    """Remembers how far it was told to have come."""

    def __init__(self) -> None:
        self.offsets: dict[TopicPartition, int] = {}

    async def write(self, _items: Any, offsets: Mapping[TopicPartition, int]) -> None:
        """A transaction that is always committed."""
        self.offsets |= offsets


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a second for a minute."""
    monkeypatch.setattr(to_end, "_STALLED_S", 0.1)


def reads(monkeypatch: pytest.MonkeyPatch, ends: Mapping[TopicPartition, int], leaderless: Iterable[TopicPartition]) -> None:
    """Let every reader be one of these."""

    @asynccontextmanager
    async def reader(_bootstrap: str) -> AsyncIterator[Reader]:
        yield Reader(ends, leaderless)

    async def counts(_bootstrap: str, _topics: Any) -> dict[str, int]:
        return {tp.topic: len(ends) for tp in ends}

    async def there(_bootstrap: str, topics: Any) -> list[str]:
        return list(topics)

    async def know(_reader: Any, _partitions: Any) -> None:
        """Nothing to ask."""

    monkeypatch.setattr(repartition, "_reader", reader)
    monkeypatch.setattr(repartition, "partition_counts", counts)
    monkeypatch.setattr(repartition, "existing", there)
    monkeypatch.setattr(repartition, "know", know)


def copy(hand: Hand) -> int:
    """Copy the changelog of the journeys; all goes to partition 0."""
    new = cast("Any", SimpleNamespace(bootstrap="nowhere:1"))
    work = Repartition(new, cast("Any", None), lambda _: 0)
    copying = work._copy(cast("Any", hand), SOURCE, "app.g2.journey.changelog", lambda *_: 0, {}, lambda *_: None)
    return asyncio.run(asyncio.wait_for(copying, 20))


def test_a_partition_without_a_leader_ends_the_move_with_a_sentence_and_keeps_what_was_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not hang in silence while no worker may start; run again, it goes on where it was."""
    healthy, leaderless = TopicPartition(SOURCE, 0), TopicPartition(SOURCE, 1)
    reads(monkeypatch, {healthy: 3, leaderless: 5}, [leaderless])
    hand = Hand()

    with pytest.raises(
        Retriable, match=r"nothing came for 0 s of app\.journey\.changelog\[1\] at 0 of 5: .* run the command again: it goes on"
    ):
        copy(hand)

    assert hand.offsets == {healthy: 3}


def test_a_move_that_is_slow_but_gets_on_is_never_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline is one without progress: it took twice as long as that to write each portion."""
    source = TopicPartition(SOURCE, 0)
    reads(monkeypatch, {source: 4}, [])
    hand = Hand()
    write = hand.write

    async def slowly(items: Any, offsets: Mapping[TopicPartition, int]) -> None:
        await asyncio.sleep(0.2)
        await write(items, offsets)

    monkeypatch.setattr(hand, "write", slowly)

    assert copy(hand) == 4
    assert hand.offsets == {source: 4}


def test_a_clock_topic_that_cannot_be_read_is_not_taken_for_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new generation without what workers have said of their sources would take up the wrong time."""
    clock = TopicPartition("app.clock", 0)
    reads(monkeypatch, {clock: 7}, [clock])

    with pytest.raises(Retriable, match=r"app\.clock\[0\] at 0 of 7"):
        asyncio.run(asyncio.wait_for(statements("nowhere:1", clock.topic), 20))

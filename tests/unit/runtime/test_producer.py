"""The commit of a worker whose partitions are being taken away."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError

from touchstone.errors import Fenced
from touchstone.runtime.producer import Producer
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.transaction import Membership

POSITIONS = {TopicPartition("t", 0): 7}


class SlowCoordinator:
    """Stands for aiokafka's producer: offsets are taken once `may_go_on` is set, or refused."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.may_go_on = asyncio.Event()
        self.asked = asyncio.Event()
        self.committed: list[Mapping[TopicPartition, Any]] = []
        self._refuses = refuses
        self._open = False
        self._txn_manager = self

    def is_in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._open

    async def begin_transaction(self) -> None:
        """Open one."""
        self._open = True

    async def send_offsets_to_transaction(self, offsets: Mapping[TopicPartition, Any], _group: str) -> None:
        """Take offsets, slowly."""
        self.asked.set()
        await self.may_go_on.wait()
        if self._refuses:
            raise CommitFailedError("the group refused offsets")
        self.committed.append(offsets)

    async def commit_transaction(self) -> None:
        """End it."""
        self._open = False


def producer_on(coordinator: SlowCoordinator) -> Producer:
    """A producer that writes through it."""
    settings = WorkerSettings(app="a", bootstrap="nowhere:1", instance="w1", data_dir=Path("/none"), partitions=1, channel_topics=("t",))
    producer = Producer(settings, lambda: Membership(1, "member", None))
    producer._producer = coordinator
    return producer


async def cancelled_commit(producer: Producer, coordinator: SlowCoordinator) -> None:
    """Begin a commit and cancel whoever asked for it while the broker has not answered."""
    asking = asyncio.create_task(producer.commit(POSITIONS, lambda: None))
    await coordinator.asked.wait()
    asking.cancel()
    await asyncio.wait([asking])


def test_a_commit_whose_caller_was_cancelled_goes_on_and_can_be_awaited() -> None:
    """Whoever hands partitions back waits for it: afterwards the group has another generation, and would refuse the offsets."""

    async def story() -> None:
        coordinator = SlowCoordinator()
        producer = producer_on(coordinator)
        await cancelled_commit(producer, coordinator)

        ended = asyncio.create_task(producer.ended())
        await asyncio.wait([ended], timeout=0.01)
        assert not ended.done()
        coordinator.may_go_on.set()
        await ended

        assert [list(offsets) for offsets in coordinator.committed] == [list(POSITIONS)]
        assert not coordinator.is_in_transaction()

    asyncio.run(story())


def test_a_refusal_that_nobody_waited_for_is_told_to_who_asks() -> None:
    """It must not be found out only by the next transaction."""

    async def story() -> None:
        coordinator = SlowCoordinator(refuses=True)
        producer = producer_on(coordinator)
        await cancelled_commit(producer, coordinator)
        coordinator.may_go_on.set()

        with pytest.raises(Fenced):
            await producer.ended()

    asyncio.run(story())


def test_where_no_commit_is_under_way_there_is_nothing_to_wait_for() -> None:
    """A worker without partitions is asked for them back, too."""
    asyncio.run(producer_on_nothing())


async def producer_on_nothing() -> None:
    """Ask a producer that never committed."""
    await producer_on(SlowCoordinator()).ended()

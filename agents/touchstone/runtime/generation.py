"""A new generation of an application's own topics, made offline: begun, filled, finished, or given up.

While it is being made no worker starts (runtime/agreement.py). Everything is written in transactions; the last one makes the new generation
the one in use. Killed at any moment, the command goes on where it was when it is run again. The old generation is only read.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from touchstone.errors import Retriable, UsageError
from touchstone.runtime.admin import group_members, group_owners, partition_counts
from touchstone.runtime.agreement import KEY, Agreement, Begun, encode_agreement, read_agreement, write_agreement
from touchstone.runtime.client import has_open_transaction
from touchstone.runtime.names import agreement_topic, generation_base, internal_topic
from touchstone.runtime.producer import LARGEST_RECORD_BYTES, Item, Outgoing
from touchstone.runtime.reach import reaching
from touchstone.runtime.security import connection
from touchstone.runtime.transaction import abort_left_behind

log = logging.getLogger(__name__)

_UNDECIDED_S = 60.0


class NewGeneration:
    """What is known of the one that is being made."""

    def __init__(self, bootstrap: str, app: str, before: Agreement, begun: Begun) -> None:
        self.bootstrap = bootstrap
        self.app = app
        self.before = before
        self.begun = begun

    @property
    def old_base(self) -> str:
        """What the names of the topics in use begin with."""
        return generation_base(self.app, self.before.generation)

    @property
    def base(self) -> str:
        """What the names of the new topics begin with."""
        return generation_base(self.app, self.begun.generation)

    @property
    def progress_group(self) -> str:
        """The group under which it is kept how far the old topics were read."""
        return f"{self.base}.progress"


async def begin(bootstrap: str, app: str, what: Literal["repartition", "rebuild"], partitions: int, agreement: Agreement) -> NewGeneration:
    """Shut workers out, under a number of its own; or go on with what was begun and broken off.

    Raises:
        UsageError: Workers are running, or another change was begun.
        Retriable: The brokers cannot be reached.
    """
    await refuse_members(bootstrap, app)
    begun = agreement.begun
    if begun is None:
        begun = Begun(what, agreement.latest + 1, partitions)
        shut = msgspec.structs.replace(agreement, begun=begun, latest=begun.generation)
        await write_agreement(bootstrap, app, shut)
        try:
            await refuse_members(bootstrap, app)  # one that had looked at what stood before, and joined since
        except UsageError:
            await write_agreement(bootstrap, app, msgspec.structs.replace(shut, begun=None))
            raise
        agreement = shut
    elif (begun.what, begun.partitions) != (what, partitions):
        raise UsageError(
            f"expected no change of {app!r} under way, found `topics {begun.what}` to {begun.partitions} partitions, which was broken off: finish it, "
            f"or give it up with `touchstone topics {begun.what} --abandon`"
        )
    return NewGeneration(bootstrap, app, agreement, begun)


async def abandon(bootstrap: str, app: str) -> bool:
    """Give up what was begun: workers may start again, on the generation that was in use all the time. False: nothing was begun.

    Raises:
        Retriable: The brokers cannot be reached.
    """
    agreement = await read_agreement(bootstrap, app)
    if agreement is None or agreement.begun is None:
        return False
    await write_agreement(bootstrap, app, msgspec.structs.replace(agreement, begun=None))
    return True


async def refuse_members(bootstrap: str, app: str) -> None:
    """See that no worker runs.

    Raises:
        UsageError: One does, or died so recently that its session has not ended.
        Retriable: The brokers cannot be reached.
    """
    members = await group_members(bootstrap, app)
    if members:
        raise UsageError(
            f"expected no worker of {app!r} to run, found {len(members)}: {', '.join(members)}. Stop them; one that was killed, or "
            "stopped with --static-membership, is gone when its session has ended (10 s by default)"
        )


async def until_decided(bootstrap: str, app: str, topics: Sequence[str]) -> None:
    """Wait until no transaction is open in these topics; those of dead workers are aborted.

    Raises:
        Retriable: One stays open.
    """
    deadline, aborted = time.monotonic() + _UNDECIDED_S, False
    while await has_open_transaction(bootstrap, topics):
        if not aborted:
            aborted = True
            for owner in sorted(await group_owners(bootstrap, app)):
                if owner.startswith(f"{app}-"):
                    await abort_left_behind(owner, bootstrap)
        elif time.monotonic() > deadline:
            raise Retriable(
                f"expected every transaction of {app!r} to be decided, found one still open after {_UNDECIDED_S:.0f} s; try again"
            )
        await asyncio.sleep(0.2)


class Hand:
    """Writes into the new generation, one transaction after the other."""

    def __init__(self, producer: Any, new: NewGeneration, reached: Callable[[str], None]) -> None:
        self._producer = producer
        self._new = new
        self._reached = reached

    async def write(
        self,
        items: Mapping[TopicPartition, Iterable[Item]],
        offsets: Mapping[TopicPartition, int] | None = None,
        group: str | None = None,
    ) -> None:
        """One transaction: records, and how far a group is with them (by default: how far this change is)."""
        await self._producer.begin_transaction()
        send = self._producer.send
        sent = [await send(tp.topic, item.value, item.key, tp.partition) for tp, some in items.items() for item in some]
        await asyncio.gather(*sent)
        if offsets:
            positions = {tp: OffsetAndMetadata(offset, "") for tp, offset in offsets.items()}
            await self._producer.send_offsets_to_transaction(positions, group or self._new.progress_group)
        self._reached("generation.before_end")
        await self._producer.commit_transaction()

    async def finish(
        self, agreement: Agreement, items: Mapping[TopicPartition, Iterable[Item]], offsets: Mapping[TopicPartition, int] | None = None
    ) -> None:
        """The last transaction: from now on the new generation is in use. `offsets`: where the application's group shall go on.

        Raises:
            UsageError: A worker has started all the same; nothing was changed.
        """
        await refuse_members(self._new.bootstrap, self._new.app)
        self._reached("generation.before_finish")
        stands = Item(KEY, encode_agreement(agreement))
        await self.write({**items, TopicPartition(agreement_topic(self._new.app), 0): [stands]}, offsets, self._new.app)


@asynccontextmanager
async def writing(new: NewGeneration, reached: Callable[[str], None] = lambda _: None) -> AsyncIterator[Hand]:
    """A transactional producer for as long as the block lasts. A second run of the command fences the first.

    Raises:
        Retriable: The brokers cannot be reached, or another run has taken over.
    """
    producer = AIOKafkaProducer(
        **connection(new.bootstrap),
        client_id="touchstone-generation",
        transactional_id=f"{new.app}-generation",
        transaction_timeout_ms=60_000,
        acks="all",
        linger_ms=5,
        max_batch_size=1 << 18,
        max_request_size=LARGEST_RECORD_BYTES,
    )
    try:
        async with reaching(new.bootstrap):
            await producer.start()
            yield Hand(producer, new, reached)
    finally:
        await producer.stop()


async def write_messages(hand: Hand, new: NewGeneration, stage: str, messages: Iterable[tuple[int, bytes]]) -> None:
    """One transaction of (partition, message) for a stage of the new generation."""
    items: Outgoing = {}
    for partition, message in messages:
        items.setdefault(TopicPartition(internal_topic(new.base, stage), partition), []).append(Item(None, message))
    if items:
        await hand.write(items)


async def existing(bootstrap: str, topics: Iterable[str]) -> list[str]:
    """Those of the topics that are there."""
    counts = await partition_counts(bootstrap, topics)
    return sorted(counts)

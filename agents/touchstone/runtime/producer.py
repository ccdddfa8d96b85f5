"""The one transactional producer of a worker."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalGenerationError, ProducerFenced, UnknownMemberIdError
from aiokafka.structs import OffsetAndMetadata

from touchstone.errors import Fenced, InvariantBroken
from touchstone.runtime.offset_metadata import pack
from touchstone.runtime.reach import reaching
from touchstone.runtime.security import connection
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.transaction import GroupTransactionalProducer, Membership

_BATCH_BYTES = 512 * 1024
"""Above the largest internal message (256 KiB), below what a broker takes by default (1 MiB)."""

_FENCED_BY = (ProducerFenced, CommitFailedError, IllegalGenerationError, UnknownMemberIdError)


class Item(NamedTuple):
    """One record to be written."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


Outgoing = dict[TopicPartition, list[Item]]


LARGEST_RECORD_BYTES = 10 << 20


class Producer:
    """Writes everything a worker says, inside the transaction that also commits its offsets.

    What is emitted goes out in waves: one wave is in flight, and all that is emitted meanwhile forms the next one. aiokafka sends one
    batch per partition and request, so a batch per poll would queue up behind its predecessors.
    """

    def __init__(self, settings: WorkerSettings, membership: Callable[[], Membership]) -> None:
        self._settings = settings
        self._membership = membership
        self._producer: Any = None
        self._buffer: Outgoing = {}
        self._wave: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self.is_held = False

    async def start(self) -> None:
        """Connect and take over the transactional id: an unfinished transaction of our predecessor is aborted, and it is fenced."""
        settings = self._settings
        self._producer = GroupTransactionalProducer(
            membership=self._membership,
            **connection(settings.bootstrap),
            client_id=settings.transactional_id,
            transactional_id=settings.transactional_id,
            transaction_timeout_ms=settings.transaction_timeout_ms,
            acks="all",
            linger_ms=0,
            max_batch_size=_BATCH_BYTES,
            max_request_size=LARGEST_RECORD_BYTES,
            compression_type=settings.compression,
        )
        async with reaching(settings.bootstrap):
            await self._producer.start()

    async def stop(self) -> None:
        """Close the connection. What is not committed stays unseen."""
        if self._producer is not None:
            await self._producer.stop()

    async def restart(self) -> None:
        """Throw the open transaction away: a new start under the same transactional id aborts it."""
        if self._wave is not None:
            self._wave.cancel()
            await asyncio.wait([self._wave])
        self._wave, self._ending, self._buffer, self.is_held = None, None, {}, False
        with suppress(Exception):  # the new start below is what counts
            await asyncio.wait_for(self._producer.stop(), 1.0)
        await self.start()

    async def partition_counts(self, topics: Iterable[str]) -> dict[str, int]:
        """How many partitions each topic has."""
        return {topic: len(await self._producer.partitions_for(topic)) for topic in topics}

    @property
    def in_transaction(self) -> bool:
        """Whether something was written since the last commit."""
        return self._producer is not None and self._producer._txn_manager.is_in_transaction()

    def hold(self) -> None:
        """A commit has been decided on: until it has ended, what is emitted would fall into the wrong transaction."""
        self.is_held = True

    def release(self) -> None:
        """The commit has ended: what comes now belongs to the next transaction."""
        self.is_held = False

    def emit(self, outgoing: Outgoing) -> None:
        """Begin to write these records; `flush` tells whether that went well.

        Raises:
            InvariantBroken: A commit is under way.
        """
        if self.is_held:
            raise InvariantBroken("expected nothing to be emitted while a commit is under way, found records")
        for tp, items in outgoing.items():
            self._buffer.setdefault(tp, []).extend(items)
        if self._buffer and (self._wave is None or (self._wave.done() and not self._wave.exception())):
            self._wave = asyncio.create_task(self._waves(), name="touchstone-waves")

    async def flush(self) -> None:
        """Wait until all that was emitted is acknowledged.

        Raises:
            Fenced: Another worker took our place.
        """
        if self._wave is not None:
            with _fencing():
                await self._wave

    async def write(self, outgoing: Mapping[TopicPartition, list[Item]]) -> dict[TopicPartition, int]:
        """Write records and wait; returns the offset behind the last one, per partition.

        Raises:
            Fenced: Another worker took our place.
            InvariantBroken: The broker did not say where the records lie.
        """
        with _fencing():
            await self._begin()
            ends = await asyncio.gather(*(self._write_partition(tp, items) for tp, items in outgoing.items()))
        return dict(zip(outgoing, ends, strict=True))

    async def transact(
        self,
        outgoing: Mapping[TopicPartition, list[Item]],
        positions: Mapping[TopicPartition, int],
        before_end: Callable[[], None],
        notes: Mapping[TopicPartition, str] | None = None,
    ) -> dict[TopicPartition, int]:
        """Write records and put offsets into the transaction, both at once, wait until all is acknowledged, and end it.

        `notes` are kept beside the offsets. Returns the offset behind the last record, per partition.

        Raises:
            Fenced: The group or the transaction coordinator no longer accepts us. Nothing was committed.
            InvariantBroken: The broker did not say where the records lie.
        """
        await self.flush()
        with _fencing():
            await self._begin()
            ends: dict[TopicPartition, int]
            ends, _ = await asyncio.gather(self.write(outgoing), self._add_offsets(positions, notes or {}))
            before_end()
            await self._producer.commit_transaction()
        return ends

    async def commit(
        self, positions: Mapping[TopicPartition, int], before_end: Callable[[], None], notes: Mapping[TopicPartition, str] | None = None
    ) -> None:
        """Put offsets into the transaction, with the notes beside them, as a member of the present generation, and end it.

        Cancelling the caller does not stop it half-way: the next transaction begins when this one has ended.

        Raises:
            Fenced: The group or the transaction coordinator no longer accepts us. Nothing was committed.
        """
        with _fencing():
            await self._begin()
            self._ending = asyncio.create_task(self._end(dict(positions), before_end, notes or {}), name="touchstone-commit")
            await asyncio.shield(self._ending)

    async def ended(self) -> None:
        """Wait until a commit has ended whose caller was cancelled; returns at once where none is under way.

        Raises:
            Fenced: It was refused.
        """
        if self._ending is not None:
            with _fencing():
                await self._ending

    async def abort(self, timeout_s: float = 1.0) -> None:
        """Try not to leave an open transaction behind; a successor would have to wait for it, no more."""
        with suppress(Exception):  # best effort on the way out: the error that brought us here is the one to report
            await asyncio.wait_for(self._producer.abort_transaction(), timeout_s)

    async def _end(
        self, positions: Mapping[TopicPartition, int], before_end: Callable[[], None], notes: Mapping[TopicPartition, str]
    ) -> None:
        await self._add_offsets(positions, notes)
        before_end()
        await self._producer.commit_transaction()

    async def _add_offsets(self, positions: Mapping[TopicPartition, int], notes: Mapping[TopicPartition, str]) -> None:
        if positions:
            owner = self._settings.transactional_id
            offsets = {tp: OffsetAndMetadata(offset, pack(owner, notes.get(tp, ""))) for tp, offset in positions.items()}
            await self._producer.send_offsets_to_transaction(offsets, self._settings.app)

    async def _begin(self) -> None:
        if self._ending is not None and not self._ending.done():
            await self._ending
        if not self._producer._txn_manager.is_in_transaction():
            await self._producer.begin_transaction()

    async def _waves(self) -> None:
        while self._buffer:
            wave, self._buffer = self._buffer, {}
            await self.write(wave)

    async def _write_partition(self, tp: TopicPartition, items: Sequence[Item]) -> int:
        acknowledgements: list[tuple[asyncio.Future[Any], int]] = []
        batch, count = self._producer.create_batch(), 0
        for item in items:
            if batch.append(key=item.key, value=item.value, timestamp=None, headers=list(item.headers)) is None:
                acknowledgements.append((await self._send(batch, tp), count))
                batch, count = self._producer.create_batch(), 0
                batch.append(key=item.key, value=item.value, timestamp=None, headers=list(item.headers))
            count += 1
        acknowledgements.append((await self._send(batch, tp), count))
        end = -1
        for future, size in acknowledgements:
            offset = (await future).offset
            if offset < 0:
                raise InvariantBroken(f"the broker acknowledged records for {tp.topic}[{tp.partition}] without saying at which offset")
            end = max(end, offset + size)
        return end

    async def _send(self, batch: Any, tp: TopicPartition) -> Any:
        batch.close()
        return await self._producer.send_batch(batch, tp.topic, partition=tp.partition)


class _fencing:  # noqa: N801  # reads as a word in `with _fencing():`
    """Turns aiokafka's ways of saying that we are replaced into `Fenced`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _FENCED_BY):
            raise Fenced(f"this worker's partitions belong to another one now: {error!r}") from error

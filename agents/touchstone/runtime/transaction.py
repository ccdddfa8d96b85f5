"""Offsets inside a transaction that only the present owner of the partitions can commit (KIP-447).

aiokafka 0.14 commits offsets with TxnOffsetCommit v0, which carries no group generation: a worker that was declared dead and wakes up
again would not be refused. Version 3 carries generation and member id. And OffsetFetch version 7 can be told to wait for offsets of a
transaction that is not decided yet (`require_stable`); older versions return the offset before it, and its records would be read twice.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.client import CoordinationType
from aiokafka.errors import CommitFailedError, for_code
from aiokafka.producer import sender as aiokafka_sender
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields
from aiokafka.structs import OffsetAndMetadata

from touchstone.runtime.offset_metadata import owner_of
from touchstone.runtime.security import connection

_TAGS = ("tags", TaggedFields)
_UNSTABLE_OFFSET_COMMIT = 88
_REFUSED_BY_GROUP = {22, 25, 27, 82}
"""ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS, FENCED_INSTANCE_ID."""


class Membership(NamedTuple):
    """Who we are in the group, as captured when the partitions were assigned."""

    generation: int
    member_id: str
    group_instance_id: str | None


class StableOffsets(NamedTuple):
    """Committed offsets, the partitions whose last commit is part of a transaction that is still open, and who committed there before."""

    committed: dict[TopicPartition, OffsetAndMetadata]
    undecided: set[TopicPartition]
    last_owners: set[str]


class _TxnOffsetCommitResponseV3(Response):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 28
    API_VERSION = 3
    _PARTITION = CompactArray(("partition", Int32), ("error_code", Int16), _TAGS)
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("errors", CompactArray(("topic", CompactString()), ("partition_errors", _PARTITION), _TAGS)),
        _TAGS,
    )


class _TxnOffsetCommitRequestV3(RequestStruct):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 28
    API_VERSION = 3
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _TxnOffsetCommitResponseV3
    _PARTITION = CompactArray(("partition", Int32), ("offset", Int64), ("leader_epoch", Int32), ("metadata", CompactString()), _TAGS)
    SCHEMA = Schema(
        ("transactional_id", CompactString()),
        ("group_id", CompactString()),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("generation_id", Int32),
        ("member_id", CompactString()),
        ("group_instance_id", CompactString()),
        ("topics", CompactArray(("topic", CompactString()), ("partitions", _PARTITION), _TAGS)),
        _TAGS,
    )


class _TxnOffsetCommitRequest(Request[_TxnOffsetCommitRequestV3]):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 28

    def __init__(self, *fields: Any) -> None:
        self._fields = fields

    def build(self, request_struct_class: Callable[..., Any]) -> Any:
        return request_struct_class(*self._fields)


class _OffsetFetchResponseV7(Response):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 9
    API_VERSION = 7
    _PARTITION = CompactArray(
        ("partition", Int32), ("offset", Int64), ("leader_epoch", Int32), ("metadata", CompactString()), ("error_code", Int16), _TAGS
    )
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("topics", CompactArray(("topic", CompactString()), ("partitions", _PARTITION), _TAGS)),
        ("error_code", Int16),
        _TAGS,
    )


class _OffsetFetchRequestV7(RequestStruct):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 9
    API_VERSION = 7
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _OffsetFetchResponseV7
    SCHEMA = Schema(
        ("group_id", CompactString()),
        ("topics", CompactArray(("topic", CompactString()), ("partitions", CompactArray(Int32)), _TAGS)),
        ("require_stable", Boolean),
        _TAGS,
    )


class _OffsetFetchRequest(Request[_OffsetFetchRequestV7]):  # type: ignore[misc]  # aiokafka is untyped
    API_KEY = 9

    def __init__(self, *fields: Any) -> None:
        self._fields = fields

    def build(self, request_struct_class: Callable[..., Any]) -> Any:
        return request_struct_class(*self._fields)


async def fetch_stable_offsets(coordinator: Any, partitions: Iterable[TopicPartition]) -> StableOffsets:
    """Ask the group for committed offsets, refusing to guess about open transactions.

    Runs in the event loop that owns `coordinator` (the consumer's thread).
    """
    await coordinator.ensure_coordinator_known()
    by_topic: dict[str, list[int]] = defaultdict(list)
    for tp in partitions:
        by_topic[tp.topic].append(tp.partition)
    topics: list[Any] = [(topic, numbers, {}) for topic, numbers in by_topic.items()]
    response = await coordinator._send_req(_OffsetFetchRequest(coordinator.group_id, topics, True, {}))
    if response.error_code:
        raise for_code(response.error_code)
    committed: dict[TopicPartition, OffsetAndMetadata] = {}
    undecided: set[TopicPartition] = set()
    for topic, answers, _ in response.topics:
        for partition, offset, _epoch, metadata, error_code, _tags in answers:
            tp = TopicPartition(topic, partition)
            if error_code == _UNSTABLE_OFFSET_COMMIT:
                undecided.add(tp)
            elif error_code:
                raise for_code(error_code)
            elif offset >= 0:
                committed[tp] = OffsetAndMetadata(offset, metadata or "")
    last = await coordinator.fetch_committed_offsets(list(undecided)) if undecided else {}
    return StableOffsets(committed, undecided, {owner_of(offset.metadata) for offset in last.values() if offset.metadata})


class _GroupOffsetCommitHandler(aiokafka_sender.TxnOffsetCommitHandler):  # type: ignore[misc]  # aiokafka is untyped
    """Sends version 3, and turns a refusal by the group into an error of the transaction."""

    def create_request(self) -> Any:
        manager = self._sender._txn_manager
        member: Membership = self._sender.membership()
        by_topic: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for tp, offset in sorted(self._offsets.items()):
            by_topic[tp.topic].append((tp.partition, offset.offset, -1, offset.metadata, {}))
        topics: list[Any] = [(topic, entries, {}) for topic, entries in by_topic.items()]
        return _TxnOffsetCommitRequest(
            manager.transactional_id,
            self._group_id,
            manager.producer_id,
            manager.producer_epoch,
            member.generation,
            member.member_id,
            member.group_instance_id,
            topics,
            {},
        )

    def handle_response(self, response: Any) -> float | None:
        for topic, answers, _ in response.errors:
            for partition, error_code, _tags in answers:
                if error_code in _REFUSED_BY_GROUP:
                    why = f"the group refused offsets of {topic}[{partition}]: {for_code(error_code).__name__}"
                    self._sender._txn_manager.error_transaction(CommitFailedError(why))
                    return None
        plain = _PlainResponse([(topic, [answer[:2] for answer in answers]) for topic, answers, _ in response.errors])
        backoff: float | None = super().handle_response(plain)
        return backoff


class _PlainResponse(NamedTuple):
    errors: list[tuple[str, list[tuple[int, int]]]]


class _GroupSender(aiokafka_sender.Sender):  # type: ignore[misc]  # aiokafka is untyped
    membership: Callable[[], Membership]

    async def _do_txn_offset_commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata], group_id: str) -> None:
        if offsets:
            node_id = await self._find_coordinator(CoordinationType.GROUP, group_id)
            await _GroupOffsetCommitHandler(self, offsets, group_id).do(node_id)


class GroupTransactionalProducer(AIOKafkaProducer):  # type: ignore[misc]  # aiokafka is untyped
    """A transactional producer whose offset commits say which generation of the group they belong to."""

    def __init__(self, *, membership: Callable[[], Membership], **settings: Any) -> None:
        super().__init__(**settings)
        self._sender.__class__ = _GroupSender
        self._sender.membership = membership


async def abort_left_behind(transactional_id: str, bootstrap: str, timeout_s: float = 30.0) -> None:
    """Abort the transaction that a dead worker left open, now instead of at its timeout.

    Asking for a producer id under its transactional id does that; it also fences the worker, should it still live.
    """
    producer = AIOKafkaProducer(**connection(bootstrap), transactional_id=transactional_id, transaction_timeout_ms=10_000)
    try:
        await asyncio.wait_for(producer.start(), timeout_s)
    finally:
        await producer.stop()

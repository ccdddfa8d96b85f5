"""Whether the private parts of Faust and aiokafka that the runtime stands on are still there."""

from importlib import import_module, metadata
from typing import NamedTuple

from touchstone.errors import UsageError

EXPECTED = {"faust-streaming": "0.15.", "aiokafka": "0.14."}


class Hook(NamedTuple):
    """Something private, where it is, and what it is needed for."""

    package: str
    module: str
    path: str
    purpose: str


HOOKS = (
    Hook("faust-streaming", "faust.transport.drivers.aiokafka", "Consumer._new_consumer_thread", "our consumer thread"),
    Hook(
        "faust-streaming", "faust.transport.drivers.aiokafka", "AIOKafkaConsumerThread._create_worker_consumer", "fetch settings, assignor"
    ),
    Hook("faust-streaming", "faust.transport.drivers.aiokafka", "AIOKafkaConsumerThread._fetch_records", "batches"),
    Hook(
        "faust-streaming", "faust.transport.drivers.aiokafka", "AIOKafkaConsumerThread._ensure_consumer", "access to the group's consumer"
    ),
    Hook("faust-streaming", "faust.transport.drivers.aiokafka", "Transport.Consumer", "our consumer"),
    Hook("faust-streaming", "faust.transport.consumer", "ConsumerThread.call_thread", "calls into the consumer's thread"),
    Hook("faust-streaming", "faust.transport.consumer", "Consumer._drain_messages", "batches"),
    Hook("faust-streaming", "faust.transport.consumer", "Consumer.on_partitions_revoked", "commit before a rebalance"),
    Hook("faust-streaming", "faust.transport.consumer", "Consumer.on_partitions_assigned", "restore after a rebalance"),
    Hook("faust-streaming", "faust.transport.consumer", "Consumer.perform_seek", "Faust's own seek is off"),
    Hook("faust-streaming", "faust.transport.consumer", "Consumer.commit", "Faust's own commit is off"),
    Hook("faust-streaming", "faust.transport.consumer", "Consumer.wait_empty", "commit before leaving"),
    Hook("faust-streaming", "faust.transport.consumer", "Consumer.verify_all_partitions_active", "Faust's own watchdog is off"),
    Hook("faust-streaming", "faust.tables.manager", "TableManager._update_channels", "no waiting for tables"),
    Hook("aiokafka", "aiokafka.producer.sender", "Sender._do_txn_offset_commit", "offsets with the group generation"),
    Hook("aiokafka", "aiokafka.producer.sender", "Sender._find_coordinator", "offsets with the group generation"),
    Hook("aiokafka", "aiokafka.producer.sender", "TxnOffsetCommitHandler.create_request", "offsets with the group generation"),
    Hook("aiokafka", "aiokafka.producer.sender", "TxnOffsetCommitHandler.handle_response", "offsets with the group generation"),
    Hook("aiokafka", "aiokafka.producer.transaction_manager", "TransactionManager.error_transaction", "being fenced by the group"),
    Hook("aiokafka", "aiokafka.producer.transaction_manager", "TransactionManager.is_in_transaction", "open transactions"),
    Hook("aiokafka", "aiokafka.producer.producer", "AIOKafkaProducer.create_batch", "writing in batches"),
    Hook("aiokafka", "aiokafka.producer.producer", "AIOKafkaProducer.send_batch", "writing in batches"),
    Hook("aiokafka", "aiokafka.consumer.fetcher", "Fetcher.fetched_records", "batches"),
    Hook("aiokafka", "aiokafka.consumer.fetcher", "MemoryRecords", "headers whose names are no text"),
    Hook("aiokafka", "aiokafka.record.default_records", "_DefaultRecordBatchPy._maybe_uncompress", "headers whose names are no text"),
    Hook("aiokafka", "aiokafka.consumer.subscription_state", "Assignment.state_value", "positions and ends"),
    Hook("aiokafka", "aiokafka.consumer.group_coordinator", "GroupCoordinator._send_req", "offsets that are decided"),
    Hook("aiokafka", "aiokafka.consumer.group_coordinator", "GroupCoordinator.ensure_coordinator_known", "offsets that are decided"),
    Hook("aiokafka", "aiokafka.consumer.group_coordinator", "GroupCoordinator.fetch_committed_offsets", "offsets that are decided"),
    Hook("aiokafka", "aiokafka.client", "AIOKafkaClient.set_topics", "offsets of many topics at once"),
    Hook("aiokafka", "aiokafka.protocol.types", "CompactArray", "newer requests"),
    Hook("aiokafka", "aiokafka.coordinator.assignors.range", "RangePartitionAssignor", "co-partitioning"),
)


def check_compatibility(hooks: tuple[Hook, ...] = HOOKS) -> None:
    """Look every hook up.

    Raises:
        UsageError: Some are gone: each is named, with the versions expected and found.
    """
    gone = [hook for hook in hooks if not _exists(hook)]
    if gone:
        lines = [
            f"{hook.module}.{hook.path} (for {hook.purpose}): expected in {hook.package} {EXPECTED[hook.package]}x, "
            f"not found in {hook.package} {_version(hook.package)}"
            for hook in gone
        ]
        wanted = ", ".join(f"{package}=={version}*" for package, version in EXPECTED.items())
        raise UsageError("\n".join([*lines, f"Install the versions that the runtime was written for: {wanted}"]))


def _exists(hook: Hook) -> bool:
    try:
        found: object = import_module(hook.module)
    except ImportError:
        return False
    for name in hook.path.split("."):
        found = getattr(found, name, None)
    return found is not None


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "(not installed)"

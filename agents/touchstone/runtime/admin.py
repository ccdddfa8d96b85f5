"""Topics: what should be there, what differs, and how to get there without losing anything."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from touchstone.errors import Retriable, UsageError
from touchstone.runtime.names import agreement_topic, changelog_topic, clock_topic, generation_base, internal_topic
from touchstone.runtime.producer import LARGEST_RECORD_BYTES
from touchstone.runtime.reach import reaching, start
from touchstone.runtime.security import connection

_DAY_MS = 86_400_000
STAMP = "message.timestamp.type"
"""Whose clock stamps the records of a topic."""
LARGE_RECORDS = {"max.message.bytes": str(LARGEST_RECORD_BYTES)}
"""What every topic takes. Far above `limits.record`: an oversized touchpoint becomes a dead letter and not the producer's riddle, and a person
of many identifiers and attributes is one row and one record however large."""
COMPACTED_IN_TIME = {
    "cleanup.policy": "compact",
    "segment.ms": str(_DAY_MS),
    "max.compaction.lag.ms": str(_DAY_MS),
    "delete.retention.ms": str(_DAY_MS),
}
"""What is deleted or replaced in it leaves the disk within two days: a segment is closed after a day, and nothing closed stays uncompacted for
longer, however little of it could be saved; tombstones stay a day more, as long as a reader may take. Kafka's defaults promise no time at all."""
_PATIENCE_S = 15.0
_DYNAMIC_TOPIC_CONFIG = 1
"""The source of a setting that was made for this topic, as against a default of the broker."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it should be. Settings that are not named here are nobody's business.

    `keeps_count`: `partitions` is for a new topic only; one that exists keeps the count it has.
    """

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)
    keeps_count: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be.

    kind missing: the topic is not there. kind config: a setting differs (`setting` names it). kind partitions: the count differs, which
    nothing here repairs: keys would change their partition, and a topic cannot shrink.
    """

    topic: str
    kind: Literal["missing", "config", "partitions"]
    expected: str
    found: str
    setting: str = ""

    @property
    def is_conflict(self) -> bool:
        """Whether `apply` cannot put this right."""
        return self.kind == "partitions"

    def __str__(self) -> str:
        if self.kind == "missing":
            return f"{self.topic}: missing, to be created with {self.expected}"
        if self.kind == "partitions":
            return (
                f"{self.topic}: expected {self.expected} partitions, found {self.found}; that is never changed: set the topology's count to "
                "what is there, or use topics of another name"
            )
        return f"{self.topic}: {self.setting} is {self.found}, expected {self.expected}"


def application_topics(app: str, stages: Iterable[str], partitions: int, generation: int = 1) -> list[TopicSpec]:
    """The topics that belong to the application itself: messages, changelogs, the clock, and what its workers agree on."""
    base = generation_base(app, generation)
    stages = list(stages)
    changelog = COMPACTED_IN_TIME | {"min.cleanable.dirty.ratio": "0.3", "segment.bytes": str(64 << 20)} | LARGE_RECORDS
    messages = {"cleanup.policy": "delete", "retention.ms": str(7 * _DAY_MS), "segment.bytes": str(64 << 20)} | LARGE_RECORDS
    return [
        *(TopicSpec(internal_topic(base, stage), partitions, messages) for stage in stages),
        *(TopicSpec(changelog_topic(base, stage), partitions, changelog) for stage in stages),
        TopicSpec(clock_topic(base), 1, {**changelog, "segment.ms": str(_DAY_MS // 24), STAMP: "LogAppendTime"}),
        TopicSpec(agreement_topic(app), 1, changelog),
    ]


async def plan(bootstrap: str, specs: Sequence[TopicSpec]) -> list[Difference]:
    """What differs between the topics as they should be and as they are. Changes nothing.

    Raises:
        Retriable: The brokers cannot be reached.
    """
    async with _admin(bootstrap) as admin:
        return await _differences(admin, specs)


async def apply(bootstrap: str, specs: Sequence[TopicSpec], replication: int | None = None) -> list[Difference]:
    """Create what is missing and set what differs; nothing is deleted, nothing shrinks. Returns what was changed.

    New topics are kept `replication` times: on three brokers, or on as many as there are, when it is not given.

    Raises:
        UsageError: A partition count differs: then nothing is changed at all.
        Retriable: The brokers cannot be reached, or refuse.
    """
    by_name = {spec.name: spec for spec in specs}
    async with _admin(bootstrap) as admin:
        differences = await _differences(admin, specs)
        conflicts = [difference for difference in differences if difference.is_conflict]
        if conflicts:
            raise UsageError("\n".join(map(str, conflicts)))
        missing = [by_name[difference.topic] for difference in differences if difference.kind == "missing"]
        if missing:
            await _create(admin, missing, replication)
        await _set(admin, {difference.topic: by_name[difference.topic] for difference in differences if difference.kind == "config"})
        await _settled(admin, specs)
    return differences


async def partition_counts(bootstrap: str, topics: Iterable[str]) -> dict[str, int]:
    """How many partitions each of these topics has; those that do not exist are left out."""
    async with _admin(bootstrap) as admin:
        return await _counts(admin, list(topics))


async def topic_settings(bootstrap: str, topics: Iterable[str]) -> dict[str, dict[str, str]]:
    """The settings of those topics that are there, as the broker tells them.

    Raises:
        Retriable: The brokers cannot be reached, or refuse.
    """
    there = sorted(await partition_counts(bootstrap, topics))
    async with _admin(bootstrap) as admin:
        found = await _configs(admin, there) if there else {}
    return {topic: {name: value for name, (value, _) in settings.items()} for topic, settings in found.items()}


async def stamped_by_producers(bootstrap: str, topics: Iterable[str]) -> list[str]:
    """Those of these topics whose records carry the time of their producers, not of the brokers.

    Raises:
        Retriable: The brokers cannot be reached, or do not let us look.
    """
    async with _admin(bootstrap) as admin:
        configs = await _configs(admin, list(topics))
    return sorted(topic for topic, config in configs.items() if config.get(STAMP, ("", 0))[0] == "CreateTime")


async def group_offsets(bootstrap: str, group: str) -> dict[TopicPartition, int]:
    """The committed offsets of a group, where it has some.

    Raises:
        Retriable: The brokers cannot be reached.
    """
    async with _admin(bootstrap) as admin:
        offsets = await _patiently(lambda: admin.list_consumer_group_offsets(group))
    return {tp: committed.offset for tp, committed in offsets.items() if committed.offset >= 0}


async def group_owners(bootstrap: str, group: str) -> set[str]:
    """The transactional ids under which the group's offsets were committed.

    Raises:
        Retriable: The brokers cannot be reached.
    """
    async with _admin(bootstrap) as admin:
        offsets = await _patiently(lambda: admin.list_consumer_group_offsets(group))
    return {committed.metadata for committed in offsets.values() if committed.metadata}


async def group_members(bootstrap: str, group: str) -> list[str]:
    """The client ids of a group's members: those that live, and those that died within the session timeout.

    Raises:
        Retriable: The brokers cannot be reached.
    """
    async with _admin(bootstrap) as admin:
        responses = await _patiently(lambda: admin.describe_consumer_groups([group]))
    described = [found for response in responses for found in response.to_object()["groups"]]
    return sorted(member["client_id"] for found in described for member in found["members"])


async def _patiently(ask: Callable[[], Awaitable[Any]]) -> Any:
    """Ask again while the coordinator is being found or moved: on a new broker that takes a second."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return await ask()
        except KafkaError as error:
            if not error.retriable or time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.1)


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[Any]:
    admin = AIOKafkaAdminClient(**connection(bootstrap), client_id="touchstone-admin", request_timeout_ms=30_000)
    async with reaching(bootstrap):
        try:
            await start(admin.start(), bootstrap)
            yield admin
        finally:
            await admin.close()


async def _settled(admin: Any, specs: Sequence[TopicSpec]) -> None:
    """Wait until the brokers say what was applied: a topic that was just created is not yet known to all of them."""
    deadline = time.monotonic() + _PATIENCE_S
    while left := await _differences(admin, specs):
        if time.monotonic() > deadline:
            raise Retriable("applied, but the brokers do not say so yet:\n" + "\n".join(map(str, left)))
        await asyncio.sleep(0.05)


async def _counts(admin: Any, topics: list[str]) -> dict[str, int]:
    described = await admin.describe_topics(topics) if topics else []
    return {topic["topic"]: len(topic["partitions"]) for topic in described if not topic["error_code"]}


async def _differences(admin: Any, specs: Sequence[TopicSpec]) -> list[Difference]:
    counts = await _counts(admin, [spec.name for spec in specs])
    configs = await _configs(admin, [spec.name for spec in specs if spec.name in counts])
    differences = []
    for spec in specs:
        if spec.name not in counts:
            settings = ", ".join(f"{key}={value}" for key, value in spec.config.items())
            differences.append(Difference(spec.name, "missing", f"{spec.partitions} partitions{', ' if settings else ''}{settings}", ""))
            continue
        if counts[spec.name] != spec.partitions and not spec.keeps_count:
            differences.append(Difference(spec.name, "partitions", str(spec.partitions), str(counts[spec.name])))
        for key, value in spec.config.items():
            found = configs[spec.name].get(key, ("", 0))[0]
            if found != value:
                differences.append(Difference(spec.name, "config", value, found, key))
    return differences


async def _configs(admin: Any, topics: list[str]) -> dict[str, dict[str, tuple[str, int]]]:
    """Per topic: setting -> (value, where it comes from)."""
    if not topics:
        return {}
    responses = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics])
    return {
        resource[3]: {entry[0]: (entry[1] or "", entry[3]) for entry in resource[4]}
        for response in responses
        for resource in response.resources
    }


async def _create(admin: Any, specs: list[TopicSpec], replication: int | None) -> None:
    copies = replication or min(3, len((await admin.describe_cluster())["brokers"]))
    topics = [NewTopic(spec.name, spec.partitions, copies, topic_configs=dict(spec.config)) for spec in specs]
    response = await admin.create_topics(topics)
    for name, code, *rest in response.topic_errors:
        if code and for_code(code) is not TopicAlreadyExistsError:
            raise Retriable(f"expected to create topic {name}, the broker answered {for_code(code).__name__} {rest[0] if rest else ''}")


async def _set(admin: Any, specs: Mapping[str, TopicSpec]) -> None:
    """Kafka replaces all settings of a topic at once here, so those made by others are said again."""
    if not specs:
        return
    present = await _configs(admin, list(specs))
    resources = []
    for name, spec in specs.items():
        kept = {key: value for key, (value, source) in present[name].items() if source == _DYNAMIC_TOPIC_CONFIG}
        resources.append(ConfigResource(ConfigResourceType.TOPIC, name, {**kept, **spec.config}))
    for response in await admin.alter_configs(resources):
        for code, message, _, name in response.resources:
            if code:
                raise Retriable(f"expected to set {name}, the broker answered {for_code(code).__name__} {message or ''}")

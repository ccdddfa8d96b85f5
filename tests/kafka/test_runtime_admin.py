"""Topics are planned and applied without ever losing anything."""

import asyncio

import pytest

from touchstone.errors import Retriable, UsageError
from touchstone.runtime.admin import TopicSpec, application_topics, apply, partition_counts, plan


def test_what_is_missing_is_created_and_then_nothing_differs(kafka: str, topic_prefix: str) -> None:
    """Applying a plan leaves nothing to plan; applying it again changes nothing."""
    specs = application_topics(f"{topic_prefix}app", ["identity", "journey"], 3)
    names = [spec.name for spec in specs]

    planned = asyncio.run(plan(kafka, specs))
    applied = asyncio.run(apply(kafka, specs))

    assert [(difference.topic, difference.kind) for difference in planned] == [(name, "missing") for name in names]
    assert applied == planned
    assert asyncio.run(apply(kafka, specs)) == []
    assert asyncio.run(partition_counts(kafka, names)) == {spec.name: spec.partitions for spec in specs}


def test_a_setting_that_differs_is_set_and_those_of_others_are_kept(kafka: str, topic_prefix: str) -> None:
    """Kafka replaces all settings of a topic at once; what somebody else has set survives."""
    name = f"{topic_prefix}t"
    asyncio.run(apply(kafka, [TopicSpec(name, 1, {"retention.ms": "1000", "max.message.bytes": "2000000"})]))

    changed = asyncio.run(apply(kafka, [TopicSpec(name, 1, {"retention.ms": "5000"})]))

    assert [str(difference) for difference in changed] == [f"{name}: retention.ms is 1000, expected 5000"]
    assert asyncio.run(plan(kafka, [TopicSpec(name, 1, {"retention.ms": "5000", "max.message.bytes": "2000000"})])) == []


def test_another_partition_count_is_a_conflict_and_nothing_at_all_is_changed(kafka: str, topic_prefix: str) -> None:
    """A count is never repaired: keys would move. The rest of the plan waits until a person has decided."""
    name = f"{topic_prefix}t"
    asyncio.run(apply(kafka, [TopicSpec(name, 2)]))
    specs = [TopicSpec(f"{topic_prefix}new", 1), TopicSpec(name, 4)]

    with pytest.raises(UsageError, match="expected 4 partitions, found 2"):
        asyncio.run(apply(kafka, specs))

    assert asyncio.run(partition_counts(kafka, [spec.name for spec in specs])) == {name: 2}


def test_a_broker_that_is_not_there_is_said_with_its_address() -> None:
    """The message names the address and asks the two questions that help."""
    with pytest.raises(Retriable, match=r"127\.0\.0\.1:1, found .* is it running, is the address right"):
        asyncio.run(plan("127.0.0.1:1", []))

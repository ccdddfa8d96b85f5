"""What a reader of aiokafka knows of topics: told beforehand, or asked for again before it is believed."""

from collections.abc import Iterable
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError


async def know(reader: Any, partitions: Iterable[TopicPartition]) -> None:
    """Fetch the metadata of these partitions' topics, before offsets are asked for without an assignment.

    aiokafka finds one unknown topic at a time, and waits 100 ms for each: 1.8 s for eighteen topics, in every new reader.
    """
    await reader._client.set_topics({tp.topic for tp in partitions})


async def unknown_topics(topics: Iterable[str], client: Any) -> list[str]:
    """Those that the brokers do not know. Where they cannot be asked, none.

    What the client knows is not enough to say so: a member that has just joined is told its partitions by the leader of the group, and may
    be here before the brokers have told it of any topic.
    """
    missing = [topic for topic in topics if not client.cluster.partitions_for_topic(topic)]
    if not missing:
        return []
    try:
        known = await client.fetch_all_metadata()
    except KafkaError:
        return []
    return sorted(topic for topic in missing if not known.partitions_for_topic(topic))

"""What is believed about topics that a client does not know; on a real broker: tests/kafka/test_runtime_topics.py."""

import asyncio
from dataclasses import dataclass, field

from aiokafka.errors import KafkaConnectionError

from touchstone.runtime.metadata import unknown_topics


@dataclass
class Cluster:
    """Topics that somebody knows."""

    topics: frozenset[str]

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        """One partition each."""
        return {0} if topic in self.topics else None


@dataclass
class Client:
    """A client of aiokafka that has not been told of everything yet: no broker can be made to answer at such a moment."""

    told: frozenset[str]
    brokers: frozenset[str] | None
    cluster: Cluster = field(init=False)

    def __post_init__(self) -> None:
        """What it knows by itself."""
        self.cluster = Cluster(self.told)

    async def fetch_all_metadata(self) -> Cluster:
        """What the brokers say, if they can be asked."""
        if self.brokers is None:
            raise KafkaConnectionError
        return Cluster(self.brokers)


def test_a_member_that_was_told_of_no_topic_yet_asks_before_it_calls_them_gone() -> None:
    """Found by a walk of faults: a worker that came back under load said that all its topics were deleted."""
    fresh = Client(told=frozenset(), brokers=frozenset({"web", "app"}))

    assert asyncio.run(unknown_topics(["web", "app"], fresh)) == []


def test_what_the_brokers_do_not_know_either_is_gone() -> None:
    """Only that; what the client knows is not asked for."""
    fresh = Client(told=frozenset({"web"}), brokers=frozenset({"store"}))

    assert asyncio.run(unknown_topics(["web", "store", "app"], fresh)) == ["app"]


def test_where_brokers_cannot_be_asked_nothing_is_gone() -> None:
    """A worker waits for its brokers; it does not end because they are away."""
    alone = Client(told=frozenset(), brokers=None)

    assert asyncio.run(unknown_topics(["web"], alone)) == []

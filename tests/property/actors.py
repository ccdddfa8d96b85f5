"""The real stages as actors on partitions, with queues as in Kafka: for the laws of convergence.

The shape is that of the executable specification (DESIGN.md, convergence_model_full.py); every rule in it is the product's own code.
"""

import itertools
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from touchstone.identity.agent import Identity
from touchstone.identity.ordering import Ordering
from touchstone.journey.agent import JourneyPartition
from touchstone.journey.component import Component
from touchstone.journey.policy import Journeys
from touchstone.journey.speaker import Speaker
from touchstone.model import message as m
from touchstone.model.component import IDENTITY_ROWS, JOURNEY_ROWS
from touchstone.model.output import Customer, IdentityChange, Moment
from touchstone.model.touchpoint import Touchpoint
from touchstone.state.memory import DictBackend
from touchstone.state.rows import RowStore
from touchstone.testing.oracle import Fact, Likeness, Word
from touchstone.topology.compile import Topology

JOURNEY_MESSAGES = (m.AddTouchpoint, m.AddSeen, m.AddEdge, m.AddApart, m.AddGeneric, m.Absorb, m.Piece)


@dataclass(frozen=True)
class Faults:
    """How unkind the world is. replay: a transaction's input is handled again, its effects kept. crash: rolled back and done again."""

    replay: float = 0
    crash: float = 0
    overtaking: bool = False


@dataclass
class Partition:
    """One partition of both stages, with its stores."""

    identity_store: RowStore
    journey_store: RowStore
    identity: Identity = field(init=False)
    journey: JourneyPartition = field(init=False)


class System:
    """P partitions. Each (sender, partition) is a queue; with `overtaking` not even a queue is in order."""

    def __init__(self, partitions: int, random: Random, faults: Faults, topology: Topology, ordering: Ordering) -> None:
        self.random, self.faults, self.topology, self.ordering = random, faults, topology, ordering
        self.journeys = Journeys(topology, ordering)
        self.queues: dict[tuple[str, int], deque[Any]] = defaultdict(deque)
        self.outputs: list[Moment | Customer | IdentityChange] = []
        self.wall = itertools.count(1)
        self.clocks = [0] * partitions
        self.partitions = [self._partition() for _ in range(partitions)]

    def _partition(self) -> Partition:
        partition = Partition(RowStore(DictBackend(), IDENTITY_ROWS, hot_rows=5), RowStore(DictBackend(), JOURNEY_ROWS, hot_rows=5))
        self._restart(partition)
        return partition

    def _restart(self, partition: Partition) -> None:
        partition.identity = Identity(partition.identity_store, self.topology.kinds, self.ordering)
        partition.journey = JourneyPartition(partition.journey_store, self.journeys)

    # -- facts ---------------------------------------------------------------------------------------------------------------
    def ingest(self, facts: Iterable[Fact]) -> None:
        """Put facts on the way, as intake would."""
        for fact in facts:
            source = f"source {self.random.randrange(3)}"
            for message in messages_of(fact, self.topology.lateness_ms, self.ordering):
                self.send(source, message)

    def tick(self, partition: int, now: int) -> None:
        """The clock of one partition moves."""
        self.queues["clock", partition].append(now)

    def send(self, sender: str, message: Any) -> None:
        """On the way to the partition of its key."""
        self.queues[sender, self.ordering.partition(message.to, len(self.partitions))].append(message)

    # -- transactions ----------------------------------------------------------------------------------------------------------
    def run(self) -> None:
        """Until all is quiet."""
        for _ in range(50_000):
            ready = [name for name, waiting in self.queues.items() if waiting]
            if not ready:
                return
            name = self.random.choice(ready)
            self._transaction(name)
        raise AssertionError("messages never end")

    def _transaction(self, name: tuple[str, int]) -> None:
        queue, number = self.queues[name], name[1]
        start = self.random.randrange(len(queue)) if self.faults.overtaking else 0
        taken = list(itertools.islice(queue, start, start + self.random.randrange(1, 5)))
        luck = self.random.random()
        if luck < self.faults.crash:
            self._attempt(number, taken, is_kept=False)
        elif luck < self.faults.crash + self.faults.replay:
            self._attempt(number, taken, is_kept=True)
        self._attempt(number, taken, is_kept=True)
        for _ in taken:
            del queue[start]

    def _attempt(self, number: int, taken: list[Any], *, is_kept: bool) -> None:
        partition = self.partitions[number]
        sent: list[Any] = []
        said: list[Moment | Customer | IdentityChange] = []
        skew = 40 * (number % 3)  # the workers' clocks do not agree
        speaker = Speaker(self.journeys, said.append, next(self.wall) + skew)
        partition.journey.advance(self.clocks[number], speaker)  # a restarted worker is told the time first
        clock = self.clocks[number]
        for message in taken:
            if isinstance(message, int):
                clock = max(clock, message)
                partition.journey.advance(clock, speaker)
            elif isinstance(message, JOURNEY_MESSAGES):
                partition.journey.handle(message, sent.append, speaker)
            else:
                partition.identity.handle(message, sent.append)
        while partition.journey.settle(sent.append, speaker):
            pass
        partition.journey.conclude(speaker)
        stores = partition.identity_store, partition.journey_store
        if not is_kept:
            for store in stores:
                store.rollback()
            self._restart(partition)
            return
        for store in stores:
            store.pending()
            store.commit(store.offset + 1)
        if self.random.random() < 0.1:
            self._restart(partition)
        self.clocks[number] = clock
        self.outputs += said
        for message in sent:
            self.send(f"partition {number}", message)

    # -- what the outside sees ---------------------------------------------------------------------------------------------------
    def people(self) -> set[frozenset[str]]:
        """The members of all people in components that live."""
        found = set()
        for partition in self.partitions:
            for root in partition.journey_store.groups():
                component = Component(partition.journey_store, root)
                if component.header().redirect is None:
                    found |= {frozenset(person.members) for _, person in component.rows("p")}
        return found


def messages_of(fact: Fact, lateness_ms: int, ordering: Ordering) -> list[Any]:
    """What intake says of a fact."""
    if isinstance(fact, Touchpoint):
        ids = fact.identifiers
        since = max(fact.occurred_at, fact.received_at - lateness_ms)
        return [
            *(m.Seen(x, since) for x in ids),
            m.Arrive(ids[0], 0, fact),
            *(m.Claim(weak, strong, fact.occurred_at, fact.occurred_at) for n, weak in enumerate(ids) for strong in ids[:n]),
        ]
    strong, weak = sorted(fact.pair, key=ordering.strength)
    if isinstance(fact, Likeness):
        return [m.Seen(strong, fact.at), m.Seen(weak, fact.at), m.Match(weak, strong, fact.at)]
    assert isinstance(fact, Word)
    return [m.Part(x, y, fact.at, fact.apart) for x, y in ((strong, weak), (weak, strong))]


def believed(moments: Iterable[Moment], consumers: int, random: Random, *, shuffle: bool) -> dict[str, list[Moment]]:
    """What a consumer group believes whose members see one partition each and keep the highest revision of each id."""
    memories: list[dict[str, Moment]] = [{} for _ in range(consumers)]
    log = list(moments)
    if shuffle:
        random.shuffle(log)
    for moment in log:
        mine = memories[int(moment.customer_id[:8], 16) % consumers]
        if moment.moment_id not in mine or moment.revision > mine[moment.moment_id].revision:
            mine[moment.moment_id] = moment
    together = defaultdict(list)
    for mine in memories:
        for moment in mine.values():
            if moment.action == "assert":
                together[moment.moment_id].append(moment)
    return together

"""The real stages as actors on partitions, with queues as in Kafka: for the laws of convergence.

The shape is that of the executable specification (DESIGN.md, convergence_model_full.py); every rule in it is the product's own code.
"""

import itertools
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, get_args
from unittest.mock import patch

import msgspec

from touchstone.identity.agent import Identity
from touchstone.identity.ordering import Ordering
from touchstone.intake.describe import Describer
from touchstone.journey import component as component_module
from touchstone.journey.agent import JourneyPartition
from touchstone.journey.component import Component
from touchstone.journey.policy import Journeys
from touchstone.journey.recall import Book
from touchstone.journey.speaker import Speaker
from touchstone.matching.agent import Matcher, MatchPartition
from touchstone.matching.judge import Judge
from touchstone.model import message as m
from touchstone.model.component import IDENTITY_ROWS, JOURNEY_ROWS, MATCH_ROWS, NEVER, Person
from touchstone.model.erasure import Forgotten, ForgottenTable
from touchstone.model.identifier import value_of
from touchstone.model.output import Carried, Customer, IdentityChange, Moment, Review
from touchstone.model.touchpoint import Touchpoint
from touchstone.state.keys import group_of
from touchstone.state.memory import DictBackend
from touchstone.state.rows import RowStore
from touchstone.testing.oracle import Erasure, Fact, Withdrawal
from touchstone.topology.compile import Topology

JOURNEY_MESSAGES = get_args(m.JourneyMessage)
Output = Moment | Customer | IdentityChange | Review

_encode = msgspec.msgpack.Encoder().encode
_decode_identity = msgspec.msgpack.Decoder(m.IdentityMessage).decode
_decode_journey = msgspec.msgpack.Decoder(m.JourneyMessage).decode
_decode_match = msgspec.msgpack.Decoder(m.MatchMessage).decode


@dataclass(frozen=True)
class World:
    """How unkind the world is.

    replay: a transaction's input is handled again, its effects kept. crash: a transaction is rolled back and done again. overtaking: not
    even one queue is in order. local: which messages are handed over inside the transaction: none, those to the partition itself, or
    those to any of the partitions that the worker happens to own. restart: how often a partition forgets what is not in its rows; it may
    then have to wait for the time to be told again. transaction: the most messages in one.

    loses_state: on the way all state and all changelogs are lost; everything is sent again, and what was said is read back from the outputs.
    moves_to: on the way everything is moved to so many partitions (0: it is not). recall_held: what is read back is heard when the time has
    come that was lost, or at once; `recall_first`: it is on its way before the facts, or comes after them.
    """

    partitions: int = 1
    replay: float = 0
    crash: float = 0
    is_overtaking: bool = False
    local: str = "none"
    piece_bytes: int = component_module.PIECE_BYTES
    hot_rows: int = 5
    restart: float = 0.1
    is_told_after_restart: bool = True
    transaction: int = 4
    loses_state: bool = False
    moves_to: int = 0
    recall_held: bool = True
    recall_first: bool = True


@dataclass
class Partition:
    """One partition of all stages, with its stores."""

    identity_store: RowStore
    match_store: RowStore
    journey_store: RowStore
    forgotten: ForgottenTable = field(init=False, default_factory=ForgottenTable)
    identity: Identity = field(init=False)
    match: MatchPartition | None = field(init=False)
    matcher: Matcher | None = field(init=False)
    journey: JourneyPartition = field(init=False)

    @property
    def stores(self) -> tuple[RowStore, RowStore, RowStore]:
        """All of it."""
        return self.identity_store, self.match_store, self.journey_store


class System:
    """P partitions. Each (sender, partition) is a queue; with overtaking not even a queue is in order."""

    def __init__(self, world: World, random: Random, topology: Topology, ordering: Ordering) -> None:
        self.world, self.random, self.topology, self.ordering = world, random, topology, ordering
        self.journeys = Journeys(topology, ordering)
        self.queues: dict[tuple[str, int], deque[Any]] = defaultdict(deque)
        self.outputs: list[Output] = []
        self.carried: list[Carried] = []
        self.decided: list[Forgotten] = []
        self.wall = itertools.count(1)
        self.clocks: list[int | None] = [None] * world.partitions
        self.partitions = [self._partition() for _ in range(world.partitions)]

    def _partition(self) -> Partition:
        rows = IDENTITY_ROWS, MATCH_ROWS, JOURNEY_ROWS
        partition = Partition(*(RowStore(DictBackend(), types, hot_rows=self.world.hot_rows) for types in rows))
        self._restart(partition)
        return partition

    def _restart(self, partition: Partition) -> None:
        partition.identity = Identity(partition.identity_store, self.topology.kinds, self.ordering)
        for fact in self.decided:  # the privacy log is read whole before anything else
            partition.forgotten.learn(fact)
        partition.journey = JourneyPartition(partition.journey_store, self.journeys, partition.forgotten)
        alike, matching = self.journeys.alike, self.topology.matching
        partition.matcher = None if alike is None or matching is None else _matcher(self.topology, alike, self.ordering)
        partition.match = None if partition.matcher is None else MatchPartition(partition.match_store, partition.matcher)

    # -- facts ---------------------------------------------------------------------------------------------------------------
    def ingest(self, facts: Iterable[Fact]) -> None:
        """Put facts on the way, as intake would."""
        for fact in facts:
            source = f"source {self.random.randrange(3)}"
            forgotten = {one.identifier for one in self.decided}
            for message in messages_of(fact, self.topology, self.ordering):
                if isinstance(message, m.Seen) and message.to in forgotten and isinstance(fact, Touchpoint):
                    message = m.Seen(message.to, message.since, message.value, fact.occurred_at)  # noqa: PLW2901 - as intake's does
                self._send(source, message)

    def tick(self, partition: int, now: int) -> None:
        """The clock of one partition moves."""
        self.queues["clock", partition].append(now)

    def recall(self, recalls: Iterable[m.Recall]) -> None:
        """Put what was read back from the outputs on its way."""
        for message in recalls:
            self._send("recall", message)

    def home(self, message: Any) -> int:
        """The partition of a message."""
        return self.ordering.partition(message.to, len(self.partitions))

    def _send(self, sender: str, message: Any) -> None:
        decode = _decode_identity
        if isinstance(message, m.Compare | m.Withdraw):
            decode = _decode_match
        elif isinstance(message, JOURNEY_MESSAGES):
            decode = _decode_journey
        self.queues[sender, self.home(message)].append(decode(_encode(message)))

    # -- what an operator does -----------------------------------------------------------------------------------------------
    def moved_to(self, count: int) -> "System":
        """The same application on so many partitions: rows, timers and messages on their way are addressed anew."""
        moved = self._on(count)
        for partition in self.partitions:
            for stage in ("identity_store", "match_store", "journey_store"):
                for key, value in _everything(getattr(partition, stage)):
                    group = group_of(key)
                    if group is None:
                        continue  # a named value belongs to the store as a whole; what counts rows is counted anew
                    target: RowStore = getattr(moved.partitions[self.ordering.partition(group, count)], stage)
                    target.load([(key, value)], target.offset + 1)
        for (sender, _), queue in self.queues.items():
            for message in queue:
                if not isinstance(message, int | Forgotten):
                    moved._send(sender, message)
        times = [time for time in self.clocks if time is not None]
        moved.clocks = [min(times) if len(times) == len(self.clocks) else None] * count
        return moved

    def rebuilt(self, count: int, facts: Iterable[Fact]) -> tuple["System", list[m.Recall]]:
        """An application that has lost everything but what it has said; and that, as messages to it. `facts`: what had arrived."""
        forgotten = ForgottenTable()
        for fact in self.decided:
            forgotten.learn(fact)
        book = Book(self.ordering, forgotten)
        for record in self.outputs:
            if isinstance(record, Moment | Customer | Review):
                book.add(record)
        book.customers = {name: record for name, record in book.customers.items() if record.status != "erased"}  # a tombstone, compacted
        for carried in self.carried:
            book.add(carried)
        times = [time for time in self.clocks if time is not None]
        not_before = max(times, default=NEVER) if self.world.recall_held else NEVER
        if book.find_origins():
            book.trace(x for fact in facts for x in _named(fact))
        recalls = list(book.recalls(not_before))
        assert not (book.ids | book.reviews.keys()) - (book.origins.keys() | {recall.customer_id for recall in recalls}), (
            "an id without origin"
        )
        return self._on(count), recalls

    def _on(self, count: int) -> "System":
        system = System(replace(self.world, partitions=count), self.random, self.topology, self.ordering)
        system.outputs, system.carried, system.wall, system.decided = self.outputs, self.carried, self.wall, self.decided
        for partition in system.partitions:
            system._restart(partition)
        return system

    # -- transactions ----------------------------------------------------------------------------------------------------------
    def run(self, transactions: int | None = None) -> None:
        """Until all is quiet, or for so many transactions."""
        with patch.object(component_module, "PIECE_BYTES", self.world.piece_bytes):
            for number in range(20_000):
                if number == transactions:
                    return
                ready = [name for name, waiting in self.queues.items() if waiting]
                if not ready:
                    return
                self._transaction(self.random.choice(ready))
        raise AssertionError("messages never end")

    def _transaction(self, name: tuple[str, int]) -> None:
        queue, number = self.queues[name], name[1]
        start = self.random.randrange(len(queue)) if self.world.is_overtaking else 0
        taken = list(itertools.islice(queue, start, start + self.random.randrange(1, self.world.transaction + 1)))
        luck = self.random.random()
        if luck < self.world.crash:
            self._attempt(number, taken, is_kept=False)
        elif luck < self.world.crash + self.world.replay:
            self._attempt(number, taken, is_kept=True)
        self._attempt(number, taken, is_kept=True)
        for _ in taken:
            del queue[start]

    def _attempt(self, number: int, taken: list[Any], *, is_kept: bool) -> None:
        attempt = _Attempt(self, number, self._owned(number))
        attempt.run(taken)
        stores = [store for n in attempt.owned for store in self.partitions[n].stores]
        if not is_kept:
            for store in stores:
                store.rollback()
            for n in attempt.owned:
                self._restart(self.partitions[n])
            return
        for store in stores:
            store.seal()
            store.commit(store.offset + 1)
        for n in attempt.owned:
            if self.random.random() < self.world.restart:
                self._restart(self.partitions[n])
        self.clocks[number] = attempt.clock
        self.outputs += attempt.said
        self.carried += attempt.carried
        for fact in attempt.decided:
            self.decided.append(fact)
            for n in range(len(self.partitions)):
                self.queues["privacy", n].append(fact)
        for message in attempt.sent:
            self._send(f"partition {number}", message)

    def _owned(self, number: int) -> list[int]:
        """The partitions of the worker that owns this one; any others may be with it."""
        if self.world.local == "none":
            return [number]
        others = [n for n in range(len(self.partitions)) if n != number and self.world.local == "some" and self.random.random() < 0.5]
        return [number, *others]

    # -- what the outside sees ---------------------------------------------------------------------------------------------------
    def components(self) -> list[Component]:
        """All components that live."""
        found = []
        for partition in self.partitions:
            for root in partition.journey_store.groups():
                component = Component(partition.journey_store, root)
                if component.header().redirect is None:
                    found.append(component)
        return found

    def persons(self) -> dict[str, Person]:
        """All people, by customer id."""
        return {name[1:]: person for component in self.components() for name, person in component.rows("p")}


class _CountingSpeaker(Speaker):
    """Counts the customer records that it gives, by component and id."""

    def __init__(
        self,
        journeys: Journeys,
        emit: Callable[[Output], None],
        wall_ms: int,
        carry: Callable[[Carried], None],
        forget: Callable[[Forgotten], None],
    ) -> None:
        def count(record: Output) -> None:
            emit(record)
            if isinstance(record, Customer):
                self.records[self._root, record.customer_id] += 1

        super().__init__(journeys, count, wall_ms, carry, forget=forget)
        self.records: Counter[tuple[str, str]] = Counter()
        self._root = ""

    def say_customer(self, component: Component, customer_id: str, person: Person | None, tenant: str) -> None:
        """As the speaker does."""
        self._root = component.root
        super().say_customer(component, customer_id, person, tenant)


class _Attempt:
    """One transaction of one worker: takes messages in, hands over what is local, settles, concludes."""

    def __init__(self, system: System, number: int, owned: list[int]) -> None:
        self.system, self.number, self.owned = system, number, owned
        self.sent: list[Any] = []
        self.said: list[Output] = []
        self.carried: list[Carried] = []
        self.decided: list[Forgotten] = []
        self.waiting: deque[Any] = deque()
        self.clock = system.clocks[number]
        skew = 40 * (number % 3)  # the workers' clocks do not agree
        self.speaker = _CountingSpeaker(
            system.journeys, self.said.append, next(system.wall) + skew, self.carried.append, self.decided.append
        )

    def run(self, taken: list[Any]) -> None:
        """All of it."""
        system = self.system
        if system.world.is_told_after_restart:
            for n in self.owned:
                now = system.clocks[n]
                if now is not None:
                    system.partitions[n].journey.advance(now, self.speaker)
        for message in taken:
            if isinstance(message, int):
                self.clock = message if self.clock is None else max(self.clock, message)
                system.partitions[self.number].journey.advance(self.clock, self.speaker)
            elif isinstance(message, Forgotten):
                partition = system.partitions[self.number]
                if partition.forgotten.learn(message) and message.is_generic:
                    partition.journey.look_for(message.identifier)
            else:
                self._deliver(message)
            self._drain()
        while self._settle():
            self._drain()
        for n in self.owned:
            system.partitions[n].journey.conclude(self.speaker)
        # Two halves of a component that is growing together may both speak of one id; each of them does so once.
        assert all(count == 1 for count in self.speaker.records.values()), "at most one record per customer and transaction"
        changes = Counter(record.change_id for record in self.said if isinstance(record, IdentityChange))
        assert all(count == 1 for count in changes.values()), "each identity change is said once"

    def _settle(self) -> bool:
        partitions = [self.system.partitions[n] for n in self.owned]
        compared = [partition.matcher.compare(self._out) for partition in partitions if partition.matcher is not None]
        return any(compared) or any([partition.journey.settle(self._out, self.speaker) for partition in partitions])  # noqa: C419 - every one, not any

    def _deliver(self, message: Any) -> None:
        partition = self.system.partitions[self.system.home(message)]
        if isinstance(message, m.Compare | m.Withdraw):
            assert partition.match is not None, "nobody compares where nothing is matched"
            partition.match.handle(message, self._out)
        elif isinstance(message, JOURNEY_MESSAGES):
            partition.journey.handle(message, self._out, self.speaker)
        else:
            partition.identity.handle(message, self._out)

    def _drain(self) -> None:
        for _ in range(200_000):
            if not self.waiting:
                return
            self._deliver(self.waiting.popleft())
        raise AssertionError("messages inside a transaction never end")

    def _out(self, message: Any) -> None:
        is_local = self.system.world.local != "none" and self.system.home(message) in self.owned
        (self.waiting if is_local else self.sent).append(message)


def _matcher(topology: Topology, judge: Judge, ordering: Ordering) -> Matcher:
    assert topology.matching is not None
    unique = {name for name, kind in topology.kinds.items() if kind.unique}
    return Matcher(judge, topology.matching.limit, ordering.strength, unique=unique)


def _everything(store: RowStore) -> list[tuple[bytes, bytes | None]]:
    """What a changelog would hold of a store."""
    backend = store._backend
    return list(backend.scan(b"\x01", b"\xff"))


def messages_of(fact: Fact, topology: Topology, ordering: Ordering) -> list[Any]:
    """What intake says of a fact."""
    if isinstance(fact, Touchpoint):
        ids = fact.identifiers
        since = max(fact.occurred_at, fact.received_at - topology.lateness_ms)
        described = None if topology.matching is None else Describer(topology.matching, ordering.digest).describe(fact)
        return [
            *([] if described is None else [described]),
            *(m.Seen(x, since, value_of(x)) for x in ids),
            m.Arrive(ids[0], 0, fact),
            *(m.Claim(weak, strong, fact.occurred_at, fact.occurred_at) for n, weak in enumerate(ids) for strong in ids[:n]),
        ]
    if isinstance(fact, Erasure):
        return [m.Erase(fact.identifier, fact.at, fact.command)]
    if isinstance(fact, Withdrawal):
        return [m.Undo(f"{fact.tenant}/command:{fact.undoes}", fact.command)]
    pairs = sorted(tuple(sorted(pair)) for pair in fact.pairs)
    return [m.Order(f"{fact.tenant}/command:{fact.command}", fact.action, fact.at, fact.content, tuple((x, y) for x, y in pairs))]


def _named(fact: Fact) -> Iterable[str]:
    if isinstance(fact, Touchpoint):
        return fact.identifiers
    return (fact.identifier,) if isinstance(fact, Erasure) else ()


def believed(moments: Iterable[Moment], consumers: int, random: Random) -> dict[str, list[Moment]]:
    """What a consumer group believes whose members see one partition each, in any order, and keep the highest revision of each id."""
    memories: list[dict[str, Moment]] = [{} for _ in range(consumers)]
    log = list(moments)
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

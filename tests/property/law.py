"""The law of convergence: run a history through the real stages, and compare all that was said and kept with the perfect observer."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import msgspec

from tests.property.actors import System, believed
from tests.property.histories import HOUR, ORDERING, History, time_of
from touchstone.journey.census import census
from touchstone.journey.component import Component
from touchstone.journey.policy import customer_id_of
from touchstone.journey.reviews import ACCEPTED, OPEN, REJECTED
from touchstone.journey.speaker import Speaker
from touchstone.model.component import NEVER, SaidCustomer
from touchstone.model.erasure import ForgottenTable
from touchstone.model.identifier import identifier_key, tenant_of
from touchstone.model.output import Customer, IdentityChange, Moment, MomentContent, Review
from touchstone.testing.oracle import Erasure, Fact, Truth, epochs_of, reached_by, tell

CONSUMERS = 4


def live(history: History) -> System:
    """Run the facts in some order of arrival through some interleaving until all is quiet at the end."""
    random = Random(history.seed)
    world = history.world
    system = System(world, random, history.topology, ORDERING)
    if world.loses_state:
        arrived = _some(history.facts, random)
        _arrive(replace(history, facts=arrived), system, random)
        system.run(random.choice([None, 0, 5, 50]))
        system, recalls = system.rebuilt(world.moves_to or world.partitions, arrived)
        system.recall(recalls if world.recall_first else [])
        _arrive(history, system, random)
        system.recall([] if world.recall_first else recalls)
    elif world.moves_to:
        arrived = _some(history.facts, random)
        _arrive(replace(history, facts=arrived), system, random)
        system.run(random.choice([None, 0, 5, 50]))
        system = system.moved_to(world.moves_to)
        _arrive(replace(history, facts=tuple(fact for fact in history.facts if fact not in arrived)), system, random)
    else:
        _arrive(history, system, random)
    system.run()
    for partition in range(len(system.partitions)):
        system.tick(partition, history.end)
    system.run()
    return system


def _some(facts: tuple[Fact, ...], random: Random) -> tuple[Fact, ...]:
    """Those that arrive before something happens: the first ones, or any."""
    if random.random() < 0.5:
        return facts[: random.randrange(len(facts) + 1)]
    return tuple(fact for fact in facts if random.random() < 0.5)


def _arrive(history: History, system: System, random: Random) -> None:
    if not history.facts:
        return
    if random.random() < 0.6:
        _arrive_in_any_order(history, system, random)
    else:
        _arrive_as_they_happen(history, system, random)


def _arrive_in_any_order(history: History, system: System, random: Random) -> None:
    """All at once or in two lots; the clock of one partition runs ahead."""
    arrival = list(history.facts)
    random.shuffle(arrival)
    cut = random.randrange(len(arrival) + 1)
    begin = min(map(time_of, arrival))
    for some in (arrival[:cut], arrival[cut:]):
        system.ingest(some)
        for _ in range(random.randrange(3)):
            system.tick(random.randrange(len(system.partitions)), random.randrange(begin, history.end + 1))
        if random.random() < 0.5:
            system.run()


def _arrive_as_they_happen(history: History, system: System, random: Random) -> None:
    """One after the other, now and then two in the wrong order; clocks follow on the hour, so that they meet deadlines exactly."""
    waiting = sorted(history.facts, key=lambda fact: time_of(fact) + random.choice([0, 0, 0, 5]) * HOUR)
    for fact in waiting:
        system.ingest([fact])
        if random.random() < 0.5:
            now = time_of(fact) + random.choice([0, 0, 1, 6]) * HOUR
            system.tick(random.randrange(len(system.partitions)), min(now, history.end))
        if random.random() < 0.8:
            system.run()


def check(history: History, system: System) -> None:
    """The live system agrees with the perfect observer in everything that is promised."""
    forgotten = ForgottenTable()
    for decision in system.decided:
        forgotten.learn(decision)
    decided = {x: fact.until for x, fact in forgotten.items()}
    truth = tell(history.facts, history.topology, ORDERING, history.end, decided)
    moments = [record for record in system.outputs if isinstance(record, Moment)]
    customers = [record for record in system.outputs if isinstance(record, Customer)]
    _check_people(system, truth)
    _check_moments(history, moments, truth.moments)
    for output in history.topology.asking:
        said = [record.moment for record in system.carried if record.output == output.name]
        _check_moments(history, said, truth.carried.get(output.name, {}), f"what {output.name} carries")
        _check_log(history, said, [])
    _check_customers(system, customers, truth, forgotten)
    _check_reviews(history, [record for record in system.outputs if isinstance(record, Review)], truth)
    _check_log(history, moments, customers, [record for record in system.outputs if isinstance(record, Review)])
    _check_state(history, system)
    _check_forgotten(history, system, epochs_of(history.facts, decided))


def _check_people(system: System, truth: Truth) -> None:
    """Who is who; and each fold, which the short way has carried on step by step, is what folding from nothing gives."""
    persons = system.persons()
    assert {name: frozenset(person.members) for name, person in persons.items()} == truth.people, "people"
    assert persons == truth.persons, "folds"


def _check_moments(history: History, moments: list[Moment], truth: dict[str, MomentContent], what: str = "moments") -> None:
    """What a consumer group believes of the time inside the horizon, whatever the order in which its members read."""
    horizon = history.end - history.topology.retention_ms
    beliefs = believed(moments, CONSUMERS, Random(history.seed))
    found = {name: [content_of(moment) for moment in some] for name, some in beliefs.items()}
    found = {name: some for name, some in found.items() if some[0].occurred_at >= horizon}
    assert found == {name: [content] for name, content in truth.items()}, what


def content_of(moment: Moment) -> MomentContent:
    """What of a moment is compared."""
    return MomentContent(*(getattr(moment, name) for name in MomentContent.__struct_fields__))


def _check_forgotten(history: History, system: System, epochs: Mapping[str, int]) -> None:
    """Everybody whom a request reaches is forgotten; what was forgotten is nowhere in state; and every request was decided."""
    erasures = [fact for fact in history.facts if isinstance(fact, Erasure)]
    for fact in erasures:
        if fact.at == max(one.at for one in erasures if one.identifier == fact.identifier):  # of several the last stays open
            reached = reached_by(fact, history.facts, history.topology, ORDERING, history.end)
            assert all(epochs.get(x, fact.at - 1) >= fact.at for x in reached), "somebody was not reached"
            assert any(one.identifier == fact.identifier and one.until >= fact.at for one in system.decided), "a request is open"
    for component in system.components():
        nodes = {name[1:]: node for name, node in component.rows("n")}
        for variant in (held.variant for _, held in component.rows("t") if held.variant is not None):
            touchpoint, named = variant.touchpoint, dict(variant.touchpoint.named)
            gone = {x for x in touchpoint.identifiers if epochs.get(x, NEVER) >= touchpoint.occurred_at}
            assert not gone.intersection(touchpoint.identifiers[: variant.index + 1]), "a forgotten touchpoint is kept"
            assert not gone & named.keys(), "a touchpoint keeps a forgotten value"
        people = {x for _, person in component.rows("p") for x in person.members}
        for x, node in nodes.items():
            assert x not in epochs or node.until == epochs[x], "a node does not know"
            assert x in people or x not in epochs or node.value is None, "a node keeps a forgotten value"


def _check_customers(system: System, customers: list[Customer], truth: Truth, forgotten: ForgottenTable) -> None:
    """The record of each id ever said is what the evidence says: active with this profile, merged into that one, retired, or erased."""
    compacted: dict[str, Customer] = {}
    for record in customers:
        if record.customer_id not in compacted or record.revision > compacted[record.customer_id].revision:
            compacted[record.customer_id] = record
    found = {name: msgspec.structs.replace(record, revision=0) for name, record in compacted.items()}
    expected = expected_customers(system, truth)
    # Where an erasure has taken the only touchpoint that named an identifier, nothing is known of it but that it exists: nobody is told.
    bare = {name for name, person in truth.persons.items() if person.owned[0] == 0 and len(person.members) == 1 and not person.is_nobody}
    silent = bare if forgotten else set[str]()
    assert expected.keys() - silent <= found.keys(), "a customer nobody has heard of"
    origins = {
        customer_id_of(ORDERING, x, is_nobody=is_nobody, epoch=epoch): (x, is_nobody, epoch)
        for x in truth.customer_ids.keys() | forgotten.keys()
        for is_nobody in (False, True)
        for epoch in (None, *((*forgotten[x].epochs, forgotten[x].until) if x in forgotten else ()))
    }
    for name, record in found.items():
        if name in expected:
            assert record == expected[name], "customers"
            continue
        origin, is_nobody, epoch = origins[name]
        is_erased = (NEVER if epoch is None else epoch) < forgotten.until(origin)
        merged_into = None if is_erased or is_nobody or origin in truth.nobody else truth.customer_ids[origin]
        status = "erased" if is_erased else "retired" if merged_into is None else "merged"
        assert (record.status, record.merged_into) == (status, merged_into), "standing"
        assert not record.identifiers, "who is no more has no profile"


def _check_reviews(history: History, reviews: list[Review], truth: Truth) -> None:
    """What a steward finds on the topic of reviews is a function of the facts: who waits, who was decided, and how likely they are one."""
    last: dict[str, Review] = {}
    for review in reviews:
        if review.review_id not in last or review.revision > last[review.review_id].revision:
            last[review.review_id] = review
    found = {
        tuple(identifier_key(review.tenant, each["kind"], each["value"]) for each in review.identifiers): (review.status, review.why)
        for review in last.values()
        if review.status in (OPEN, ACCEPTED, REJECTED)
    }
    assert found == truth.reviews, "reviews"


def expected_customers(system: System, truth: Truth) -> dict[str, Customer]:
    """The record that each active customer must have, but for its revision."""
    records: list[Customer | Moment | IdentityChange | Review] = []

    class Paper(Component):
        """A component that remembers nothing."""

        def __init__(self) -> None:
            pass

        def get(self, name: str) -> None:
            return None

        def node(self, identifier: str) -> None:
            return None

        def put(self, name: str, row: SaidCustomer) -> None:
            return None

        def rows(self, tag: str) -> list[tuple[str, Any]]:
            """In the end nobody is passing: whatever exists has a touchpoint or an edge, and must have been said."""
            return [(tag, None)]

    speaker = Speaker(system.journeys, records.append)
    for customer_id, person in truth.persons.items():
        speaker.say_customer(Paper(), customer_id, person, tenant_of(min(person.members)))
    return {record.customer_id: msgspec.structs.replace(record, revision=0) for record in records if isinstance(record, Customer)}


def _check_log(history: History, moments: list[Moment], customers: list[Customer], reviews: Sequence[Review] = ()) -> None:
    """Exactly once: what compaction keeps is the highest revision."""
    if history.world.replay:
        return
    horizon = history.end - history.topology.retention_ms
    said = (moments, "moment_id"), (customers, "customer_id"), (list(reviews), "review_id")
    for revisions in (one for records, name in said for one in _revisions(records, name, horizon)):
        # Not every one is higher than the one before: two halves of a component speak of one id until they are one.
        assert revisions[-1] > max(revisions[:-1], default=-1), "the last word on an id has its highest revision"


def _revisions(records: list[Any], name: str, horizon: int) -> Iterable[list[int]]:
    """The revisions of each id in the order in which they were said; moments older than the horizon are final, nobody knows them any more."""
    said: dict[str, list[int]] = {}
    final = set[str]()
    for record in records:
        said.setdefault(getattr(record, name), []).append(record.revision)
        if isinstance(record, Moment) and record.occurred_at < horizon:
            final.add(record.moment_id)
    return [revisions for identity, revisions in said.items() if identity not in final]


def _check_state(history: History, system: System) -> None:
    """Nothing is left lying about: no half component, no timer that wakes nobody, nothing where a component has moved away."""
    for partition in system.partitions:
        store = partition.journey_store
        timers = store.due(1 << 62, 1 << 20)
        counted = Counter[tuple[str, str]]()
        for root in store.groups():
            component = Component(store, root)
            header = component.header()
            if header.redirect is not None:
                assert [name for name, _ in component.rows("")] == ["h"], "what moved away is gone"
            for _, said in component.rows("c"):
                counted.update(said.phases.items() if said.status == "active" else ())
            assert [at for at, group in timers if group == root] == ([] if header.timer is None else [header.timer]), "timers"
            due = [person.next_at for _, person in component.rows("p") if person.next_at is not None]
            assert header.timer is not None or not due, "somebody waits for a silence, and nobody wakes her"
            assert history.world.replay or not component.rows("s"), "half a component is waiting"
            assert not component.rows("r"), "what was read back was heard"
        kept = {(journey, phase): customers for journey, phases in census(store).items() for phase, customers in phases.items()}
        assert kept == dict(counted), "the census"

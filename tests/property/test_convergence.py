"""Laws of convergence: people, moments and customers are a function of the set of facts, over the real stages and stores."""

from dataclasses import replace
from random import Random
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.property.actors import Faults, System, believed
from touchstone.identity.ordering import Ordering
from touchstone.journey.speaker import Speaker
from touchstone.model.component import SaidCustomer
from touchstone.model.output import Customer, Moment, MomentContent
from touchstone.model.touchpoint import Touchpoint
from touchstone.testing.oracle import Fact, Likeness, Truth, Word, tell
from touchstone.topology.compile import Topology
from touchstone.topology.load import default_topology_path, load_topology

HOUR = 3_600_000
START = 1_700_000_000_000
REFERENCE = load_topology(default_topology_path())


def small(topology: Topology) -> Topology:
    """The reference topology with limits so small that a short history meets all of them."""
    guards = {"email": (4, 4), "phone": (3, 4), "device_id": (3, 4), "cookie": (3, 4)}
    kinds = {
        name: replace(kind, guard_stronger=guards[name][0], guard_weaker=guards[name][1], per_person=2 if name == "email" else kind.per_person)
        if name in guards
        else kind
        for name, kind in topology.kinds.items()
    }
    journeys = tuple(
        replace(
            journey,
            dormant_ms=11 * HOUR,
            rules=tuple(replace(rule, absence_ms=6 * HOUR) if rule.absence_ms is not None else rule for rule in journey.rules),
        )
        for journey in topology.journeys
    )
    return replace(
        topology, kinds=kinds, journeys=journeys, lateness_ms=5 * HOUR, retention_ms=40 * HOUR, merges_per_person=4, identifiers_per_person=7
    )


TOPOLOGY = small(REFERENCE)
ORDERING = Ordering(TOPOLOGY.kinds)
KINDS = ("user_id", "email", "phone", "device_id", "cookie")
TYPES = ("ad_view", "search", "product_view", "cart_add", "order_paid", "delivered", "refund", "page_view")

identifier = st.builds("default/{}:{}".format, st.sampled_from(KINDS), st.integers(0, 2))
crowd = st.builds("default/{}:{}".format, st.sampled_from(KINDS), st.integers(0, 7))
pair = st.frozensets(identifier, min_size=2, max_size=2)
touchpoint = st.fixed_dictionaries(
    {
        "identifiers": st.lists(st.one_of(identifier, identifier, crowd), min_size=1, max_size=3, unique=True).filter(
            lambda ids: sum("user_id" in x for x in ids) < 2  # noqa: PLR2004 - two would be a dead letter
        ),
        "type": st.sampled_from(TYPES),
        "key": st.one_of(st.none(), st.none(), st.none(), st.integers(0, 3)),
        "delay": st.sampled_from([0, 0, 1, 8]),
        "city": st.one_of(st.none(), st.sampled_from(["Bonn", "Kiel"])),
    }
)
match = pair.map(lambda p: {"match": p})
word = st.builds(lambda p, apart: {"pair": p, "apart": apart}, pair, st.booleans())
fact = st.one_of(touchpoint, touchpoint, touchpoint, touchpoint, match, word)


def dated(facts: list[dict[str, Any]], pace: int) -> list[Fact]:
    """Facts in the order in which they happened, `pace` hours apart."""
    out: list[Fact] = []
    for n, raw in enumerate(facts):
        at = START + n * pace * HOUR
        if "match" in raw:
            out.append(Likeness(raw["match"], at))
        elif "pair" in raw:
            out.append(Word(raw["pair"], at, raw["apart"]))
        else:
            out.append(
                Touchpoint(
                    tenant="default",
                    source="web",
                    event_id=f"e{n}" if raw["key"] is None else f"k{raw['key']}",
                    channel="web",
                    type=raw["type"],
                    occurred_at=at,
                    received_at=at + raw["delay"] * HOUR,
                    identifiers=tuple(sorted(raw["identifiers"], key=ORDERING.strength)),
                    content=f"{n + 1:032x}",
                    profile={"city": raw["city"]} if raw["city"] else {},
                )
            )
    return out


def live(facts: list[Fact], partitions: int, random: Random, faults: Faults, end: int) -> System:
    """Run the facts in some order of arrival through some interleaving until all is quiet at `end`."""
    system = System(partitions, random, faults, TOPOLOGY, ORDERING)
    arrival = list(facts)
    random.shuffle(arrival)
    cut = random.randrange(len(arrival) + 1)
    for some in (arrival[:cut], arrival[cut:]):
        system.ingest(some)
        system.tick(random.randrange(partitions), random.randrange(START, end + 1))  # one partition's clock runs ahead
        if random.random() < 0.5:
            system.run()
    system.run()
    for partition in range(partitions):
        system.tick(partition, end)
    system.run()
    return system


def content_of(moment: Moment) -> MomentContent:
    """What of a moment is compared."""
    return MomentContent(*(getattr(moment, name) for name in MomentContent.__struct_fields__))


def expected_customers(truth: Truth) -> dict[str, Customer]:
    """The record that each active customer must have, but for its revision."""
    records: list[Customer] = []

    class Paper:
        """A component that remembers nothing."""

        def get(self, _: str) -> None:
            return None

        def put(self, _: str, __: SaidCustomer) -> None:
            return None

    speaker = Speaker(System(1, Random(0), Faults(), TOPOLOGY, ORDERING).journeys, records.append)  # type: ignore[arg-type]
    for customer_id, person in truth.persons.items():
        speaker.say_customer(Paper(), customer_id, person, "default")  # type: ignore[arg-type]
    return {record.customer_id: record for record in records}


def check(facts: list[Fact], system: System, random: Random, faults: Faults, end: int) -> None:
    """The live system agrees with the perfect observer in everything that is promised."""
    truth = tell(facts, TOPOLOGY, ORDERING, end)
    assert system.people() == set(truth.people.values()), "people"
    moments = [r for r in system.outputs if isinstance(r, Moment)]
    horizon = end - TOPOLOGY.retention_ms
    beliefs = believed(moments, 4, random, shuffle=True)
    found = {name: [content_of(moment) for moment in some] for name, some in beliefs.items()}
    found = {name: some for name, some in found.items() if some[0].occurred_at >= horizon}
    assert found == {name: [content] for name, content in truth.moments.items()}, "moments"
    customers = [r for r in system.outputs if isinstance(r, Customer)]
    compacted: dict[str, Customer] = {}
    for customer in customers:
        if customer.customer_id not in compacted or customer.revision > compacted[customer.customer_id].revision:
            compacted[customer.customer_id] = customer
    expected = expected_customers(truth)
    active = {name: msgspec.structs.replace(record, revision=0) for name, record in compacted.items() if record.status == "active"}
    assert active == {name: msgspec.structs.replace(record, revision=0) for name, record in expected.items()}, "customers"
    for name, record in compacted.items():
        if record.status == "merged":
            assert record.merged_into in truth.people, f"{name} was merged into somebody who is not"
    if not faults.replay:
        last = {record.customer_id: record for record in customers}
        assert last == compacted, "compaction keeps the last record, which must be the highest revision"
        assert {r.moment_id: r for r in moments} == {
            r.moment_id: r for r in sorted(moments, key=lambda r: r.revision)
        }, "revisions of a moment rise in its partition"


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(
    facts=st.lists(fact, min_size=1, max_size=22),
    partitions=st.integers(1, 5),
    random=st.randoms(use_true_random=False),
    faults=st.sampled_from([Faults(), Faults(replay=0.2), Faults(crash=0.2), Faults(crash=0.1, replay=0.1)]),
    overtaking=st.booleans(),
    pace=st.sampled_from([1, 4]),
    after=st.sampled_from([0, 3, 30]),
)
def test_every_order_of_arrival_ends_in_the_same_truth(
    facts: list[dict[str, Any]], partitions: int, random: Random, faults: Faults, overtaking: bool, pace: int, after: int
) -> None:
    """People, moments and customers depend on the set of facts only, for any arrival, interleaving, partitioning, replay and crash."""
    happened = dated(facts, pace)
    end = START + (len(facts) * pace + after) * HOUR
    faults = replace(faults, overtaking=overtaking)

    system = live(happened, partitions, random, faults, end)

    check(happened, system, random, faults, end)

"""Laws of size: what a touchpoint costs does not grow with its component, and a hot line leaves no component above its guard."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from random import Random
from typing import Any

import msgspec
import pytest

from tests.property.actors import System, World
from tests.unit.journey.desk import NOON, REFERENCE, Desk, evidence, journey, rule, topology, touchpoint
from touchstone.contracts.codec import Codec, bundled_codec
from touchstone.identity.ordering import Ordering
from touchstone.journey.component import Component
from touchstone.model import message as m
from touchstone.model.component import JOURNEY_ROWS
from touchstone.model.identifier import kind_of
from touchstone.model.output import Customer, IdentityChange, Moment, Review
from touchstone.model.touchpoint import Touchpoint
from touchstone.state.memory import DictBackend
from touchstone.state.rows import RowStore
from touchstone.topology.attributes import Attributes, Criterion, Derivation, Survival
from touchstone.topology.match import Match

ROOT = "default/cookie:root"


class CountingStore(RowStore):
    """Counts the rows that are read and written."""

    rows = 0

    def get(self, group: str, name: str) -> Any | None:
        """One row."""
        self.rows += 1
        return super().get(group, name)

    def put(self, group: str, name: str, row: Any) -> None:
        """One row."""
        self.rows += 1
        super().put(group, name, row)

    def scan(self, group: str, tag: str) -> list[tuple[str, Any]]:
        """As many rows as there are."""
        found = super().scan(group, tag)
        self.rows += 1 + len(found)
        return found


def component_of(people: int) -> Desk:
    """A component of so many people with three identifiers each, who have all done something."""
    shop = topology(journey(rule("searched", "interest", "search"), rule("bought", "purchase", "order_paid")))
    desk = Desk(shop, CountingStore(DictBackend(), JOURNEY_ROWS))
    contacts = [touchpoint(0, "search", f"user_id:{n}", f"cookie:{n}.{k}", event_id=f"{n}.{k}") for n in range(people) for k in range(2)]
    desk.tell(*(message for contact in contacts for message in evidence(ROOT, contact)), now=0)
    assert len(desk.people(ROOT)) == people
    return desk


def cost(desk: Desk, *messages: m.JourneyMessage) -> tuple[int, int]:
    """How many rows it reads and writes, and how many bytes go to the changelog."""
    store = desk.store
    assert isinstance(store, CountingStore)
    store.rows = 0
    speaker, said = desk.begin()
    for message in messages:
        desk.partition.handle(message, desk.sent.append, speaker)
    while desk.partition.settle(desk.sent.append, speaker):
        pass
    desk.partition.conclude(speaker)
    assert [type(record) for record in said] == [Customer]
    return store.rows, sum(len(key) + len(value or b"") for key, value in store.seal())


@pytest.mark.parametrize("already_known", ["the identifiers are known", "each identifier is seen again"])
def test_a_touchpoint_that_changes_nobody_costs_the_same_in_a_component_of_three_and_of_a_thousand(already_known: str) -> None:
    """Rows read and written, and bytes for the changelog: at most twice as many."""
    contact = touchpoint(1, "page_view", "user_id:0", "cookie:0.0")
    messages = evidence(ROOT, contact) if "again" in already_known else evidence(ROOT, contact)[-1:]

    small, large = (cost(component_of(people), *messages) for people in (1, 334))

    assert large[0] <= 2 * small[0]
    assert large[1] <= 2 * small[1]


LARGEST_RECORD = 10 << 20
"""What a worker's producer and the topics take (runtime/producer.py)."""

BLOB = "x" * 30_000


def _one_id_for_many(n: int) -> Touchpoint:
    return touchpoint(n / 3600, "search", "user_id:u", f"cookie:{n}", event_id="1", properties={"a": BLOB, "b": BLOB})


def _ever_new_attributes(n: int) -> Touchpoint:
    return touchpoint(n / 3600, "search", "user_id:u", profile={f"{n}.{k}": BLOB[:900] for k in range(60)}, consents={f"{n}": True})


def _ever_new_identifiers(n: int) -> Touchpoint:
    long = [f"cookie:{n}.{k}.{'y' * 490}" for k in range(31)]
    return touchpoint(n / 3600, "search", "user_id:u", *long, event_id=f"{n}" * 100)


def _ever_the_same(n: int) -> Touchpoint:
    return touchpoint(n / 3600, "search", "user_id:u", event_id=f"{n}", properties={"a": BLOB, "b": BLOB})


def _ever_new_values(n: int) -> Touchpoint:
    properties = {"product": [f"{n}.{k}" * 100 for k in range(60)]}
    return touchpoint(
        n / 3600,
        "order_paid",
        "user_id:u",
        f"cookie:{n}",
        profile={"a": BLOB[:900] + f"{n}", "b": [BLOB[:900], f"{n}"]},
        properties=properties,
    )


GOLDEN = Attributes(
    {"a": Survival((Criterion("most_frequent"),)), "b": Survival((Criterion("longest"),), multi=True)},
    Survival((Criterion("longest"),)),
    (Derivation("owns", "collect", path=("properties", "product"), add=Match(frozenset({"order_paid"}))),),
)


@pytest.mark.parametrize("stream", [_ever_new_values, _one_id_for_many, _ever_new_attributes, _ever_new_identifiers, _ever_the_same])
def test_no_stream_of_touchpoints_makes_a_row_or_a_record_that_does_not_fit(stream: Callable[[int], Touchpoint]) -> None:
    """Ten megabytes and more of one person, in whatever shape: the largest row and output stay a tenth of what a topic takes."""
    shop = topology(journey(rule("searched", "interest", "search")), touchpoints_per_day=100, merges_per_person=1000)
    if stream is _ever_new_values:
        shop = replace(shop, attributes=GOLDEN, recycled=frozenset({"cookie"}))
    desk, codec = Desk(shop), bundled_codec()
    largest, total = 0, 0
    ordering = Ordering(REFERENCE.kinds)

    for start in range(0, 200, 50):
        contacts = [stream(n) for n in range(start, start + 50)]
        contacts = [msgspec.structs.replace(t, identifiers=tuple(sorted(t.identifiers, key=ordering.strength))) for t in contacts]
        total += sum(len(msgspec.msgpack.encode(t)) for t in contacts)
        speaker, said = desk.begin()
        for message in (message for contact in contacts for message in evidence(ROOT, contact)):
            desk.partition.handle(message, desk.sent.append, speaker)
        while desk.partition.settle(desk.sent.append, speaker):
            pass
        desk.partition.conclude(speaker)
        largest = max([largest, *(len(key) + len(value or b"") for key, value in desk.store.seal())])
        desk.store.commit(desk.store.offset + 1)
        largest = max([largest, *(len(_encoded(codec, record)) for record in said)])
    largest = max([largest, *(len(msgspec.msgpack.encode(piece)) for piece in _moved(desk))])

    assert total > 3 << 20
    assert largest < LARGEST_RECORD / 4, largest
    assert len(desk.component(ROOT).rows("t")) <= 200


def _encoded(codec: Codec, record: Moment | Customer | IdentityChange | Review) -> bytes:
    match record:
        case Moment():
            return codec.encode_moment(record)
        case Customer():
            return codec.encode_customer(record)
        case Review():
            return codec.encode_review(record)
    return codec.encode_identity_change(record)


def _moved(desk: Desk) -> list[m.Piece]:
    store = RowStore(DictBackend(), JOURNEY_ROWS)
    for name, row in desk.component(ROOT).rows(""):
        store.put(ROOT, name, row)
    return [piece for piece in Component(store, ROOT).leave_for("default/cookie:else", 0) if piece.rows]


@pytest.mark.slow
@pytest.mark.parametrize("caller", ["user_id", "cookie"])
def test_a_hot_line_with_five_thousand_callers_leaves_no_component_above_its_guard(caller: str) -> None:
    """Neither when the callers' identifiers are stronger than the telephone number, nor when they are weaker; all calls are told."""
    ordering = Ordering(REFERENCE.kinds)
    system = System(World(partitions=4, hot_rows=1000, restart=0, local="own", transaction=500), Random(0), REFERENCE, ordering)
    calls = [
        touchpoint(
            0, "search", *sorted((f"{caller}:{n}", "phone:hotline"), key=lambda x: ordering.strength(f"default/{x}")), event_id=f"{n}"
        )
        for n in range(5000)
    ]

    system.ingest(calls)
    for partition in range(4):
        system.tick(partition, NOON)
    system.run()

    guard = REFERENCE.kinds["phone"]
    most = guard.guard_stronger if caller == "user_id" else guard.guard_weaker
    assert most is not None
    sizes = [len(component.rows("n")) for component in system.components()]
    assert max(sizes) <= most + 2
    callers = {member for person in system.persons().values() for member in person.members if kind_of(member) == caller}
    assert len(callers) == 5000
    assert sum(_contacts(person.interactions.values()) for person in system.persons().values()) == 5000


def _contacts(interactions: Iterable[tuple[str, int, int]]) -> int:
    return sum(count for _, _, count in interactions)

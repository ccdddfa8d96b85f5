"""What a component forgets: by its own requests, by what others decided, now and later."""

from typing import Any

import msgspec
import pytest

from tests.unit.journey.desk import HOUR, NOON, Desk, evidence, journey, moments, rule, topology, touchpoint
from touchstone.journey.agent import JourneyPartition
from touchstone.journey.erasure import Memory
from touchstone.model import message as m
from touchstone.model.component import Request
from touchstone.model.erasure import Forgotten, ForgottenTable
from touchstone.model.identifier import value_of
from touchstone.model.output import Customer
from touchstone.model.touchpoint import Touchpoint

SHOP = topology(journey(rule("searched", "interest", "search"), rule("wanted", "decision", "cart_add")))
ROOT, COOKIE, ADA = "default/user_id:ada", "default/cookie:c", "default/user_id:ada"


def stated(at: float, what: str = "search", *identifiers: str) -> Touchpoint:
    """A touchpoint with the values of its identifiers."""
    plain = touchpoint(at, what, *identifiers, profile={"city": "Bonn"})
    return msgspec.structs.replace(plain, values=tuple(map(value_of, plain.identifiers)))


def told(desk: Desk, *touchpoints: Touchpoint) -> list[Any]:
    """They arrive with their evidence, and with the values beside it."""
    messages = [message for t in touchpoints for message in evidence(ROOT, t)]
    values = {x: value for t in touchpoints for x, value in t.named}
    return desk.tell(
        *(m.AddSeen(ROOT, one.identifier, one.since, values[one.identifier]) if isinstance(one, m.AddSeen) else one for one in messages)
    )


@pytest.fixture
def desk() -> Desk:
    """Ada, known by a cookie and her user id."""
    desk = Desk(SHOP)
    told(desk, stated(0, "search", "user_id:ada", "cookie:c"), stated(1, "cart_add", "cookie:c"))
    return desk


def kept(desk: Desk) -> bytes:
    """All rows of the component as bytes."""
    return msgspec.msgpack.encode([row for name, row in desk.component(ROOT).rows("") if name[0] in "ntpdc"])


def test_whoever_asks_is_forgotten_with_all_that_is_hers(desk: Desk) -> None:
    """Moments are taken back because of the erasure, the customer is erased, identity is told, and nothing of her is left in a row."""
    said = desk.tell(m.AddRequest(ROOT, COOKIE, NOON + 2 * HOUR, "x1"))

    assert {(one[0], one[2]) for one in moments(said)} == {("retract", "interest"), ("retract", "decision")}
    assert {one.corrects for one in said if hasattr(one, "corrects")} == {"erasure"}
    assert [one.status for one in said if isinstance(one, Customer)] == ["erased"]
    assert m.Forget(ADA, NOON + 2 * HOUR) in desk.sent
    assert m.Forget(COOKIE, NOON + 2 * HOUR) in desk.sent
    assert {one.to for one in desk.sent if isinstance(one, m.Scrub)} == {ADA, COOKIE}
    assert desk.people(ROOT) == {}
    assert b"Bonn" not in kept(desk)
    assert all(node.value is None for _, node in desk.component(ROOT).rows("n"))
    assert all(not row.content.touchpoints for _, row in desk.component(ROOT).rows("m"))


def test_what_turns_out_later_to_have_been_hers_is_forgotten_too(desk: Desk) -> None:
    """The request stays open: a device that she used before comes to light."""
    desk.tell(m.AddRequest(ROOT, ADA, NOON + 5 * HOUR, "x1"))

    told(desk, stated(2, "search", "user_id:ada", "device_id:d"))

    assert m.Forget("default/device_id:d", NOON + 5 * HOUR) in desk.sent
    assert desk.people(ROOT) == {}
    assert not desk.component(ROOT).rows("t")


def test_whoever_comes_back_is_somebody_new(desk: Desk) -> None:
    """With another id, her value, and no history."""
    before = set(desk.people(ROOT))
    desk.tell(m.AddRequest(ROOT, ADA, NOON + 2 * HOUR, "x1"))

    said = told(desk, stated(3, "search", "user_id:ada"))

    (again,) = [one for one in said if isinstance(one, Customer)]
    assert again.customer_id not in before
    assert [(each["value"], each["first_seen"]) for each in again.identifiers] == [("ada", NOON + 3 * HOUR)]


def test_a_decision_of_others_holds_for_what_is_told_anew(desk: Desk) -> None:
    """After a loss of state the privacy log is all that is known of it."""
    table = ForgottenTable()
    table.learn(Forgotten(ADA, NOON + 2 * HOUR, "x1", NOON))
    fresh = Desk(SHOP)
    fresh.partition = JourneyPartition(fresh.store, fresh.journeys, table)

    told(fresh, stated(0, "search", "user_id:ada"), stated(3, "cart_add", "user_id:ada"))

    (person,) = fresh.people(ROOT).values()
    assert person.owned[0] == 1
    assert set(fresh.people(ROOT)).isdisjoint(desk.people(ROOT))


def test_of_two_requests_for_one_identifier_the_latest_stays() -> None:
    """The same one twice is no news."""
    component = Desk(SHOP).component(ROOT)

    news = [component.add_request(ADA, Request(until, command)) for until, command in ((5, "a"), (9, "b"), (5, "a"), (9, "b"))]

    assert news == [True, True, False, False]
    assert component.rows("q") == [("q" + ADA, Request(9, "b"))]


def test_the_times_of_what_is_forgotten_stay(desk: Desk) -> None:
    """When somebody was seen, and with whom, decides later what is hers; only that it held a touchpoint is kept beside."""
    desk.tell(m.AddTouchpoint(ROOT, 0, stated(1.5, "search", "user_id:ada", "cookie:c")))

    desk.tell(m.AddRequest(ROOT, ADA, NOON + 2 * HOUR, "x1"))

    nodes = dict(desk.component(ROOT).rows("n"))
    assert {name[1:]: (node.last, node.was_anchor) for name, node in nodes.items()} == {
        ADA: (NOON + int(1.5 * HOUR), True),
        COOKIE: (NOON + int(1.5 * HOUR), True),
    }
    (edge,) = [row for _, row in desk.component(ROOT).rows("e")]
    assert (edge.first, edge.last) == (NOON, NOON + int(1.5 * HOUR))


def test_a_touchpoint_that_a_generic_identifier_has_handed_on_is_forgotten_with_it() -> None:
    """It is held at a weaker one, whose component knows of the stronger one only what the privacy log says."""
    table = ForgottenTable()
    table.learn(Forgotten(ADA, NOON, "x1", NOON, is_generic=True))
    memory = Memory({}, table)
    handed_on, later = (stated(at, "search", "user_id:ada", "cookie:c") for at in (0, 1))

    assert memory.is_gone(handed_on, 1)
    assert not memory.is_gone(later, 1)
    assert list(memory.seen_again(later)) == [(ADA, "ada")]

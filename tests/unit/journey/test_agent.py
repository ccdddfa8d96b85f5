"""One partition of the journey stage: the short way, timers, moving, what is said before the commit."""

from typing import Any

import msgspec
import pytest

from tests.unit.journey.desk import HOUR, NOON, Desk, changes, evidence, journey, moments, rule, topology, touchpoint
from touchstone.journey.component import Component
from touchstone.journey.settle import Settlement
from touchstone.model import message as m
from touchstone.model.output import Moment

ROOT = "default/cookie:c"
SEARCHED = rule("searched", "interest", "search")
BOUGHT = rule("bought", "purchase", "order_paid")
ABANDONED = rule("abandoned", "interest", "cart_add", from_phases=frozenset({"decision"}), absence_ms=48 * HOUR)
CONSIDERED = rule("considered", "decision", "cart_add")


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The roots of the components that were told anew, in order."""
    roots: list[str] = []
    run = Settlement.run

    def watched(self: Settlement, component: Component, *rest: Any) -> list[str]:
        roots.append(component.root)
        return run(self, component, *rest)

    monkeypatch.setattr(Settlement, "run", watched)
    return roots


def test_the_newest_touchpoint_of_a_person_takes_the_short_way(settled: list[str]) -> None:
    """One step of the fold: the component is not told anew."""
    desk = Desk(topology(journey(SEARCHED, BOUGHT)))
    desk.meet(ROOT, touchpoint(0))
    settled.clear()

    said = desk.meet(ROOT, touchpoint(1, "order_paid"), now=1)

    assert moments(said) == [("assert", "interest", "purchase", 1)]
    assert not settled


def test_a_touchpoint_that_is_not_the_newest_is_folded_again(settled: list[str]) -> None:
    """A late one may change what came after it."""
    desk = Desk(topology(journey(SEARCHED, BOUGHT)))
    desk.meet(ROOT, touchpoint(2, "order_paid"))
    settled.clear()

    said = desk.meet(ROOT, touchpoint(1), now=3)

    assert moments(said) == [("assert", None, "interest", 1), ("assert", "interest", "purchase", 2), ("retract", None, "purchase", 2)]
    assert settled == [ROOT]


def test_a_silence_that_was_said_too_early_is_taken_back_by_a_late_touchpoint() -> None:
    """The deadline has fired; what happened before it turns up later."""
    desk = Desk(topology(journey(CONSIDERED, ABANDONED)))
    desk.meet(ROOT, touchpoint(0, "cart_add"))
    assert moments(desk.tell(now=48)) == [("assert", "decision", "interest", 48)]

    said = desk.meet(ROOT, touchpoint(20, "cart_add"), now=49)

    assert moments(said) == [("retract", "decision", "interest", 48)]
    assert moments(desk.tell(now=68)) == [("assert", "decision", "interest", 68)]


def test_a_touchpoint_exactly_at_a_deadline_that_has_fired_is_in_time() -> None:
    """It is not newer than the deadline, so the short way would leave the timeout standing."""
    desk = Desk(topology(journey(CONSIDERED, ABANDONED)))
    desk.meet(ROOT, touchpoint(0, "cart_add"))
    desk.tell(now=48)

    said = desk.meet(ROOT, touchpoint(48, "cart_add"), now=48)

    assert moments(said) == [("retract", "decision", "interest", 48)]


def test_the_short_way_wakes_a_component_when_its_touchpoint_passes_the_horizon() -> None:
    """The contested anchor of another person held a later touchpoint: the earlier of the two horizons counts."""
    desk = Desk(topology(journey(SEARCHED), retention_ms=100 * HOUR))
    for n in range(3):
        desk.tell(*evidence(ROOT, touchpoint(0, "login", f"user_id:{n}", "email:shared"))[:-1])
    desk.tell(*evidence(ROOT, touchpoint(0, "search", "email:shared", "cookie:bob"))[:-1])
    desk.meet(ROOT, touchpoint(4, "search", "email:shared", "cookie:ann"), now=5)

    desk.tell(m.AddTouchpoint(ROOT, 0, touchpoint(2, "search", "email:shared", "cookie:bob")))

    assert desk.component(ROOT).header().condense_at == NOON + 102 * HOUR + 1


def test_an_earlier_sighting_that_comes_with_another_half_of_the_component_is_folded() -> None:
    """The same statement was corrected otherwise for the skew of the clock; the earlier time counts, also where two halves join."""
    desk = Desk(topology(journey(SEARCHED)))
    late = touchpoint(2)
    early = msgspec.structs.replace(late, occurred_at=NOON + HOUR)
    other = "default/cookie:other"
    desk.meet(ROOT, late)
    desk.tell(m.AddTouchpoint(other, 0, early))

    desk.tell(m.Absorb(other, ROOT))
    (piece,) = desk.sent
    said = desk.tell(piece)

    assert moments(said) == [("assert", None, "interest", 1)]


def test_a_person_whose_touchpoints_were_exchanged_for_others_with_equal_content_is_folded_again() -> None:
    """Events that say the same at the same millisecond: past the horizon the last one stays, and silence names that one."""
    desk = Desk(topology(journey(CONSIDERED, ABANDONED), retention_ms=10 * HOUR))
    desk.meet(ROOT, touchpoint(0, "cart_add", event_id="first"), now=11)

    desk.meet(ROOT, touchpoint(0, "cart_add", event_id="second"))

    assert [said.touchpoints for said in desk.tell(now=48) if isinstance(said, Moment)] == [("web/second",)]


def test_each_identity_change_is_said_once_though_a_component_settles_twice_in_a_transaction() -> None:
    """Messages that are handed over inside the transaction wake a component again before its customers were said."""
    desk = Desk(topology(journey(SEARCHED)))
    desk.meet(ROOT, touchpoint(0, "search", "email:a"), touchpoint(1, "search", "phone:1"))
    speaker, said = desk.begin()

    desk.partition.handle(m.AddEdge(ROOT, "default/phone:1", "default/email:a", NOON, NOON), desk.sent.append, speaker)
    desk.partition.settle(desk.sent.append, speaker)
    desk.partition.handle(m.AddSeen(ROOT, "default/cookie:new", NOON), desk.sent.append, speaker)
    desk.partition.settle(desk.sent.append, speaker)
    desk.partition.conclude(speaker)

    assert changes(said) == ["merged"]


def test_the_first_touchpoint_at_an_identifier_may_be_one_merge_too_many() -> None:
    """The limit counts identifiers that hold touchpoints: the person comes apart, however new the touchpoint is."""
    desk = Desk(topology(journey(SEARCHED), merges_per_person=0))
    for email in ("email:a", "email:b"):
        desk.tell(*evidence(ROOT, touchpoint(0, "login", email, "phone:1"))[:-1])
    desk.meet(ROOT, touchpoint(0, "search", "email:a"))
    assert len(desk.people(ROOT)) == 1

    desk.meet(ROOT, touchpoint(1, "search", "email:b"), now=1)

    assert sorted(len(person.members) for person in desk.people(ROOT).values()) == [1, 1, 1]


def test_the_first_touchpoint_at_an_identifier_takes_the_short_way_where_no_limit_is_in_reach(settled: list[str]) -> None:
    """And counts for the limit from then on."""
    desk = Desk(topology(journey(SEARCHED), merges_per_person=2))
    for email in ("email:a", "email:b", "email:c", "email:d"):
        desk.tell(*evidence(ROOT, touchpoint(0, "login", email, "phone:1"))[:-1])
    settled.clear()

    ways = []
    for n, email in enumerate(("email:a", "email:b", "email:c", "email:d")):
        desk.tell(m.AddTouchpoint(ROOT, 0, touchpoint(n, "search", email)), now=n)
        ways.append(list(settled))
        settled.clear()

    assert ways == [[], [], [ROOT], [ROOT]]
    assert sorted(len(person.members) for person in desk.people(ROOT).values()) == [1, 1, 1, 1, 1]


def test_a_person_with_a_past_beyond_the_horizon_takes_the_short_way(settled: list[str]) -> None:
    """What is kept of it stays what it is when something new happens: the horizon itself wakes the component."""
    desk = Desk(topology(journey(SEARCHED, BOUGHT), retention_ms=10 * HOUR))
    desk.meet(ROOT, touchpoint(0), now=20)
    settled.clear()

    said = desk.meet(ROOT, touchpoint(19, "order_paid"), now=20)

    assert moments(said) == [("assert", "interest", "purchase", 19)]
    assert not settled


def test_the_short_way_gives_a_touchpoint_of_a_contested_anchor_to_its_next_identifier(settled: list[str]) -> None:
    """As telling the component anew does."""
    desk = Desk(topology(journey(SEARCHED, BOUGHT)))
    for n in range(3):
        desk.tell(*evidence(ROOT, touchpoint(0, "login", f"user_id:{n}", "email:shared"))[:-1])
    desk.meet(ROOT, touchpoint(1, "search", "email:shared", "cookie:ann"), touchpoint(1, "search", "email:shared"), now=1)
    settled.clear()

    desk.tell(m.AddTouchpoint(ROOT, 0, touchpoint(2, "order_paid", "email:shared", "cookie:ann")), now=2)

    phases = {tuple(person.members): person.states["purchase"].phase for person in desk.people(ROOT).values()}
    assert phases["default/cookie:ann",] == "purchase"
    assert phases["default/email:shared",] == "interest"
    assert not settled


def test_what_lies_behind_the_horizon_never_takes_the_short_way() -> None:
    """It is kept as far as a rule may count it, and its moments are final: nobody is told of them."""
    desk = Desk(topology(journey(SEARCHED, BOUGHT), retention_ms=10 * HOUR))
    desk.meet(ROOT, touchpoint(0), now=0)
    desk.meet(ROOT, now=20)  # the horizon has passed it, which is settled by now: nothing else keeps from the short way

    said = desk.meet(ROOT, touchpoint(1), touchpoint(2), touchpoint(3, "order_paid"), now=20)

    assert moments(said) == []
    assert [name for name, _ in desk.component(ROOT).rows("t")] == ["tdefault/web/order_paid@3", "tdefault/web/search@2"]
    (person,) = desk.people(ROOT).values()
    assert person.states["purchase"].phase == "purchase"

"""A component whose evidence changed is told anew."""

from tests.unit.journey.desk import HOUR, Desk, changes, evidence, journey, kinds, moments, rule, topology, touchpoint
from touchstone.model import message as m
from touchstone.model.component import Ruling
from touchstone.model.output import Customer, IdentityChange, Moment, Review

ROOT = "default/cookie:c"
SEARCHED = rule("searched", "interest", "search")
BOUGHT = rule("bought", "purchase", "order_paid")


def customers(said: list[Moment | Customer | IdentityChange | Review]) -> dict[str, tuple[str, list[str]]]:
    """Customer id -> status and identifiers."""
    return {one.customer_id: (one.status, [x["value"] for x in one.identifiers]) for one in said if isinstance(one, Customer)}


def test_two_people_whom_a_bridge_unites_have_one_journey() -> None:
    """The younger one's moments are taken back and asserted under the survivor."""
    desk = Desk(topology(journey(SEARCHED, BOUGHT)))
    desk.meet(ROOT, touchpoint(0, "search", "email:a"), touchpoint(1, "order_paid", "phone:1"))
    older, younger = desk.people(ROOT)
    if desk.people(ROOT)[older].newest > desk.people(ROOT)[younger].newest:  # type: ignore[operator]  # both have one
        older, younger = younger, older

    said = desk.tell(m.AddEdge(ROOT, "default/phone:1", "default/email:a", 0, 0))

    assert sorted(moments(said)) == [("assert", "interest", "purchase", 1), ("retract", None, "purchase", 1)]
    assert customers(said) == {older: ("active", ["a", "1"]), younger: ("merged", [])}
    assert changes(said) == ["merged"]
    assert [one.corrects for one in said if isinstance(one, Moment) and one.action == "retract"] == ["merge"]


def test_a_word_that_keeps_them_apart_makes_two_of_one() -> None:
    """What united them belongs to nobody, and everything said of the one is put right."""
    desk = Desk(topology(journey(SEARCHED, BOUGHT)))
    desk.meet(ROOT, touchpoint(0, "search", "email:a", "cookie:c"), touchpoint(1, "order_paid", "phone:1", "cookie:c"))
    assert len(desk.people(ROOT)) == 1

    said = desk.tell(m.AddRuling(ROOT, Ruling(("default/email:a", "default/phone:1"), "split", 5, "s1", "")))

    assert sorted(moments(said)) == [("assert", None, "purchase", 1), ("retract", "interest", "purchase", 1)]
    assert sorted(customers(said).values()) == [("active", ["1"]), ("active", ["a"]), ("active", ["c"])]
    assert changes(said) == ["split", "conflict"]


def test_touchpoints_held_at_an_anchor_that_turns_out_generic_are_handed_on() -> None:
    """To their next identifier, wherever that lives; the last one keeps them."""
    desk = Desk(topology(journey(SEARCHED)))
    with_cookie, alone = touchpoint(0, "search", "phone:1", "cookie:c"), touchpoint(1, "search", "phone:1")
    desk.meet(ROOT, with_cookie, alone)

    desk.tell(m.AddGeneric(ROOT, "default/phone:1"))

    assert desk.sent == [m.Arrive("default/cookie:c", 1, with_cookie)]
    assert [name for name, _ in desk.component(ROOT).rows("t")] == ["tdefault/web/search@1"]


def test_a_touchpoint_of_a_contested_anchor_belongs_to_its_next_identifier() -> None:
    """Whoever owns that; where there is none it belongs to nobody in a record of its own."""
    desk = Desk(topology(journey(SEARCHED), kinds=kinds(phone={"persons": 1})))
    for user in ("ann", "bob"):
        desk.tell(*evidence(ROOT, touchpoint(0, "login", f"user_id:{user}", "phone:1"))[:-1])

    desk.meet(ROOT, touchpoint(1, "search", "phone:1", "cookie:c"), touchpoint(2, "search", "phone:1"))

    phases = {tuple(person.members): (person.is_nobody, person.states["purchase"].phase) for person in desk.people(ROOT).values()}
    assert phases == {
        ("default/user_id:ann",): (False, None),
        ("default/user_id:bob",): (False, None),
        ("default/cookie:c",): (False, "interest"),
        ("default/phone:1",): (True, "interest"),
    }


def test_two_statements_under_one_key_are_reported_once_where_one_person_owns_both() -> None:
    """The earlier one counts."""
    desk = Desk(topology(journey(SEARCHED, BOUGHT)))
    desk.meet(ROOT, touchpoint(1, "order_paid", event_id="x"))

    said = desk.meet(ROOT, touchpoint(0, event_id="x"))
    again = desk.meet(ROOT, touchpoint(2, "refund", event_id="x"))

    assert sorted(moments(said)) == [("assert", None, "interest", 0), ("retract", None, "purchase", 1)]
    assert [(one.kind, one.trigger, one.rule) for one in said if isinstance(one, IdentityChange)] == [("conflict", "web/x", "event_key")]
    assert again == []


def test_two_statements_under_one_key_of_two_people_are_both_counted() -> None:
    """De-duplication is per person: a later merge withdraws one."""
    desk = Desk(topology(journey(SEARCHED, BOUGHT)))

    said = desk.meet(ROOT, touchpoint(0, "search", "email:a", event_id="x"), touchpoint(1, "order_paid", "phone:1", event_id="x"))
    merged = desk.tell(m.AddEdge(ROOT, "default/phone:1", "default/email:a", 0, 0))

    assert len(moments(said)) == 2
    assert moments(merged) == [("retract", None, "purchase", 1)]


def test_a_component_past_its_horizon_keeps_the_last_touchpoints_of_each_type() -> None:
    """As many as a rule may count."""
    twice = rule("twice", "decision", "search", count=2, within_ms=99 * HOUR)
    desk = Desk(topology(journey(SEARCHED, twice), retention_ms=10 * HOUR))
    desk.meet(ROOT, *(touchpoint(at) for at in range(5)), now=5)

    desk.tell(now=30)

    assert [name for name, _ in desk.component(ROOT).rows("t")] == ["tdefault/web/search@3", "tdefault/web/search@4"]
    assert desk.timers() == []


def test_a_person_who_moved_out_leaves_no_row_behind() -> None:
    """Her id says what became of it."""
    desk = Desk(topology(journey(SEARCHED)))
    desk.meet(ROOT, touchpoint(5, "search", "cookie:c"))
    (before,) = desk.people(ROOT)

    said = desk.tell(m.AddGeneric(ROOT, "default/cookie:c"))

    assert list(desk.people(ROOT)) != [before]
    assert customers(said)[before] == ("retired", [])
    assert sorted(moments(said)) == [("assert", None, "interest", 5), ("retract", None, "interest", 5)]
    assert changes(said) == ["shared"]

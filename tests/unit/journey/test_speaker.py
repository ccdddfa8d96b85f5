"""The component's voice: one record per customer, only when it says something new."""

from tests.unit.journey.desk import HOUR, NOON, Desk, journey, rule, topology, touchpoint
from touchstone.model import message as m
from touchstone.model.component import Ruling
from touchstone.model.output import Customer

ROOT = "default/cookie:c"
SEARCHED = rule("searched", "interest", "search")
ABANDONED = rule("abandoned", "interest", "cart_add", from_phases=frozenset({"decision"}), absence_ms=48 * HOUR)
CONSIDERED = rule("considered", "decision", "cart_add")


def test_a_customer_record_says_where_the_person_stands_and_until_when() -> None:
    """A journey that has not begun is not mentioned."""
    desk = Desk(topology(journey(CONSIDERED, ABANDONED)))

    (first,) = [one for one in desk.meet(ROOT, touchpoint(0)) if isinstance(one, Customer)]
    (second,) = [one for one in desk.meet(ROOT, touchpoint(1, "cart_add")) if isinstance(one, Customer)]

    assert first.journeys == ()
    (standing,) = second.journeys
    assert (standing["journey"], standing["phase"], standing["since"]) == ("purchase", "decision", NOON + HOUR)
    assert (standing["cycle"], standing["dormant"], standing["deadline"]) == (1, False, NOON + 49 * HOUR)


def test_a_customer_who_changed_many_times_in_a_transaction_is_said_once() -> None:
    """Last before the commit."""
    desk = Desk(topology(journey(SEARCHED)))

    said = desk.meet(ROOT, *(touchpoint(at) for at in range(5)))

    (record,) = [one for one in said if isinstance(one, Customer)]
    assert record.interactions[0]["count"] == 5


def test_a_record_that_says_nothing_new_is_not_said() -> None:
    """The same touchpoint again, or time that passes."""
    desk = Desk(topology(journey(SEARCHED)))
    desk.meet(ROOT, touchpoint(0))

    assert desk.meet(ROOT, touchpoint(0)) == []
    assert desk.tell(now=9) == []
    assert desk.partition.duplicates == 1


def test_an_id_that_was_never_said_is_not_said_to_be_gone() -> None:
    """Nobody has heard of it."""
    desk = Desk(topology(journey(SEARCHED)))
    speaker, said = desk.begin()

    speaker.say_customer(desk.component(ROOT), "no such id", None, "default")

    assert said == []


def test_a_merged_id_points_to_whoever_holds_its_origin_now() -> None:
    """And is active again when it stands alone."""
    desk = Desk(topology(journey(SEARCHED)))
    desk.meet(ROOT, touchpoint(0, "search", "email:a"), touchpoint(1, "search", "phone:1"))
    ids = {next(iter(person.members)): customer_id for customer_id, person in desk.people(ROOT).items()}

    merged = desk.tell(m.AddEdge(ROOT, "default/phone:1", "default/email:a", 0, 0))
    parted = desk.tell(m.AddRuling(ROOT, Ruling(("default/email:a", "default/phone:1"), "split", 5, "s1", "")))

    gone = {one.customer_id: one.merged_into for one in merged if isinstance(one, Customer) and one.status == "merged"}
    assert gone == {ids["default/phone:1"]: ids["default/email:a"]}
    assert {one.customer_id: one.status for one in parted if isinstance(one, Customer)}[ids["default/email:a"]] == "active"


def test_revisions_of_a_record_rise_also_when_the_clock_stands_still() -> None:
    """max(previous + 1, clock)."""
    desk = Desk(topology(journey(SEARCHED)))
    revisions = []
    for at in range(3):
        desk.wall = 100
        revisions += [one.revision for one in desk.meet(ROOT, touchpoint(at)) if isinstance(one, Customer)]

    assert revisions == [101, 102, 103]

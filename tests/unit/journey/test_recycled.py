"""Who used an identifier when, where it passes from person to person."""

from tests.unit.journey.desk import HOUR, NOON, Desk, evidence, kinds, topology, touchpoint
from touchstone.journey.recycled import MOST_USED, changes_hands, periods, use
from touchstone.model.component import Person
from touchstone.model.output import Customer

PHONE = "default/phone:1"
KINDS = frozenset({"phone"})


def user(used: dict[str, tuple[int, int]]) -> Person:
    """Somebody who used these."""
    return Person(members={}, is_nobody=False, states={}, used=used)


def test_a_use_ends_where_somebody_else_began_after_the_last_use() -> None:
    """The next one, of several."""
    people = {"a": user({PHONE: (1, 3)}), "b": user({PHONE: (7, 9)}), "c": user({PHONE: (5, 5)})}

    assert periods(people, {PHONE: "unique:user_id"}) == {"a": {PHONE: 5}, "b": {PHONE: None}, "c": {PHONE: 7}}


def test_uses_that_overlap_have_not_ended() -> None:
    """Two people share it."""
    people = {"a": user({PHONE: (1, 6)}), "b": user({PHONE: (5, 9)})}

    assert periods(people, {PHONE: "unique:user_id"}) == {"a": {PHONE: None}, "b": {PHONE: None}}


def test_what_is_generic_or_somebodys_is_not_told() -> None:
    """An office's line is not looked up, and what belongs to somebody stands among their identifiers."""
    people = {"a": user({PHONE: (1, 6)})}

    assert periods(people, {PHONE: "generic"}) == {}
    assert periods(people, {}) == {}


def test_own_identifiers_other_kinds_and_nobodys_uses_are_not_noted() -> None:
    """Only of recycled kinds, only what is not hers."""
    person = Person(members={PHONE: None}, is_nobody=False, states={})
    nobody = Person(members={"default/cookie:c": None}, is_nobody=True, states={})

    for one in (person, nobody):
        use(one, touchpoint(0, "call", "user_id:u", "phone:1", "cookie:x"), KINDS)
        use(one, touchpoint(1, "call", "user_id:u", "cookie:x"), KINDS)

    assert (person.used, nobody.used) == ({}, {})


def test_so_many_uses_are_kept_the_newest() -> None:
    """Whoever lends their telephone to everybody does not grow without end."""
    person = user({})

    for n in range(MOST_USED + 3):
        use(person, touchpoint(n, "call", f"phone:{n}"), KINDS)
        use(person, touchpoint(n, "call", "phone:0"), KINDS)

    assert len(person.used) == MOST_USED
    assert person.used["default/phone:0"] == (NOON, NOON + (MOST_USED + 2) * HOUR)
    assert "default/phone:1" not in person.used
    assert f"default/phone:{MOST_USED + 2}" in person.used


def test_a_touchpoint_that_begins_or_takes_up_a_use_concerns_others() -> None:
    """One that goes on with a use, or names no identifier of others, concerns nobody else."""
    person = user({PHONE: (1, 3), "default/phone:2": (1, 3)})
    person.shared = {PHONE: 5, "default/phone:2": None}

    assert changes_hands(person, touchpoint(0, "call", "phone:1"), KINDS)
    assert not changes_hands(person, touchpoint(0, "call", "phone:2"), KINDS)
    assert changes_hands(person, touchpoint(0, "call", "phone:3"), KINDS)
    assert not changes_hands(person, touchpoint(0, "call", "cookie:3"), KINDS)


def test_the_end_of_a_use_is_told_of_both_and_taken_back_when_the_first_one_calls_again() -> None:
    """Alice's telephone is Carl's, until she turns out to have it still; nothing else of them changed."""
    desk = Desk(topology(kinds=kinds(), recycled=KINDS))
    alice, carl = ("user_id:alice", "phone:1"), ("user_id:carl", "phone:1")

    def told(*messages: object) -> dict[str, float | None]:
        said = [one for one in desk.tell(*messages) if isinstance(one, Customer)]  # type: ignore[arg-type]  # evidence is journey messages
        return {
            one.identifiers[0]["value"]: None if row["valid_to"] is None else (row["valid_to"] - NOON) / HOUR
            for one in said
            for row in one.shared_identifiers
        }

    told(*evidence("default/user_id:alice", touchpoint(0, "call", *alice)))
    both = told(*evidence("default/user_id:alice", touchpoint(2, "call", *carl)))
    again = told(*evidence("default/user_id:alice", touchpoint(3, "call", *alice))[-1:])

    assert both == {"alice": 2, "carl": None}
    assert again == {"alice": None}

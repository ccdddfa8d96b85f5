"""What is known about one person, with provenance."""

import msgspec

from tests.unit.journey.desk import HOUR, NOON, touchpoint
from touchstone.journey.golden import fingerprint, observe, profile
from touchstone.model.component import Person
from touchstone.model.identifier import value_of
from touchstone.model.touchpoint import Touchpoint


def ann(*touchpoints: Touchpoint, room: int = 1 << 16) -> Person:
    """A person with an e-mail address and a cookie who did this."""
    person = Person(members={"default/email:ann": None, "default/cookie:c": None}, is_nobody=False, states={})
    for one in touchpoints:
        observe(person, one, room)
    return person


def test_an_identifier_is_seen_from_its_first_to_its_last_touchpoint() -> None:
    """Only by touchpoints that the person owns; one that none of them names was never seen."""
    person = ann(touchpoint(1), touchpoint(3), touchpoint(2, "search", "cookie:else", "cookie:c"))

    assert person.members == {"default/email:ann": None, "default/cookie:c": (NOON + HOUR, NOON + 3 * HOUR)}


def test_the_most_recent_value_of_an_attribute_wins_and_says_where_it_comes_from() -> None:
    """A value that is not given does not win."""
    person = ann(touchpoint(1, profile={"city": "Bonn", "name": "Ann"}), touchpoint(2, profile={"city": "Kiel", "name": None}))

    assert profile(person, value_of)["attributes"] == (
        {
            "name": "city",
            "value": '"Kiel"',
            "source": "web",
            "occurred_at": NOON + 2 * HOUR,
            "touchpoint": "web/search@2",
            "rule": "most_recent",
            "channel": "web",
            "alternatives": (),
            "periods": (),
        },
        {
            "name": "name",
            "value": '"Ann"',
            "source": "web",
            "occurred_at": NOON + HOUR,
            "touchpoint": "web/search@1",
            "rule": "most_recent",
            "channel": "web",
            "alternatives": (),
            "periods": (),
        },
    )


def test_contacts_are_counted_per_channel() -> None:
    """With the last one's type and time."""
    person = ann(touchpoint(1), touchpoint(2, "cart_add"), touchpoint(1.5, "call", channel="call_center"))

    assert profile(person, value_of)["interactions"] == (
        {"channel": "call_center", "type": "call", "occurred_at": NOON + int(1.5 * HOUR), "count": 1},
        {"channel": "web", "type": "cart_add", "occurred_at": NOON + 2 * HOUR, "count": 2},
    )


def test_a_profile_lists_identifiers_in_one_order_also_those_never_seen() -> None:
    """A list that depends on the order of arrival would be said again and again."""
    assert profile(ann(touchpoint(1)), value_of)["identifiers"] == (
        {"kind": "cookie", "value": "c", "first_seen": NOON + HOUR, "last_seen": NOON + HOUR},
        {"kind": "email", "value": "ann", "first_seen": None, "last_seen": None},
    )


def test_fingerprints_tell_sets_of_touchpoints_apart() -> None:
    """In any order; by key, content and time: what the fold can tell apart."""
    one, two = touchpoint(1, event_id="1"), touchpoint(1, event_id="2")
    assert one.content == two.content
    moved, said = touchpoint(2, event_id="1", content=one.content), touchpoint(1, event_id="1", content="0" * 16)

    assert fingerprint([one, two]) == fingerprint([two, one])
    assert fingerprint([]) == (0, 0)
    assert len({fingerprint(some) for some in ([one], [two], [moved], [said], [one, two], [one, moved])}) == 6


def test_what_was_last_said_longest_ago_is_left_out_where_there_is_no_room() -> None:
    """An attribute said again comes back; what is left out is counted."""
    said = [touchpoint(n, profile={name: "x" * 20}) for n, name in enumerate("abca")]

    person = ann(*said, room=160)

    assert (sorted(person.attributes), person.left_out) == (["a", "c"], 2)


def test_no_stream_of_attributes_makes_a_person_large() -> None:
    """Many names, large values, many in one touchpoint."""
    person = ann(
        *(touchpoint(n, profile={f"{n}": "x" * 900}) for n in range(50)),
        touchpoint(60, profile={f"many{k}": k for k in range(2_000)}),
        touchpoint(61, profile={"huge": "x" * 30_000}),
        room=20_000,
    )

    assert len(msgspec.json.encode(person.attributes)) <= 20_000
    assert person.left_out == 2_051

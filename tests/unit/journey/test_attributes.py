"""A person's attributes by rules: the room they have."""

from typing import Any

import msgspec

from tests.unit.journey.desk import touchpoint
from touchstone.journey.attributes import AttributeRules
from touchstone.model.component import Person
from touchstone.model.touchpoint import Touchpoint
from touchstone.topology.attributes import attributes_of
from touchstone.topology.model_attributes import WrittenAttribute

WRITTEN: dict[str, dict[str, Any]] = {
    "city": {"by": {"source": ["web"]}},
    "phone": {"multi": True},
    "owns": {"derive": {"collect": "product", "add": {"type": "order_paid"}}},
}


def rules() -> AttributeRules:
    """A rule for the city, periods for the telephone, a collection."""
    found = attributes_of({name: WrittenAttribute.model_validate(one) for name, one in WRITTEN.items()}, {}, {})
    assert found is not None
    return AttributeRules(found)


def ann(*touchpoints: Touchpoint, room: int = 1 << 16) -> tuple[Person, dict[str, dict[str, Any]]]:
    """Somebody who did this, and her record by attribute."""
    person, by = Person(members={"default/cookie:c": None}, is_nobody=False, states={}), rules()
    for one in touchpoints:
        by.observe(person, one, room)
    return person, {row["name"]: row for row in by.rows(person)}


def test_an_attribute_tells_where_it_comes_from_what_lost_and_when_it_held() -> None:
    """As the contract names it."""
    _, record = ann(touchpoint(1, profile={"city": "Bonn", "phone": "1"}), touchpoint(2, profile={"city": "Kiel", "phone": "2"}))

    assert {name: record["city"][name] for name in ("value", "source", "channel", "touchpoint", "rule")} == {
        "value": '"Kiel"',
        "source": "web",
        "channel": "web",
        "touchpoint": "web/search@2",
        "rule": "source",
    }
    assert [(one["value"], one["count"], one["lost_by"]) for one in record["city"]["alternatives"]] == [('"Bonn"', 1, "most_recent")]
    assert [(one["value"], one["valid_to"] is None) for one in record["phone"]["periods"]] == [('"1"', False), ('"2"', True)]


def test_an_attribute_of_which_nothing_holds_any_more_is_null_with_its_past() -> None:
    """Its provenance is that of the last value."""
    _, record = ann(touchpoint(1, profile={"phone": "1"}), touchpoint(2, profile={"phone": []}))

    assert (record["phone"]["value"], record["phone"]["touchpoint"]) == ("null", "web/search@1")
    assert len(record["phone"]["periods"]) == 1


def test_what_has_lost_makes_room_before_what_survives() -> None:
    """No attribute is left out as long as it is enough to forget what nobody chose."""
    said = [touchpoint(n, profile={"city": f"{n}" * 30, "phone": f"{n}" * 30}) for n in range(1, 9)]

    person, record = ann(*said, room=400)

    assert person.left_out == 0
    assert (record["city"]["value"], record["phone"]["value"]) == (f'"{"8" * 30}"', f'"{"8" * 30}"')
    assert len(record["city"]["alternatives"]) + len(record["phone"]["periods"]) < 8


def test_then_whole_attributes_are_left_out_what_was_said_longest_ago_first() -> None:
    """Of whatever kind they are; each is counted."""
    long = "x" * 60
    said = [
        touchpoint(1, profile={"city": long}),
        touchpoint(2, profile={"phone": long}),
        touchpoint(3, "order_paid", properties={"product": long}),
        touchpoint(4, profile={"name": long}),
        touchpoint(5, profile={"mood": long}),
    ]

    counts = []
    for room in (1000, 600, 400, 240, 160, 60):
        person, record = ann(*said, room=room)
        assert person.golden is not None
        assert {*record, *person.golden.collected, *person.attributes} == set(["city", "phone", "owns", "name", "mood"][person.left_out :])
        counts.append(person.left_out)

    assert counts[0] == 0
    assert counts[-1] == 5
    assert counts == sorted(counts)


def test_no_stream_of_values_makes_a_person_large() -> None:
    """Ever new values of every attribute stay within the room."""
    said = [
        touchpoint(
            n, "order_paid", profile={"city": f"{n}" * 200, "phone": [f"{n}" * 100, f"{n}.2" * 90]}, properties={"product": f"{n}" * 300}
        )
        for n in range(120)
    ]

    person, _ = ann(*said, room=20_000)

    golden = person.golden
    assert golden is not None
    assert len(msgspec.json.encode((person.attributes, golden.candidates, golden.spells, golden.collected))) <= 20_000

"""What follows from a golden record, and when it changes by itself."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.journey.desk import NOON, Desk, topology, touchpoint
from touchstone.journey.attributes import AttributeRules
from touchstone.journey.derived import MOST_COLLECTED
from touchstone.model.component import NEVER, Person
from touchstone.model.output import Customer
from touchstone.model.touchpoint import Touchpoint
from touchstone.topology.attributes import Attributes, attributes_of
from touchstone.topology.model_attributes import WrittenAttribute


def rules(**written: dict[str, Any]) -> Attributes:
    """The attributes of a topology, as its author writes them."""
    found = attributes_of({name: WrittenAttribute.model_validate(one) for name, one in written.items()}, {}, {})
    assert found is not None
    return found


def derived(attributes: Attributes, *touchpoints: Touchpoint, as_of: int = NOON) -> tuple[dict[str, str], int | None]:
    """The derived values (JSON text) of somebody who did this, and when they change."""
    person = Person(members={"default/cookie:c": None}, is_nobody=False, states={})
    compiled = AttributeRules(attributes)
    for one in touchpoints:
        compiled.observe(person, one, 1 << 16)
    changes_at = compiled.follow(person, as_of)
    assert person.golden is not None
    return {name: one.value for name, one in person.golden.derived.items()}, changes_at


def day(text: str) -> int:
    """Midnight of a day, UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


AGES = rules(birth={}, band={"derive": {"age_of": "birth", "bands": {"minor": 0, "young": 18, "old": 65}}})


def born(date: Any) -> Touchpoint:
    """Somebody says when she was born."""
    return touchpoint(-1, profile={"birth": date})


@pytest.mark.parametrize(
    ("date", "as_of", "band", "changes_at"),
    [
        ("2000-05-31", "2018-05-30", '"minor"', "2018-05-31"),
        ("2000-05-31", "2018-05-31", '"young"', "2065-05-31"),
        ("2000-05-31T22:00:00Z", "2018-05-31", '"young"', "2065-05-31"),
        ("2000-02-29", "2018-02-28", '"minor"', "2018-03-01"),
        ("1900-01-01", "2024-01-01", '"old"', None),
        ("2030-01-01", "2024-01-01", None, "2030-01-01"),
        ("9990-01-01", "2024-01-01", None, "9990-01-01"),
    ],
)
def test_an_age_chooses_its_band_from_birthday_to_birthday(date: str, as_of: str, band: str | None, changes_at: str | None) -> None:
    """To the day, in UTC; the time of the next change is known."""
    found = derived(AGES, born(date), as_of=day(as_of))

    assert found == ({} if band is None else {"band": band}, None if changes_at is None else day(changes_at))


@pytest.mark.parametrize("date", ["unknown", "2000-13-01", "20000531x", "2000-W10-1", 20000531, True, ["2000-05-31"], "", "2000-5-31"])
def test_what_is_no_date_has_no_age(date: Any) -> None:
    """And changes nothing with time."""
    assert derived(AGES, born(date)) == ({}, None)


def test_before_any_time_is_known_nobody_is_of_any_age() -> None:
    """The clock of a partition that was never told one."""
    assert derived(AGES, born("2000-05-31"), as_of=NEVER) == ({}, day("2000-05-31"))


def test_a_number_chooses_its_band_also_when_it_is_written_as_text() -> None:
    """Below the first there is none; what is no number has none."""
    income = rules(income={}, band={"derive": {"number_of": "income", "bands": {"low": 10, "high": 50.5}}})

    found = [derived(income, touchpoint(0, profile={"income": value}))[0].get("band") for value in (9, 10, "50.4", 50.5, "much", True)]

    assert found == [None, '"low"', '"low"', '"high"', None, None]


SHOP = rules(
    city={},
    owns={"derive": {"collect": "product", "add": {"type": "order_paid"}, "remove": {"type": ["refund", "exchange"]}}},
    segment={"derive": {"cases": {"rhine": {"city": {"in": ["Bonn", "Bad Ems"]}}, "cook": {"owns": "pan", "city": {"exists": True}}}}},
)


def paid(at: float, product: Any, kind: str = "order_paid") -> Touchpoint:
    """An order, or what takes it back."""
    return touchpoint(at, kind, properties={"product": product})


def test_touchpoints_fill_a_collection_and_empty_it() -> None:
    """One value or a list; what is bought again stands at its end."""
    bought = [paid(1, "pan"), paid(2, ["pot", "lid", None]), paid(3, "pan"), touchpoint(4, "order_paid"), touchpoint(5, "search")]

    assert derived(SHOP, *bought)[0] == {"owns": '["lid","pot","pan"]'}
    assert derived(SHOP, *bought, paid(6, ["pan", "cup"], "refund"))[0] == {"owns": '["lid","pot"]'}
    assert derived(SHOP, paid(1, "pan"), paid(2, "pan", "exchange"))[0] == {}


def test_a_collection_has_room_for_so_many_and_keeps_the_newest() -> None:
    """No stream of orders makes a record large."""
    owns = derived(SHOP, *(paid(n, n) for n in range(MOST_COLLECTED + 5)))[0]["owns"]

    assert owns == f"[{','.join(str(n) for n in range(5, MOST_COLLECTED + 5))}]"


def test_the_first_case_whose_conditions_all_hold_is_it() -> None:
    """Of several values one is enough."""
    assert derived(SHOP, touchpoint(0, profile={"city": "Bonn"}), paid(1, "pan"))[0]["segment"] == '"rhine"'
    assert derived(SHOP, touchpoint(0, profile={"city": "Kiel"}), paid(1, ["pot", "pan"]))[0]["segment"] == '"cook"'
    assert "segment" not in derived(SHOP, touchpoint(0, profile={"city": "Kiel"}), paid(1, "pot"))[0]


def test_what_a_producer_states_under_a_derived_name_does_not_count() -> None:
    """Nor is it kept."""
    assert derived(SHOP, touchpoint(0, profile={"segment": "vip"}))[0] == {}


def test_a_birthday_is_told_when_its_time_has_come() -> None:
    """The timer wakes the person; her record says so once."""
    desk = Desk(topology(attributes=rules(birth={}, band={"derive": {"age_of": "birth", "bands": {"minor": 0, "young": 18}}})))
    said = desk.meet("default/cookie:c", touchpoint(0, profile={"birth": "2006-06-11"}), now=0)

    early, on_time, later = (desk.tell(now=hours) for hours in (11.9, 12, 13))

    def bands(records: list[Any]) -> list[str]:
        return [one["value"] for record in records if isinstance(record, Customer) for one in record.attributes if one["name"] == "band"]

    assert bands(said) == ['"minor"']
    assert bands(on_time) == ['"young"']
    assert (early, later) == ([], [])
    assert desk.timers()[0][0] > 12

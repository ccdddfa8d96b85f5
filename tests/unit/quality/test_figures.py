"""The figures, from golden records and what each source said."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.model.output import Customer
from touchstone.quality.figures import GOLDEN, Figure, Quality, meaning
from touchstone.quality.said import Said

DAY = 86_400_000
NOW = 20_000 * DAY


def customer(number: int, status: str = "active", **attributes: tuple[Any, str, int]) -> Customer:
    """A customer whose attributes are (value, source, age in days)."""
    golden = tuple(
        {"name": name, "value": msgspec.json.encode(value).decode(), "source": source, "occurred_at": NOW - age * DAY}
        for name, (value, source, age) in attributes.items()
    )
    return Customer(f"c{number}", 1, "default", status, None, attributes=golden)


def said(number: int, source: str, age: int = 0, **profile: Any) -> Said:
    """What a source said of a customer some days ago."""
    return Said(f"c{number}", source, (NOW - age * DAY, source, "e"), profile)


def told(customers: list[Customer], heard: list[Said], **forms: str) -> dict[tuple[str, str], Figure]:
    """The figures by attribute and source."""
    quality = Quality(customers, NOW, forms)
    for one in heard:
        quality.hear(one)
    return {(figure.attribute, figure.source): figure for figure in quality.figures()}


PEOPLE = [
    customer(1, city=("Ulm", "crm", 10), mail=("ada@x.org", "web", 2)),
    customer(2, city=("Bonn", "web", 20)),
    customer(3),
    customer(4, status="merged", city=("Rome", "crm", 1)),
]
HEARD = [
    said(1, "crm", 10, city="Ulm"),
    said(1, "web", 2, city=" ULM.", mail="ada@x.org"),
    said(2, "crm", 30, city="Köln"),
    said(2, "web", 20, city="Bonn"),
    said(2, "web", 40, city="Köln"),
    said(3, "web", 1),
    said(4, "crm", 1, city="Rome"),
    said(9, "crm", 1, city="Rome"),
]


def test_the_golden_record_is_held_against_all_active_customers() -> None:
    """Two of three have a city; of both two sources speak, and of one they say the same."""
    city = told(PEOPLE, HEARD)["city", GOLDEN]

    assert (city.customers, city.stated, city.valid, city.compared, city.agreed) == (3, 2, 2, 2, 1)
    assert (city.completeness, city.validity, city.agreement) == (2 / 3, 1.0, 0.5)
    assert (city.age_days_median, city.age_days_p90) == (10, 20)


def test_what_has_ended_is_not_known_any_more() -> None:
    """A value that no source holds any more stands as null in the golden record, with when it ended."""
    people = [customer(1, phone=(None, "crm", 3)), customer(2, phone=("+44 20 7946 0000", "crm", 5))]

    phone = told(people, [said(1, "crm", 3), said(2, "crm", 5, phone="+44 20 7946 0000")])["phone", GOLDEN]

    assert (phone.customers, phone.stated, phone.valid, phone.age_days_median) == (2, 1, 1, 5)


def test_a_source_is_held_against_the_customers_of_whom_it_spoke() -> None:
    """The shop knows three and states two cities, the newer one of each; half of them survived."""
    found = told(PEOPLE, HEARD)
    web, crm = found["city", "web"], found["city", "crm"]

    assert (web.customers, web.stated, web.compared, web.agreed, web.golden) == (3, 2, 2, 1, 1)
    assert (web.age_days_median, web.age_days_p90) == (2, 20)
    assert (crm.customers, crm.stated, crm.golden) == (2, 2, 1)
    assert ("mail", "crm") not in found
    assert found["mail", "web"].agreement is None


def test_an_invalid_value_is_counted_where_it_was_said_and_where_it_survived() -> None:
    """By the form of the attribute's name, or the one that is given."""
    people = [customer(1, email=("nobody", "crm", 0), vip=("maybe", "crm", 0))]
    heard = [said(1, "crm", email="nobody", vip="maybe"), said(1, "web", 5, email="ada@x.org")]

    found = told(people, heard, vip="/[YN]/")

    assert [found["email", source].validity for source in (GOLDEN, "crm", "web")] == [0.0, 0.0, 1.0]
    assert [found["vip", source].validity for source in (GOLDEN, "crm")] == [0.0, 0.0]
    assert told(people, heard)["vip", GOLDEN].validity == 1.0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ada King", "ada  king", True),
        ("St. Ives", "St Ives", True),
        ("Cafe", "Café", False),
        ("ﬁ", "fi", True),
        (5, "5", True),
        (1.5, 1.5, True),
        (["a", "b"], ["B", "a"], True),
        ("山田", "山本", False),
        ("-", "?", False),
        (True, "true", True),
    ],
)
def test_two_statements_mean_the_same(one: Any, other: Any, same: bool) -> None:
    """Case, blanks, signs and the type are spelling; accents and words are not."""
    assert (meaning(one) == meaning(other)) is same


STATEMENTS = st.lists(
    st.builds(
        lambda number, source, age, event, city: Said(f"c{number}", source, (NOW - age * DAY, source, event), {"city": city}),
        st.integers(1, 4),
        st.sampled_from(["crm", "web", "app"]),
        st.integers(0, 3),
        st.sampled_from(["e1", "e2", "e3"]),
        st.sampled_from(["Ulm", "Bonn", "-", None]),
    ),
    unique_by=lambda one: (one.customer_id, one.order),
)


@given(STATEMENTS, st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_heard_does_not_matter(heard: list[Said], random: Any) -> None:
    """Law: the figures are a function of the customers and the set of what was said, and no share leaves 0 to 1."""
    shuffled, people = list(heard), list(PEOPLE)
    random.shuffle(shuffled)
    random.shuffle(people)

    found = told(people, shuffled + shuffled[:2])

    assert found == told(PEOPLE, heard)
    for figure in found.values():
        assert 0 <= figure.agreed <= figure.compared <= figure.customers
        assert 0 <= figure.valid <= figure.stated <= figure.customers
        assert figure.golden <= figure.stated

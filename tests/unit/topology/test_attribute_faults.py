"""Faults of the golden record in a topology, each with the place that the author is sent to."""

from textwrap import dedent

import pytest

from touchstone.errors import TopologyError
from touchstone.topology.attributes import Attributes, Criterion, Survival
from touchstone.topology.compile import Topology
from touchstone.topology.load import load_text

SHOP = """\
version: 1
name: shop
channels: {web: {aliases: [website]}, app: {}}
identifiers: {user_id: {unique: true}, phone: {}}
"""


def shop(attributes: str) -> Topology:
    """A shop with these attributes, from line 6 on."""
    return load_text(f"{SHOP}attributes:\n{attributes}", "t.yaml")


CASES = {
    "a misspelt rule": (
        "  city: {by: most_resent}", 6, 14, "unknown word `most_resent`: did you mean `most_recent`?"),
    "a rule that is no rule": ("  city: {by: 3}", 6, 14, "expected rules such as [{source: [crm, web]}, most_recent], found 3"),
    "an entry of a rule that is none": ("  city: {by: [{}]}", 6, 15, "expected one rule: most_recent, most_frequent, longest, {source"),
    "two rules in one entry": ("  city: {by: [{source: crm, channel: web}]}", 6, 15, "expected one rule"),
    "a rule behind the one that always decides": (
        "  city: {by: [most_recent, longest]}", 6, 28, "`longest` is never asked: two touchpoints are never equally recent"),
    "a rule twice": ("  city: {by: [longest, longest]}", 6, 24, "`longest` is never asked: it stands there before"),
    "a channel that is not there": ("  city: {by: {channel: [web, ap]}}", 6, 30, "unknown channel `ap`: did you mean `app`?"),
    "a source twice": ("  city: {by: {source: [crm, crm]}}", 6, 29, "duplicate source `crm`"),
    "no source at all": ("  city: {by: {source: []}}", 6, 23, "expected at least 1 entry, found 0"),
    "several values of attributes without a name": (
        '  "*": {multi: true}', 6, 9, "`*` stands for attributes that nobody has named"),
    "a derivation of attributes without a name": ('  "*": {derive: {age_of: a, bands: {b: 1}}}', 6, 9, "`*` stands for attributes"),
    "a derived attribute with a rule": (
        "  a: {}\n  b: {by: longest, derive: {age_of: a, bands: {c: 1}}}", 7, 7, "a derived attribute has one value, which nobody states"),
    "a derived attribute with several values": (
        "  a: {}\n  b: {multi: true, derive: {age_of: a, bands: {c: 1}}}", 7, 7, "a derived attribute has one value"),
    "derived in no way": ("  b: {derive: {}}", 6, 7, "expected one of age_of, number_of, cases and collect, found none"),
    "derived in two ways": (
        "  a: {}\n  b: {derive: {age_of: a, collect: c}}", 7, 7, "expected one of age_of, number_of, cases and collect, found age_of, collect"),
    "an age without bands": ("  a: {}\n  b: {derive: {age_of: a}}", 7, 16, "`age_of` needs its bands"),
    "bands without an age": (
        "  b: {derive: {collect: a, add: {}, bands: {c: 1}}}", 6, 37, "`bands` belong to `age_of` or `number_of`"),
    "half a year": ("  a: {}\n  b: {derive: {age_of: a, bands: {c: 1.5}}}", 7, 38, "expected whole years, 0 to 200, found 1.5"),
    "bands that fall": (
        "  a: {}\n  b: {derive: {number_of: a, bands: {c: 5, d: 5}}}", 7, 47, "expected bands in rising order: more than 5, found 5"),
    "a collection that nothing fills": ("  b: {derive: {collect: a}}", 6, 16, "a collection needs touchpoints that fill it: add `add`"),
    "something to add to an age": (
        "  a: {}\n  b: {derive: {age_of: a, bands: {c: 1}, add: {}}}", 7, 42, "`add` belongs to `collect`"),
    "a collection of a channel that is not there": (
        "  b: {derive: {collect: a, add: {channel: wep}}}", 6, 43, "unknown channel `wep`: did you mean `web`?"),
    "an attribute that is not there": (
        "  birth_date: {}\n  b: {derive: {age_of: birthdate, bands: {c: 1}}}", 7, 16, "unknown attribute `birthdate`: did you mean `birth_date`?"),
    "a condition on an attribute that is not there": (
        "  city: {}\n  b: {derive: {cases: {c: {town: Bonn}}}}", 7, 28, "unknown attribute `town`: expected one of `city`"),
    "a condition that asks nothing": (
        "  city: {}\n  b: {derive: {cases: {c: {city: {}}}}}", 7, 34, "nothing is asked of `city`"),
    "an attribute that follows from itself": ("  b: {derive: {cases: {c: {b: 1}}}}", 6, 28, "`b` cannot follow from itself"),
    "attributes that follow from each other": (
        "  a: {derive: {cases: {c: {b: 1}}}}\n  b: {derive: {cases: {c: {a: 1}}}}", 6, 28,
        "`a` follows from `b`, which is derived itself: put `b` above it"),
}  # fmt: skip


@pytest.mark.parametrize(("attributes", "line", "column", "message"), CASES.values(), ids=CASES)
def test_a_fault_of_an_attribute_is_named_with_its_place(attributes: str, line: int, column: int, message: str) -> None:
    """One fault, and no others in its train."""
    with pytest.raises(TopologyError) as caught:
        shop(attributes)

    (fault,) = caught.value.faults
    assert message in fault.message
    assert (fault.line, fault.column) == (line, column)


def test_words_and_aliases_become_rules() -> None:
    """A word, a mapping or a list; channels by their names."""
    found = shop(
        dedent("""\
          city: {}
          name: {by: longest}
          mail: {by: [{channel: [app, website]}, {source: crm}, most_frequent], multi: true}
          "*": {by: [most_frequent]}
        """)
        .replace("\n", "\n  ")
        .join(("  ", ""))
    ).attributes

    assert found == Attributes(
        {
            "city": Survival((Criterion("most_recent"),)),
            "name": Survival((Criterion("longest"),)),
            "mail": Survival((Criterion("channel", ("app", "web")), Criterion("source", ("crm",)), Criterion("most_frequent")), multi=True),
        },
        Survival((Criterion("most_frequent"),)),
    )


def test_what_goes_without_saying_changes_nothing() -> None:
    """A topology that asks for nothing runs as one without the key, on the state that is there."""
    plain = load_text(SHOP, "t.yaml")

    assert shop('  "*": {by: most_recent}').attributes is None
    assert shop('  "*": {by: most_recent}').fingerprint == plain.fingerprint


@pytest.mark.parametrize(
    "changed",
    [
        f"{SHOP}attributes: {{city: {{}}}}",
        f"{SHOP}attributes: {{city: {{by: longest}}}}",
        f"{SHOP}attributes: {{city: {{derive: {{collect: city, add: {{type: order_paid}}}}}}}}",
        SHOP.replace("phone: {}", "phone: {recycled: true}"),
    ],
)
def test_what_decides_the_golden_record_changes_the_fingerprint(changed: str) -> None:
    """A state that was made by other rules is not gone on with."""
    others = {load_text(SHOP, "t.yaml").fingerprint, shop("  city: {by: most_frequent}").fingerprint}

    assert load_text(changed, "t.yaml").fingerprint not in others

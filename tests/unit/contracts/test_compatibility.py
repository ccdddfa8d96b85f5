"""What may not change in a schema that is released, and how that is said."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from touchstone.contracts.compatibility import LEVELS, Version, breaks
from touchstone.contracts.registry import bundled_schemas

Document = dict[str, Any]


def field(document: Document, name: str) -> Document:
    """A field of a record by its name."""
    found: Document = next(each for each in document["fields"] if each["name"] == name)
    return found


def without(document: Document, name: str) -> None:
    """Take a field away."""
    document["fields"].remove(field(document, name))


def with_new(document: Document, **field: Any) -> None:
    """Add a field."""
    document["fields"].append({"name": "sure", **field})


def retyped(document: Document, name: str, type_: Any) -> None:
    """Give a field another type."""
    field(document, name)["type"] = type_


def inner_without(document: Document) -> None:
    """Take a field away from the rows of a customer."""
    without(field(document, "identifiers")["type"]["items"], "value")


@pytest.mark.parametrize(
    ("record", "change", "said"),
    [
        (
            "Moment",
            lambda moment: without(moment, "rule"),
            "Moment.rule has no default in release 1 and is missing in this version: release 1 cannot read records of this version",
        ),
        (
            "Moment",
            lambda moment: with_new(moment, type="boolean"),
            "Moment.sure has no default in this version and is missing in release 1: this version cannot read records of release 1",
        ),
        (
            "Customer",
            inner_without,
            "Customer.identifiers[].value has no default in release 1 and is missing in this version: release 1 cannot read records of this version",
        ),
        (
            "Touchpoint",
            lambda touchpoint: retyped(touchpoint, "event_id", "long"),
            "Touchpoint.event_id is long in this version and string in release 1: this version cannot read records of release 1",
        ),
        (
            "Moment",
            lambda moment: retyped(moment, "revision", "double"),
            "Moment.revision is long in release 1 and double in this version: release 1 cannot read records of this version",
        ),
        (
            "Moment",
            lambda moment: retyped(moment, "persona", "string"),
            "Moment.persona is string in this version and null or string in release 1: this version cannot read records of release 1",
        ),
        (
            "Moment",
            lambda moment: moment.update(name="Instant"),
            (
                "Instant is called touchstone.Instant in this version and touchstone.Moment in release 1: "
                "this version cannot read records of release 1"
            ),
        ),
    ],
    ids=["gone", "new without default", "gone inside", "another type", "wider", "not empty any more", "another name"],
)
def test_a_change_that_breaks_somebody_is_refused_with_the_name_of_the_field(
    record: str, change: Callable[[Document], None], said: str
) -> None:
    """And with who can no longer read whom."""
    released = bundled_schemas().current(record).document
    changed = copy.deepcopy(released)
    change(changed)

    assert said in breaks(record, changed, [Version("release 1", released)])


@pytest.mark.parametrize(
    ("record", "change"),
    [
        ("Moment", lambda moment: with_new(moment, type="boolean", default=False)),
        ("Moment", lambda moment: field(moment, "kind")["type"]["symbols"].append("wink")),
        ("Moment", lambda moment: field(moment, "rule").update(doc="Other words.")),
        ("Touchpoint", lambda touchpoint: without(touchpoint, "media")),
        ("Touchpoint", lambda touchpoint: without(touchpoint, "type")),
    ],
    ids=["new with default", "a word more", "other words", "an input less", "a required input less"],
)
def test_a_change_that_breaks_nobody_is_let_through(record: str, change: Callable[[Document], None]) -> None:
    """Of what is read only, more may go than of what others read."""
    released = bundled_schemas().current(record).document
    changed = copy.deepcopy(released)
    change(changed)

    assert breaks(record, changed, [Version("release 1", released)]) == []


def test_every_record_type_has_a_level() -> None:
    """What producers write must stay readable; what we write, in both directions."""
    assert set(LEVELS) == {schema.name for schema in bundled_schemas().all()}
    assert {record for record, level in LEVELS.items() if level == "BACKWARD_TRANSITIVE"} == {"Touchpoint", "Command"}

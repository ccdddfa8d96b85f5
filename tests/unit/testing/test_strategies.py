"""What the shared strategies promise to the laws that use them."""

from typing import Any

from hypothesis import given

from touchstone.model.identifier import kind_of
from touchstone.model.touchpoint import Touchpoint
from touchstone.testing.strategies import KINDS, UNIQUE, raw_touchpoints, touchpoints


@given(touchpoints())
def test_a_touchpoint_is_one_that_intake_would_hand_on(touchpoint: Touchpoint) -> None:
    """At least one identifier, strongest kind first, none twice, at most one value of a unique kind."""
    kinds = [kind_of(key) for key in touchpoint.identifiers]

    assert kinds == sorted(kinds, key=KINDS.index)
    assert len(set(touchpoint.identifiers)) == len(touchpoint.identifiers) > 0
    assert all(kinds.count(kind) < 2 for kind in UNIQUE)
    assert touchpoint.received_at >= touchpoint.occurred_at


@given(raw_touchpoints())
def test_a_raw_touchpoint_has_what_a_producer_must_say(raw: dict[str, Any]) -> None:
    """The required fields are there."""
    assert {"event_id", "channel", "type", "occurred_at", "identifiers"} <= raw.keys()
    assert raw["identifiers"]

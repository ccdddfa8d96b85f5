"""When it happened, whatever the device's clock says (C4)."""

from typing import Any

import pytest

from tests.unit.intake.shop import HOUR, NOON, SHOP, accepted, intake, touchpoint
from touchstone.model.touchpoint import Touchpoint
from touchstone.observe.metrics import SKEWED, Counts

FUTURE = 1_924_992_000_000
"""2031-01-01T00:00:00Z: the clock of the device in C4."""


def times(**fields: Any) -> tuple[int, int, int | None, str | None]:
    """(occurred_at, received_at, claimed_at, skew) of a touchpoint with these fields in a record of NOON."""
    found = accepted(touchpoint(**fields)).touchpoint
    return found.occurred_at, found.received_at, found.claimed_at, found.skew


def test_a_wrong_clock_is_corrected_by_the_time_of_sending() -> None:
    """C4: created 2031-01-01, sent 2 s later, received 10:00:05 -> it happened at 10:00:03; what was claimed is kept."""
    assert times(occurred_at=FUTURE, sent_at=FUTURE + 2_000, received_at=NOON + 5_000) == (NOON + 3_000, NOON + 5_000, FUTURE, "sent_at")


def test_a_clock_that_is_behind_is_corrected_too() -> None:
    """Sent 1 h behind: it happened 1 h later than claimed."""
    assert times(occurred_at=NOON - HOUR, sent_at=NOON - HOUR, received_at=NOON)[:3] == (NOON, NOON, NOON - HOUR)


def test_without_a_time_of_sending_the_far_future_is_the_time_of_receipt() -> None:
    """C4: more than the tolerated skew ahead of receipt -> the time of receipt, flagged."""
    assert times(occurred_at=FUTURE, received_at=NOON) == (NOON, NOON, FUTURE, "received_at")


def test_the_near_future_is_believed() -> None:
    """Up to the tolerated skew, inclusive, nothing is corrected."""
    assert times(occurred_at=NOON + SHOP.skew_ms, received_at=NOON) == (NOON + SHOP.skew_ms, NOON, None, None)
    assert times(occurred_at=NOON + SHOP.skew_ms + 1, received_at=NOON) == (NOON, NOON, NOON + SHOP.skew_ms + 1, "received_at")


def test_what_lies_in_the_future_after_the_correction_is_the_time_of_receipt() -> None:
    """A touchpoint sent long before it happened cannot be: flagged."""
    assert times(occurred_at=NOON + HOUR, sent_at=NOON - HOUR, received_at=NOON) == (NOON, NOON, NOON + HOUR, "received_at")


def test_a_clock_that_is_wrong_by_more_than_the_tolerated_skew_is_flagged_and_counted() -> None:
    """C4: exactly the tolerated skew, ahead or behind, is what clocks are like; both ways of putting it right are counted by channel."""
    counts = Counts()
    agent = intake(counts)
    sent = [
        accepted(touchpoint(occurred_at=NOON + ahead, sent_at=NOON + ahead, received_at=NOON), agent).touchpoint.skew
        for ahead in (SHOP.skew_ms, -SHOP.skew_ms, SHOP.skew_ms + 1, -SHOP.skew_ms - 1)
    ]
    guessed = accepted(touchpoint(occurred_at=FUTURE, received_at=NOON), agent, channel="iot").touchpoint.skew

    assert (sent, guessed) == ([None, None, "sent_at", "sent_at"], "received_at")
    assert (counts.of(SKEWED, "web", "sent_at"), counts.of(SKEWED, "iot", "received_at")) == (2, 1)


@pytest.mark.parametrize("place", ["properties", "attributes"])
def test_transport_times_may_stand_among_the_properties(place: str) -> None:
    """They are read there and taken out: how it travelled is not what it says."""
    stated = touchpoint(occurred_at=FUTURE, **{place: {"sent_at": FUTURE, "received_at": "2024-06-10T12:00:00Z", "page": "/"}})

    found = accepted(stated, timestamp=NOON + HOUR).touchpoint

    assert (found.occurred_at, found.received_at, found.properties) == (NOON, NOON, {"page": "/"})


def test_the_top_level_goes_before_the_properties() -> None:
    """Where both name a time of receipt, the contract's own field counts."""
    assert times(received_at=NOON, properties={"received_at": NOON + HOUR})[1] == NOON


def test_a_property_that_is_no_time_is_a_property() -> None:
    """A parcel's `received_at: by neighbour` is about the parcel; the record's own time counts then."""
    found = accepted(touchpoint(properties={"received_at": "by neighbour"})).touchpoint

    assert (found.received_at, found.properties) == (NOON, {"received_at": "by neighbour"})


def content(**fields: Any) -> str:
    """The content hash of a touchpoint with these fields."""
    found: Touchpoint = accepted(touchpoint(**fields)).touchpoint
    return found.content


def test_the_same_statement_sent_again_has_the_same_content() -> None:
    """The order of keys, the way it travelled, spelling of identifiers and times do not change what it says."""
    same = {
        content(properties={"a": 1, "b": {"x": 1, "y": 2}}),
        content(properties={"b": {"y": 2, "x": 1}, "a": 1}, received_at=NOON + 7),
        content(properties={"a": 1, "b": {"x": 1, "y": 2}, "received_at": NOON + 5}, sent_at=NOON + 7),
        content(properties={"a": 1, "b": {"x": 1, "y": 2}}, occurred_at=NOON, identifiers=[{"kind": "ecid", "value": " c1 "}]),
    }

    assert len(same) == 1


def test_another_statement_has_another_content() -> None:
    """Each field that says something counts, also the time that was claimed."""
    others = [
        content(),
        content(type="login"),
        content(channel="app"),
        content(occurred_at=NOON + 1),
        content(identifiers={"cookie": "c2"}),
        content(properties={"a": 1}),
        content(context={"a": 1}),
        content(profile={"a": 1}),
        content(consents={"a": True}),
        content(media="paid"),
        content(sentiment=0.5),
    ]

    assert len(set(others)) == len(others)

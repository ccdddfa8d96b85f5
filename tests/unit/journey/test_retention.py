"""What is forgotten of a long history."""

from tests.unit.journey.desk import NOON, touchpoint
from touchstone.journey.retention import expired


def test_past_the_horizon_the_last_of_each_type_stay() -> None:
    """Per identifiers and type; what is younger is no matter."""
    old, older, oldest, young = (touchpoint(at) for at in (-1, -2, -3, 0))
    other, elsewhere = touchpoint(-9, "cart_add"), touchpoint(-9, "search", "cookie:other")

    assert expired([old, oldest, young, other, elsewhere, older], NOON, 2) == [oldest]
    assert expired([old, oldest, older], NOON, 1) == [oldest, older]


def test_exactly_at_the_horizon_is_young() -> None:
    """A millisecond before it is old."""
    some = [touchpoint(0), touchpoint(0, event_id="other")]

    assert expired(some, NOON, 1) == []
    assert len(expired(some, NOON + 1, 1)) == 1


def test_nothing_is_forgotten_where_no_more_than_the_last_are_left() -> None:
    """Also when all are old."""
    assert expired([touchpoint(-1), touchpoint(-2)], NOON, 2) == []

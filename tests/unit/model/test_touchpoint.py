"""One observed contact."""

from tests.unit.journey.desk import touchpoint


def test_the_key_names_the_source_and_its_event() -> None:
    """Two sources may use one event id."""
    assert touchpoint(0, event_id="7").key == "web/7"


def test_touchpoints_are_ordered_by_time_then_source_then_event() -> None:
    """A total order inside a tenant: the fold never depends on how they came."""
    early, late, other = touchpoint(0, event_id="b"), touchpoint(1, event_id="a"), touchpoint(0, event_id="a")

    assert sorted([late, early, other], key=lambda t: t.order) == [other, early, late]

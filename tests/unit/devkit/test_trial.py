"""What a trial concludes."""

import msgspec

from tests.unit.devkit.test_audience import moment
from touchstone.devkit.trial import Verdict, dead_letters, repeated
from touchstone.view import FinalView

EMPTY = FinalView().final(0, 0)
WITH_ONE = FinalView([moment()]).final(10, 100)


def verdict(**changed: object) -> Verdict:
    """A verdict that differs in this from: nothing was said, by nobody."""
    plain: dict[str, object] = {
        "as_of": 0,
        "live": EMPTY,
        "twin": EMPTY,
        "touchpoints": 0,
        "repeated": 0,
        "kills": (),
        "aborted": 0,
        "seconds": {"ready": 1.0, "sent": 2.0, "quiet": 3.0},
    }
    return Verdict(**(plain | changed))  # type: ignore[arg-type]  # fields by name


def test_equal_views_without_repetition_are_equal() -> None:
    """Both believe the same, and each revision was said once."""
    assert verdict(live=WITH_ONE, twin=WITH_ONE).is_equal


def test_a_moment_that_only_one_of_them_believes_is_a_difference_with_a_line() -> None:
    """The line says which moment, and who has it."""
    different = verdict(live=WITH_ONE)

    assert not different.is_equal
    assert different.differences == [
        "moment m1: only in live: purchase transition start -> interest by searched at 1970-01-01T00:00:00.001Z of customer ada"
    ]


def test_what_is_said_twice_is_not_equal_though_the_views_are() -> None:
    """Exactly once is part of the promise."""
    assert not verdict(repeated=1).is_equal


def test_a_revision_counts_as_repeated_once_however_often_it_comes() -> None:
    """Two revisions of one moment are none; one revision three times is one."""
    assert repeated([moment(), moment(revision=2)]) == 0
    assert repeated([moment(), moment(), moment(), moment(revision=2)]) == 1


def test_dead_letters_are_listed_by_reason_the_most_frequent_first() -> None:
    """With what was found and how often."""
    letters = [{"reason": "invalid_json", "detail": "torn"}, *[{"reason": "unknown_channel", "detail": "fax"}] * 2]
    final = msgspec.convert({"moments": [], "customers": [], "deadletters": letters}, dict[str, list[dict[str, object]]])

    assert dead_letters(final) == [("unknown_channel", "fax", 2), ("invalid_json", "torn", 1)]

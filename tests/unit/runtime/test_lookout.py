"""What one look says."""

import pytest
from aiokafka import TopicPartition

from touchstone.runtime.client import Lag
from touchstone.runtime.lookout import Sight

SIGHT = Sight(
    lags=(Lag("web", 0, 7, 0, 10), Lag("web", 1, None, 2, 5), Lag("app.journey", 0, 4, 0, 4)),
    undecided=(TopicPartition("moments.v1", 0),),
    reached={0: 100, 1: 90},
)


def test_what_was_never_committed_is_behind_from_its_beginning() -> None:
    """Three of ten, and all three that are still there."""
    assert SIGHT.behind(["web"]) == 6
    assert SIGHT.behind() == 6
    assert SIGHT.done(["web"]) == 7
    assert SIGHT.there(["web"]) == 13


@pytest.mark.parametrize(
    ("until", "partitions", "passed"),
    [(90, 2, True), (91, 2, False), (90, 3, False), (None, 3, True)],
    ids=["yes", "one has not", "one is silent", "any time"],
)
def test_a_time_is_passed_when_every_partition_has_passed_it(until: int | None, partitions: int, passed: bool) -> None:
    """A partition that has said nothing has passed nothing."""
    assert SIGHT.has_passed(until, partitions) is passed

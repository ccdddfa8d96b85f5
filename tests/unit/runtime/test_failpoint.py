"""Failpoints are off unless a test arms them, and act at exactly the visit it names."""

import pytest

from touchstone.errors import InvariantBroken, UsageError
from touchstone.runtime.failpoint import VARIABLE, Failpoints


def test_without_the_variable_nothing_happens() -> None:
    """Nobody meets a failpoint by accident."""
    Failpoints.from_environment({}).reached("commit.before_end")


def test_a_failpoint_acts_at_the_visit_it_was_armed_for_and_only_then() -> None:
    """The third visit raises; the fourth does not."""
    failpoints = Failpoints.from_environment({VARIABLE: "commit.before_end:3:raise"})
    failpoints.reached("commit.before_end")
    failpoints.reached("commit.before_stores")
    failpoints.reached("commit.before_end")

    with pytest.raises(InvariantBroken, match=r"commit\.before_end"):
        failpoints.reached("commit.before_end")
    failpoints.reached("commit.before_end")


@pytest.mark.parametrize("value", ["nowhere:1:kill", "commit.before_end:x:kill", "commit.before_end:1:explode", "commit.before_end"])
def test_a_misspelt_failpoint_is_refused(value: str) -> None:
    """A fault test that plants no fault must not pass."""
    with pytest.raises(UsageError, match="expected place:count:action"):
        Failpoints.from_environment({VARIABLE: value})

"""Counting what is said."""

from typing import Any

import msgspec

from tests.samples import moment_with
from touchstone.devkit.audience import Tally
from touchstone.model.output import Customer, DeadLetter, IdentityChange, Moment

MOMENT = moment_with(occurred_at=1, detected_at=2)


def moment(**changed: Any) -> Moment:
    """A moment that differs in this."""
    return msgspec.structs.replace(MOMENT, **changed)


def test_moments_are_counted_by_what_stands_and_corrections_by_what_was_said() -> None:
    """A moment taken back stands no more; that it was taken back is counted, and so is its cause."""
    tally = Tally([moment(), moment(moment_id="m2", kind="timeout"), moment(revision=2, action="retract", corrects="merge")])

    assert tally.by_kind_and_phase() == [("timeout", "interest", 1)]
    assert tally.taken_back == 1
    assert tally.corrections == {"merge": 1}


def test_a_record_that_comes_twice_counts_once() -> None:
    """A reader may see again what it has seen."""
    change = IdentityChange("c1", "merged", "default", "ada", ("bob",), (), None, "claim", 1)
    tally = Tally([moment(), change, moment(), change, moment(revision=2, action="retract", corrects="late")])

    tally.take(moment(revision=2, action="retract", corrects="late"))

    assert (tally.changes["merged"], tally.taken_back, tally.corrections["late"]) == (1, 1, 1)


def test_people_are_those_who_are_active_now() -> None:
    """Who was merged away is nobody any more; a dead letter is nobody at all."""
    letter = DeadLetter("d1", "invalid_json", "", None, "t", 0, 0, 1, None, b"", 0, "")
    tally = Tally([Customer("ada", 1, "default", "active", None), Customer("bob", 1, "default", "active", None), letter])

    tally.take(Customer("bob", 2, "default", "merged", "ada"))

    assert tally.people == 1
    assert len(tally.view.deadletters) == 1


def test_dormancy_has_no_phase_and_is_counted_by_its_rule() -> None:
    """A state beside the phases has a name all the same."""
    assert Tally([moment(to_phase=None, kind="timeout", rule="dormant")]).by_kind_and_phase() == [("timeout", "dormant", 1)]

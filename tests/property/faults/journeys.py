"""Faults to plant in the fold of journeys."""

from tests.property.faults.fault import Fault

FAULTS = (
    # -- the fold
    Fault(
        "a touchpoint exactly at a deadline is too late",
        "journey/fold.py",
        "drafts += advance(state, journey, touchpoint.occurred_at - 1)",
        "drafts += advance(state, journey, touchpoint.occurred_at)",
    ),
    Fault(
        "a silence counts from the entry only",
        "journey/fold.py",
        "reset if reset is not None and reset.at >= entered.at else entered",
        "entered",
    ),
    Fault(
        "a fold takes touchpoints as they come",
        "journey/fold.py",
        "for touchpoint in sorted(touchpoints, key=lambda t: t.order):",
        "for touchpoint in touchpoints:",
    ),
)

"""Touchpoints -> journey: transition, skip, regression, dormancy, return, silence, and exactly at the boundary."""

from collections.abc import Iterable

import pytest

from tests.unit.journey.desk import HOUR, NOON, journey, rule, touchpoint
from touchstone.journey.fold import DORMANT, advance, fold, next_deadline, winners
from touchstone.journey.rules import CompiledJourney
from touchstone.model.component import NEVER
from touchstone.model.journey import Draft, JourneyState
from touchstone.model.touchpoint import Touchpoint
from touchstone.topology.compile import Rule

SEARCHED = rule("searched", "interest", "search")
CONSIDERED = rule("considered", "decision", "cart_add quote")
BOUGHT = rule("bought", "purchase", "order_paid")
REFUNDED = rule(
    "refunded", "decision", "refund", from_phases=frozenset({"purchase"}), after=frozenset({"order_paid"}), within_ms=14 * 24 * HOUR
)
ABANDONED = rule("abandoned", "interest", "cart_add quote", from_phases=frozenset({"decision"}), absence_ms=48 * HOUR)
SHOP = (SEARCHED, CONSIDERED, BOUGHT, REFUNDED, ABANDONED)


def told(
    *touchpoints: Touchpoint, rules: Iterable[Rule] = SHOP, dormant: float | None = None, until: float = 0
) -> list[tuple[str, str | None, str | None, float]]:
    """What is said of these touchpoints until so many hours after noon."""
    state, drafts, _ = fold(touchpoints, compiled(rules, dormant), NOON + int(until * HOUR))
    assert isinstance(state, JourneyState)
    return [(draft.kind, draft.from_phase, draft.to_phase, (draft.at - NOON) / HOUR) for draft in drafts]


def compiled(rules: Iterable[Rule] = SHOP, dormant: float | None = None) -> CompiledJourney:
    """A journey of these rules."""
    return CompiledJourney(journey(*rules, dormant_ms=None if dormant is None else int(dormant * HOUR)))


def drafts_of(*touchpoints: Touchpoint, rules: Iterable[Rule] = SHOP, dormant: float | None = None, until: float = 0) -> list[Draft]:
    """The drafts themselves."""
    return fold(touchpoints, compiled(rules, dormant), NOON + int(until * HOUR))[1]


def test_nobody_has_done_anything_yet() -> None:
    """No phase, no deadline, nothing to say."""
    state, drafts, fired = fold([], compiled(dormant=1), NOON)

    assert (state, drafts, fired) == (JourneyState(), [], NEVER)


def test_a_first_touchpoint_leads_from_the_start_to_a_phase() -> None:
    """Whatever does not concern the journey leads nowhere."""
    assert told(touchpoint(0, "page_view"), touchpoint(1)) == [("transition", None, "interest", 1)]


def test_a_leap_skips_the_phases_between() -> None:
    """They are named."""
    (draft,) = drafts_of(touchpoint(0, "order_paid"))

    assert (draft.kind, draft.to_phase, draft.skipped) == ("transition", "purchase", ("interest", "decision"))


def test_a_rule_without_from_never_leads_back() -> None:
    """Who looks again after the order is still where she was."""
    assert told(touchpoint(0, "order_paid"), touchpoint(1), touchpoint(2, "cart_add")) == [("transition", None, "purchase", 0)]


def test_a_rule_with_from_leads_back() -> None:
    """A regression; nothing is skipped on the way back."""
    said = drafts_of(touchpoint(0, "order_paid"), touchpoint(24, "refund"))

    assert [(draft.kind, draft.from_phase, draft.to_phase, draft.skipped) for draft in said[1:]] == [
        ("regression", "purchase", "decision", ())
    ]


def test_a_rule_that_asks_for_another_type_before_is_met_exactly_at_the_end_of_its_time() -> None:
    """And not a millisecond later."""
    order = touchpoint(0, "order_paid")

    assert len(told(order, touchpoint(14 * 24, "refund"))) == 2
    assert len(told(order, touchpoint(14 * 24 + 1 / 3600, "refund"))) == 1
    assert told(touchpoint(0, "refund"), touchpoint(1, "order_paid")) == [("transition", None, "purchase", 1)]


def test_the_first_rule_of_the_file_that_applies_wins() -> None:
    """And one touchpoint moves a journey once."""
    rules = (rule("one", "interest", "search"), rule("two", "purchase", "search"))

    assert [draft.rule for draft in drafts_of(touchpoint(0), touchpoint(1), rules=rules)] == ["one", "two"]


def test_a_rule_that_loses_still_counts() -> None:
    """Two orders: the first is the purchase, the second makes it loyalty."""
    loyal = rule("loyal", "purchase", "order_paid", from_phases=frozenset({"decision"}), count=2, within_ms=9 * HOUR)
    first = rule("first", "decision", "order_paid")

    said = drafts_of(touchpoint(0, "order_paid"), touchpoint(9, "order_paid"), rules=(loyal, first))

    assert [(draft.rule, draft.triggers) for draft in said] == [
        ("first", ("web/order_paid@0",)),
        ("loyal", ("web/order_paid@0", "web/order_paid@9")),
    ]


def test_silence_speaks_at_its_own_time() -> None:
    """However late it is noticed."""
    assert told(touchpoint(0, "cart_add"), until=500)[1:] == [("timeout", "decision", "interest", 48)]
    assert told(touchpoint(0, "cart_add"), until=48)[1:] == [("timeout", "decision", "interest", 48)]
    assert told(touchpoint(0, "cart_add"), until=47.999)[1:] == []


def test_a_silence_is_broken_by_what_it_waits_for() -> None:
    """It counts anew from there; other touchpoints do not break it."""
    assert told(touchpoint(0, "cart_add"), touchpoint(40, "quote"), touchpoint(80, "page_view"), until=100)[1:] == [
        ("timeout", "decision", "interest", 88)
    ]


def test_a_touchpoint_exactly_at_a_deadline_is_in_time() -> None:
    """A millisecond later it is not."""
    assert told(touchpoint(0, "cart_add"), touchpoint(48, "cart_add"), until=49)[1:] == []
    late = told(touchpoint(0, "cart_add"), touchpoint(48 + 1 / 3_600_000, "cart_add"), until=49)[1:]
    assert [kind for kind, *_ in late] == ["timeout", "transition"]


def test_a_deadline_names_the_touchpoint_from_which_the_silence_counts() -> None:
    """And its own time is part of the moment's id."""
    timeout = drafts_of(touchpoint(0, "cart_add"), touchpoint(10, "quote"), until=99)[1]

    assert (timeout.triggers, timeout.deadline, timeout.at) == (("web/quote@10",), NOON + 58 * HOUR, NOON + 58 * HOUR)


def test_a_silence_before_the_phase_began_does_not_count() -> None:
    """The entry into the phase begins it."""
    again = rule("again", "decision", "search", from_phases=frozenset({"interest"}))

    said = told(touchpoint(0, "cart_add"), touchpoint(60), rules=(CONSIDERED, ABANDONED, again), until=200)

    assert said[1:] == [
        ("timeout", "decision", "interest", 48),
        ("transition", "interest", "decision", 60),
        ("timeout", "decision", "interest", 108),
    ]


def test_a_long_silence_makes_dormant_in_whatever_phase() -> None:
    """A state beside the phases: the phase stays."""
    state, drafts, fired = fold([touchpoint(0)], compiled(dormant=30), NOON + 30 * HOUR)

    assert (state.phase, state.is_dormant, fired) == ("interest", True, NOON + 30 * HOUR)
    assert [(draft.kind, draft.rule, draft.from_phase, draft.to_phase) for draft in drafts[1:]] == [("timeout", DORMANT, "interest", None)]


def test_nobody_is_dormant_who_never_began() -> None:
    """A page seen once is no journey."""
    assert told(touchpoint(0, "page_view"), dormant=1, until=99) == []


def test_any_touchpoint_puts_dormancy_off() -> None:
    """Also one that concerns no rule."""
    assert told(touchpoint(0), touchpoint(20, "page_view"), dormant=30, until=49) == [("transition", None, "interest", 0)]


def test_who_comes_back_starts_a_new_cycle_wherever_the_rule_leads() -> None:
    """Also to an earlier phase, or the same one: a return, not a regression."""
    said = drafts_of(touchpoint(0, "order_paid"), touchpoint(50), dormant=30, until=51)

    assert [(draft.kind, draft.from_phase, draft.to_phase, draft.cycle, draft.skipped) for draft in said] == [
        ("transition", None, "purchase", 1, ("interest", "decision")),
        ("timeout", "purchase", None, 1, ()),
        ("reentry", "purchase", "interest", 2, ()),
    ]


def test_who_is_dormant_is_not_timed_out_again() -> None:
    """Silence has said what it can."""
    assert told(touchpoint(0, "cart_add"), dormant=10, until=999)[1:] == [("timeout", "decision", None, 10)]


def test_of_two_deadlines_at_one_time_the_rule_speaks_before_dormancy() -> None:
    """A fixed order, so that it does not depend on who looks."""
    said = told(touchpoint(0, "cart_add"), dormant=48, until=48)

    assert said[1:] == [("timeout", "decision", "interest", 48), ("timeout", "interest", None, 48)]


def test_a_chain_of_silences_fires_one_after_the_other() -> None:
    """Each counts from the entry into its phase, which the one before it has made."""
    back = rule("lost", "lost", None, from_phases=frozenset({"interest"}), absence_ms=2 * HOUR)
    one = CompiledJourney(journey(CONSIDERED, ABANDONED, back, phases="lost interest decision"))

    _, drafts, fired = fold([touchpoint(0, "cart_add")], one, NOON + 99 * HOUR)

    assert [(draft.to_phase, (draft.at - NOON) / HOUR) for draft in drafts] == [("decision", 0), ("interest", 48), ("lost", 50)]
    assert fired == NOON + 50 * HOUR


def test_a_touchpoint_of_the_future_is_told_and_its_silence_waits() -> None:
    """A device's clock runs ahead: deadlines before it fire, those after it do not."""
    journey_ = compiled()
    state, drafts, _ = fold([touchpoint(0, "cart_add"), touchpoint(60, "cart_add")], journey_, NOON + HOUR)

    assert [draft.kind for draft in drafts] == ["transition", "timeout", "transition"]
    assert next_deadline(state, journey_) == (NOON + 108 * HOUR, journey_.absences[0])


def test_times_before_1970_are_times() -> None:
    """A history may begin there."""
    old = touchpoint(-600_000, "cart_add")
    assert old.occurred_at < 0

    assert [kind for kind, *_ in told(old)] == ["transition", "timeout"]


def test_time_that_stands_still_says_nothing_twice() -> None:
    """To let the same time pass again changes nothing."""
    one = compiled(dormant=60)
    state, _, _ = fold([touchpoint(0, "cart_add")], one, NOON + 48 * HOUR)

    assert advance(state, one, NOON + 48 * HOUR) == []
    assert len(advance(state, one, NOON + 60 * HOUR)) == 1


@pytest.mark.parametrize("first", [0, 1])
def test_of_several_statements_under_one_key_the_earliest_counts(first: int) -> None:
    """Then the one with the smaller content, whichever came first."""
    early, late = touchpoint(0, event_id="x", content="bb"), touchpoint(1, event_id="x", content="aa")
    same = touchpoint(0, event_id="x", content="cc")
    other = touchpoint(5, event_id="y")

    found = winners([early, late, same, other][:: 1 if first else -1])

    assert sorted(t.content for t in found) == sorted(["bb", other.content])

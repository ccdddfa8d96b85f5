"""Predicates: which touchpoint answers, did enough of them, was the other one recent."""

from typing import Any

import pytest

from tests.unit.journey.desk import HOUR, journey, rule, touchpoint
from touchstone.journey.rules import CompiledJourney, compile_comparison, compile_match, is_met, remember, value_at
from touchstone.model.journey import JourneyState, Mark
from touchstone.topology.match import Comparison, Match


def mark(at: float, key: str | None = None) -> Mark:
    """A touchpoint remembered, `at` hours."""
    return Mark(int(at * HOUR), key or f"web/{at:g}", "web", "owned")


@pytest.mark.parametrize(
    ("operator", "expected", "holds_for", "fails_for"),
    [
        ("is", 4, [4, 4.0], [5, "4", True, None]),
        ("is", "red", ["red"], ["Red", 4, None, ["red"]]),
        ("is", True, [True], [1, "true", False]),
        ("is", 1, [1, 1.0], [True]),
        ("is_not", 4, [5, "4", None, True], [4, 4.0]),
        ("above", 4, [4.5, 5, "5", "1e3"], [4, 3, "4", "many", None, True, [5]]),
        ("at_least", 4, [4, 5, "4.0"], [3.9, "x", None, True, "inf", "1_0", "\u0664\u0664"]),
        ("below", 4, [3, "-1", -7.5], [4, 5, "x", None, False]),
        ("at_most", 4, [4, "3"], [4.1, "x", None, False]),
        ("in", ("red", 4), ["red", 4, 4.0], ["Red", "4", True, None]),
        ("exists", True, [0, "", False, []], [None]),
        ("exists", False, [None], [0, "", False]),
    ],
)
def test_an_attribute_is_compared_with_what_is_asked(operator: Any, expected: Any, holds_for: list[Any], fails_for: list[Any]) -> None:
    """Values of different types are neither equal nor in order, but for numbers sent as text."""
    holds = compile_comparison(Comparison(("properties", "it"), operator, expected))

    assert [value for value in holds_for if not holds(touchpoint(0, properties={"it": value}))] == []
    assert [value for value in fails_for if holds(touchpoint(0, properties={"it": value}))] == []


@pytest.mark.parametrize("operator", ["is", "is_not", "above", "at_least", "below", "at_most", "in"])
def test_a_missing_attribute_answers_nothing(operator: Any) -> None:
    """Not even that it is something else."""
    holds = compile_comparison(Comparison(("properties", "it"), operator, ("x",) if operator == "in" else 1))

    assert not holds(touchpoint(0))


def test_only_exists_asks_for_what_is_missing() -> None:
    """`exists: false` is answered by a missing attribute."""
    assert compile_comparison(Comparison(("properties", "it"), "exists", value=False))(touchpoint(0))
    assert not compile_comparison(Comparison(("properties", "it"), "exists", value=True))(touchpoint(0))


def test_numbers_that_are_none_are_in_no_order() -> None:
    """`nan` as text compares with nothing."""
    for operator in ("above", "at_least", "below", "at_most"):
        assert not compile_comparison(Comparison(("properties", "it"), operator, 4))(touchpoint(0, properties={"it": "nan"}))


def test_an_attribute_is_found_deep_inside() -> None:
    """In properties, context or profile; a path through something that is no object finds nothing."""
    t = touchpoint(0, context={"device": {"os": "ios"}}, profile={"city": "Bonn"})

    assert value_at(t, ("context", "device", "os")) == "ios"
    assert value_at(t, ("profile", "city")) == "Bonn"
    assert not compile_comparison(Comparison(("profile", "city", "name"), "exists", value=True))(t)


def test_a_match_asks_for_all_of_its_conditions() -> None:
    """Type, channel, attributes; what it does not mention may be anything."""
    match = Match(frozenset({"review"}), frozenset({"web"}), (Comparison(("properties", "rating"), "at_least", 4),))
    answers = compile_match(match)

    assert answers(touchpoint(0, "review", properties={"rating": 5}))
    assert not answers(touchpoint(0, "review", properties={"rating": 3}))
    assert not answers(touchpoint(0, "review", channel="app", properties={"rating": 5}))
    assert not answers(touchpoint(0, "search", properties={"rating": 5}))
    assert compile_match(Match())(touchpoint(0, "anything", channel="any"))


def test_a_silence_without_a_type_is_broken_by_any_touchpoint() -> None:
    """But not one whose list of types is empty."""
    assert compile_match(Match(None))(touchpoint(0))
    assert not compile_match(Match(frozenset()))(touchpoint(0))


def test_rules_that_a_touchpoint_concerns_come_in_file_order() -> None:
    """By type, and those of any type among them."""
    compiled = CompiledJourney(journey(rule("a", "interest", "search"), rule("b", "decision", None), rule("c", "purchase", "search quote")))

    assert [one.name for one in compiled.concerned(touchpoint(0))] == ["a", "b", "c"]
    assert [one.name for one in compiled.concerned(touchpoint(0, "quote"))] == ["b", "c"]
    assert [one.name for one in compiled.concerned(touchpoint(0, "else"))] == ["b"]


def test_a_rule_that_counts_is_met_by_enough_inside_its_window() -> None:
    """Exactly at the end of the window is inside; the oldest of the newest ones decides."""
    twice = rule("twice", "interest", "product_view", count=2, within_ms=2 * HOUR)
    state = JourneyState()
    met = []
    for at in (0, 3, 5, 6):
        remember(state, twice, mark(at))
        met.append(tuple(one.key for one in is_met(state, twice, mark(at))))

    assert met == [(), (), ("web/3", "web/5"), ("web/5", "web/6")]
    assert len(state.matches[0]) == 2


def test_a_rule_after_another_type_asks_for_its_newest_touchpoint() -> None:
    """At most so long ago, inclusive; at any distance where no time is given."""
    soon, ever = (rule("r", "decision", "refund", after=frozenset({"order_paid"}), within_ms=within) for within in (2 * HOUR, None))
    state = JourneyState()
    assert is_met(state, ever, mark(1)) == ()
    state.recent["order_paid"] = mark(1)

    assert is_met(state, soon, mark(3)) == (mark(3),)
    assert is_met(state, soon, mark(3.1)) == ()
    assert is_met(state, ever, mark(99)) == (mark(99),)


def test_a_silence_remembers_what_broke_it() -> None:
    """And counts nothing."""
    silence = rule("silent", "interest", "cart_add", from_phases=frozenset({"decision"}), absence_ms=HOUR)
    state = JourneyState()

    remember(state, silence, mark(2))

    assert (state.resets, state.matches) == ({0: mark(2)}, {})

"""Predicates of rules, compiled once: does this touchpoint answer, did enough of them, was the other one recent."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from touchstone.model.journey import JourneyState, Mark
from touchstone.model.touchpoint import Touchpoint
from touchstone.topology.compile import Journey, Rule
from touchstone.topology.match import Comparison, Match

_DECIMAL = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")
Predicate = Callable[[Touchpoint], bool]
MISSING = object()
"""What an attribute is that is not there: it compares with nothing."""


def compile_match(match: Match) -> Predicate:
    """A function that says whether a touchpoint answers; attributes that are missing or of another type do not."""
    types, channels = match.types, match.channels
    comparisons = [compile_comparison(comparison) for comparison in match.where]

    def answers(touchpoint: Touchpoint) -> bool:
        return (
            (types is None or touchpoint.type in types)
            and (channels is None or touchpoint.channel in channels)
            and all(holds(touchpoint) for holds in comparisons)
        )

    return answers


def compile_comparison(comparison: Comparison) -> Predicate:
    """A function that compares one attribute of a touchpoint; values of different types are never equal nor in order."""
    path, expected = comparison.path, comparison.value
    test = _TESTS[comparison.operator]

    def holds(touchpoint: Touchpoint) -> bool:
        return test(value_at(touchpoint, path), expected)

    return holds


def is_met_by(comparison: Comparison, value: Any) -> bool:
    """Whether a value is as a comparison asks; `MISSING` answers for one that is not there."""
    return _TESTS[comparison.operator](value, comparison.value)


def value_at(touchpoint: Touchpoint, path: Sequence[str]) -> Any:
    """The attribute at `path` (its first part is properties, context or profile), or a mark that compares with nothing."""
    value: Any = getattr(touchpoint, path[0])
    for part in path[1:]:
        if not isinstance(value, Mapping) or part not in value:
            return MISSING
        value = value[part]
    return value


def _is(value: Any, expected: Any) -> bool:
    if isinstance(value, bool) or isinstance(expected, bool):
        return value is expected
    return bool(value == expected)


def number_of(value: Any) -> float | None:
    """A number, also one that is written as text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):  # producers often send numbers as text
        return float(value) if _DECIMAL.fullmatch(value) else None
    return None


def _ordered(test: Callable[[float, float], bool]) -> Callable[[Any, Any], bool]:
    def holds(value: Any, expected: Any) -> bool:
        a, b = number_of(value), number_of(expected)
        return a is not None and b is not None and test(a, b)

    return holds


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "is": _is,
    "is_not": lambda value, expected: value is not MISSING and not _is(value, expected),
    "above": _ordered(lambda a, b: a > b),
    "at_least": _ordered(lambda a, b: a >= b),
    "below": _ordered(lambda a, b: a < b),
    "at_most": _ordered(lambda a, b: a <= b),
    "in": lambda value, expected: any(_is(value, one) for one in expected),
    "exists": lambda value, expected: (value is not MISSING and value is not None) is expected,
}


class CompiledJourney:
    """A journey ready to run: its rules by the type of touchpoint that can concern them, in file order."""

    def __init__(self, journey: Journey) -> None:
        self.name = journey.name
        self.phases = journey.phases
        self.positions = {phase: n for n, phase in enumerate(journey.phases)}
        self.dormant_ms = journey.dormant_ms
        self.damping = journey.damping
        self.asked_after = frozenset[str]().union(*(rule.after or () for rule in journey.rules))
        self.absences = [rule for rule in journey.rules if rule.absence_ms is not None]
        self._rules = [(rule, compile_match(rule.match)) for rule in journey.rules]
        self._by_type: dict[str, list[tuple[Rule, Predicate]]] = {}

    def concerned(self, touchpoint: Touchpoint) -> list[Rule]:
        """The rules whose condition this touchpoint answers, in file order."""
        rules = self._by_type.get(touchpoint.type)
        if rules is None:
            rules = [(rule, answers) for rule, answers in self._rules if rule.match.types is None or touchpoint.type in rule.match.types]
            if len(self._by_type) < 4096:  # types come from outside: never an unbounded table
                self._by_type[touchpoint.type] = rules
        return [rule for rule, answers in rules if answers(touchpoint)]


def remember(state: JourneyState, rule: Rule, mark: Mark) -> None:
    """Note that a touchpoint answered a rule: for its count, or for the absence that it ends."""
    if rule.absence_ms is not None:
        state.resets[rule.index] = mark
    elif rule.count > 1:
        matches = state.matches.setdefault(rule.index, [])
        matches.append(mark)
        del matches[: -rule.count]


def is_met(state: JourneyState, rule: Rule, mark: Mark) -> tuple[Mark, ...]:
    """The touchpoints that make the rule true now, the newest last; none when it is not. `remember` was called for this one."""
    if rule.after is not None:
        before = [state.recent[name] for name in rule.after if name in state.recent]
        newest = max(before, key=lambda m: (m.at, m.key), default=None)
        if newest is None or (rule.within_ms is not None and rule.count == 1 and mark.at - newest.at > rule.within_ms):
            return ()
    if rule.count == 1:
        return (mark,)
    matches = state.matches.get(rule.index, [])
    if len(matches) < rule.count or (rule.within_ms is not None and mark.at - matches[0].at > rule.within_ms):
        return ()
    return tuple(matches)

"""Patterns: what an operator may write, and what could run for ever."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.topology.pattern import as_pattern


@pytest.mark.parametrize(
    "text", ["^[0-]*$", "^(foo|bar)$", "(ab)+", "a{1,3}b?", r"\(a+\)+", "[(+)]+x", "[]()+]*", r"@example\.(com|org)$", "(ab)?c*"]
)
def test_flat_patterns_are_fine(text: str) -> None:
    """Repetitions of characters and of plain groups cost little."""
    assert isinstance(as_pattern(text), re.Pattern)


@pytest.mark.parametrize("text", ["(a+)+", "(a|a)*", "((a*)b)+", "(a?){20}", "(?:x*)*", r"(a)\1", "(?P<n>a)(?P=n)", "^(([a-z])+.)+$"])
def test_patterns_that_can_run_for_ever_are_refused(text: str) -> None:
    """A repeated group that repeats or chooses inside, and references back, take exponential time."""
    with pytest.raises(ValueError, match="run for ever"):
        as_pattern(text)


@pytest.mark.parametrize("text", ["(", "[a", "*", "a**", "(?<=a+)b", "(?z)", "\\"])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    """The reason is the regular expression's own."""
    with pytest.raises(ValueError, match="not a regular expression"):
        as_pattern(text)


@given(st.text("ab()[]|*+?{}1,\\^$.", max_size=30))
def test_any_text_is_a_quick_pattern_or_refused(text: str) -> None:
    """Whatever is accepted answers on a long value at once."""
    try:
        pattern = as_pattern(text)
    except ValueError:
        return
    started = time.monotonic()

    pattern.search("ab" * 20 + "!")

    assert time.monotonic() - started < 5


def test_many_repetitions_in_a_row_are_refused() -> None:
    """Each multiplies the work by the length of the value: four took eleven seconds on 120 characters."""
    with pytest.raises(ValueError, match="more than two places"):
        as_pattern("a*a*a*a*b")

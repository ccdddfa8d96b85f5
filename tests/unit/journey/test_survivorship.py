"""Which value survives: rule by rule, and what is kept of the others."""

from typing import Any

import msgspec
import pytest

from tests.unit.journey.desk import HOUR, NOON, touchpoint
from touchstone.journey.survivorship import MOST_CANDIDATES, MOST_SPELLS, rank, rule_text, take
from touchstone.model.golden import Golden
from touchstone.topology.attributes import Criterion, Survival

RECENT = Survival((Criterion("most_recent"),))
MULTI = Survival((Criterion("most_recent"),), multi=True)


def told(rule: Survival, *said: tuple[Any, str, str]) -> Golden:
    """An attribute of which this was said, hour by hour: value, source, channel."""
    golden = Golden()
    for n, (value, source, channel) in enumerate(said):
        one = msgspec.structs.replace(touchpoint(n, channel=channel), source=source)
        take(golden, "city", rule, one, value)
    return golden


def order(rule: Survival, *said: tuple[Any, str, str]) -> list[tuple[str, str]]:
    """The values from the best down, each with what decided; the winner with nothing."""
    winner, losers = rank(told(rule, *said), "city", rule)
    assert winner is not None
    return [(winner.value, ""), *((one.value, why) for one, why in losers)]


SAID = [("Bonn", "crm", "store"), ("Kiel", "web", "web"), ("Bonn", "app", "app"), ("Bad Ems", "web", "app")]


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ([Criterion("most_recent")], [("Bad Ems", ""), ("Bonn", "most_recent"), ("Kiel", "most_recent")]),
        ([Criterion("most_frequent")], [("Bonn", ""), ("Bad Ems", "most_frequent"), ("Kiel", "most_frequent")]),
        ([Criterion("longest")], [("Bad Ems", ""), ("Bonn", "longest"), ("Kiel", "longest")]),
        ([Criterion("source", ("crm", "web"))], [("Bonn", ""), ("Bad Ems", "source"), ("Kiel", "source")]),
        ([Criterion("channel", ("web",))], [("Kiel", ""), ("Bad Ems", "channel"), ("Bonn", "channel")]),
        ([Criterion("source", ("web",)), Criterion("channel", ("web",))], [("Kiel", ""), ("Bad Ems", "channel"), ("Bonn", "source")]),
        ([Criterion("channel", ("app",)), Criterion("longest")], [("Bad Ems", ""), ("Bonn", "longest"), ("Kiel", "channel")]),
    ],
)
def test_each_rule_chooses_and_says_what_decided(criteria: list[Criterion], expected: list[tuple[str, str]]) -> None:
    """Where one leaves a tie the next decides; sources and channels that are not named come behind those that are."""
    rule = Survival(tuple(criteria))

    assert order(rule, *SAID) == [(f'"{value}"', why) for value, why in expected]


def test_in_the_end_what_was_said_last_decides() -> None:
    """Two values of which each was said once by the same source are told apart by time alone."""
    assert order(Survival((Criterion("most_frequent"),)), ("a", "web", "web"), ("b", "web", "web")) == [('"b"', ""), ('"a"', "most_recent")]


def test_values_are_equal_as_json_and_not_as_python() -> None:
    """1, true and "1" are three values; maps are equal in any order of keys."""
    rule = Survival((Criterion("most_frequent"),))

    assert len(order(rule, (1, "w", "w"), (True, "w", "w"), ("1", "w", "w"))) == 3
    assert len(order(rule, ({"a": 1, "b": 2}, "w", "w"), ({"b": 2, "a": 1}, "w", "w"))) == 1


def test_the_length_of_a_text_is_counted_in_characters() -> None:
    """Not in the bytes of its JSON form, where a quotation mark is two."""
    assert order(Survival((Criterion("longest"),)), ('""', "w", "w"), ("äöü", "w", "w"))[0] == ('"äöü"', "")


def test_a_rule_is_named_as_its_criteria_in_their_order() -> None:
    """The words that stand in the record."""
    assert rule_text(Survival((Criterion("source", ("crm",)), Criterion("most_recent")))) == "source, most_recent"


def test_of_ever_new_values_only_so_many_are_kept_and_the_winner_is_one_of_them() -> None:
    """By source: what the first source said at the beginning outlives a stream of others."""
    rule = Survival((Criterion("source", ("crm",)),))
    golden = told(rule, ("Bonn", "crm", "store"), *((f"v{n}", "web", "web") for n in range(100)))

    winner, losers = rank(golden, "city", rule)

    assert winner is not None
    assert winner.value == '"Bonn"'
    assert [one.value for one, _ in losers] == [f'"v{n}"' for n in range(99, 100 - MOST_CANDIDATES, -1)]


# -- several values at once ------------------------------------------------------------------------------------------------------


def periods(*said: tuple[Any, str]) -> list[tuple[str, float, float | None, list[str]]]:
    """Each period with its hours after noon."""
    golden = told(MULTI, *((value, source, "web") for value, source in said))
    return [
        (one.value.strip('"'), (one.since - NOON) / HOUR, None if one.until is None else (one.until - NOON) / HOUR, one.holders)
        for one in golden.spells.get("city", [])
    ]


def test_a_sources_next_statement_replaces_what_that_source_said() -> None:
    """Of another source it says nothing."""
    assert periods(("a", "crm"), ("b", "web"), ("c", "crm")) == [("a", 0, 2, ["crm"]), ("b", 1, None, ["web"]), ("c", 2, None, ["crm"])]


def test_a_value_holds_as_long_as_one_source_holds_it() -> None:
    """From the first that said so."""
    assert periods(("a", "crm"), ("a", "web"), ("b", "crm")) == [("a", 0, None, ["web"]), ("b", 2, None, ["crm"])]
    assert periods(("a", "crm"), ("a", "web"), ("b", "crm"), ("b", "web"))[0] == ("a", 0, 3, ["web"])


def test_a_value_that_comes_back_holds_a_second_time() -> None:
    """Somebody who moves away and back lived elsewhere in between."""
    assert periods(("a", "crm"), ("b", "crm"), ("a", "crm")) == [("a", 0, 1, ["crm"]), ("b", 1, 2, ["crm"]), ("a", 2, None, ["crm"])]


def test_a_list_states_several_values_and_an_empty_one_none() -> None:
    """A value twice, or null, in a list says nothing more."""
    assert periods((["a", "b", "a", None], "crm"), ([], "crm")) == [("a", 0, 1, ["crm"]), ("b", 0, 1, ["crm"])]


def test_what_does_not_hold_any_more_cannot_survive() -> None:
    """Whatever the rule would say of it; it has lost because it ended."""
    rule = Survival((Criterion("longest"),), multi=True)

    assert order(rule, ("long ago", "crm", "web"), ("now", "crm", "web")) == [('"now"', ""), ('"long ago"', "ended")]


def test_where_nothing_holds_nothing_survives() -> None:
    """The periods stay."""
    golden = told(MULTI, ("a", "crm", "web"), ([], "crm", "web"))

    assert rank(golden, "city", MULTI).winner is None
    assert [one.until for one in golden.spells["city"]] == [NOON + HOUR]


def test_of_ever_new_periods_only_so_many_are_kept_and_what_holds_is_one_of_them() -> None:
    """What ended longest ago goes first."""
    kept = periods(("held", "crm"), *((f"v{n}", "web") for n in range(100)))

    assert len(kept) == MOST_SPELLS
    assert [value for value, *_ in kept] == ["held", *(f"v{n}" for n in range(101 - MOST_SPELLS, 100))]

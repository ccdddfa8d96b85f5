"""Which of several rulings about one pair holds."""

import itertools

import pytest

from touchstone.identity.evidence import evidence_of
from touchstone.identity.rulings import standing
from touchstone.intake.command import ACTIONS
from touchstone.model.command import UNDO, joins
from touchstone.model.component import Ruling

PAIR = ("default/cookie:a", "default/cookie:b")


def ruling(action: str, at: int, command: str, content: str = "", undone_by: str | None = None) -> Ruling:
    """About the pair."""
    return Ruling(PAIR, action, at, command, content, undone_by)


def test_the_last_one_holds_whatever_the_order() -> None:
    """Of equally late ones that with the greatest id, then the greatest content; one that was undone never does."""
    told = [
        ruling("split", 1, "s9"),
        ruling("join", 5, "s1", "x"),
        ruling("split", 5, "s2", "a"),
        ruling("join", 5, "s2", "b"),
        ruling("split", 9, "s3", undone_by="w1"),
    ]

    for order in itertools.permutations(told):
        assert standing(order) == {PAIR: told[3]}


def test_each_pair_has_a_ruling_of_its_own() -> None:
    """And none where all were undone."""
    other = Ruling(("default/cookie:a", "default/cookie:c"), "split", 1, "s1", "")

    assert standing([ruling("split", 1, "s1"), other]) == {PAIR: ruling("split", 1, "s1"), other.pair: other}
    assert standing([ruling("split", 1, "s1", undone_by="w1")]) == {}


@pytest.mark.parametrize(("action", "is_one"), [("join", True), ("accept", True), ("split", False), ("forbid", False), ("reject", False)])
def test_an_answer_to_a_review_says_what_a_join_or_a_forbid_says(action: str, is_one: bool) -> None:
    """Who accepts joins, who rejects keeps apart; the word itself stays with the ruling."""
    evidence = evidence_of({}, [], standing([ruling(action, 1, "s1")]).values(), set())

    assert joins(action) == is_one
    assert evidence.joined == ({frozenset(PAIR)} if is_one else set())
    assert evidence.apart == (set() if is_one else {frozenset(PAIR)})


def test_a_later_answer_replaces_an_earlier_ruling() -> None:
    """Of all about one pair the last holds, whatever they are called."""
    assert standing([ruling("reject", 2, "s2"), ruling("join", 1, "s1")])[PAIR].action == "reject"
    assert standing([ruling("forbid", 1, "s1"), ruling("accept", 2, "s2")])[PAIR].action == "accept"


def test_every_action_but_undo_joins_or_parts() -> None:
    """No action is forgotten when a new one comes."""
    assert {action for action in ACTIONS if action != UNDO and joins(action)} == {"join", "accept"}

"""Which of several rulings about one pair holds."""

import itertools

from touchstone.identity.rulings import standing
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

"""The table of what is forgotten: whatever comes first, the same in the end."""

from itertools import permutations

from touchstone.model.component import NEVER
from touchstone.model.erasure import Forgotten, ForgottenTable, decode_forgotten, encode_forgotten

X = "default/email:5d41"
FACTS = (
    Forgotten(X, 10, "c1", 11),
    Forgotten(X, 20, "c2", 21, epochs=(10,)),
    Forgotten(X, 20, "c2", 25, is_generic=True),
    Forgotten(X, 5, "c0", 6),
)


def test_facts_are_joined_by_maximum_in_any_order() -> None:
    """The latest time stands, earlier ones are remembered as epochs, generic once is generic for ever."""
    for order in permutations(FACTS):
        table = ForgottenTable()
        for fact in (*order, order[0]):
            table.learn(fact)

        assert (table.until(X), table[X].epochs, table[X].is_generic, table[X].command) == (20, (5, 10), True, "c2")


def test_what_is_known_already_is_no_news() -> None:
    """Only a later time, or that it is generic, says something new."""
    table = ForgottenTable()

    news = [table.learn(fact) for fact in (FACTS[1], FACTS[0], FACTS[1], FACTS[2])]

    assert news == [True, False, False, True]
    assert table.until("default/email:other") == NEVER


def test_a_fact_comes_back_from_the_log_as_it_was() -> None:
    """As JSON, which whoever looks at the topic can read."""
    assert [decode_forgotten(encode_forgotten(fact)) for fact in FACTS] == list(FACTS)

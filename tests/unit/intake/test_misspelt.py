"""What is said of a word that the topology does not know."""

import pytest

from touchstone.intake.misspelt import found

CHANNELS = ("web", "call_center", "phone")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("wbe", "found `wbe`; did you mean `web`?"),
        ("Call-Center", "found another word; did you mean `call_center`?"),
        ("fax", "found `fax`; there are `web`, `call_center`, `phone`"),
        ("ada@x.org", "found another word; there are `web`, `call_center`, `phone`"),
        ("004915112345678", "found another word; there are `web`, `call_center`, `phone`"),
        ("she called and was very angry", "found another word; there are `web`, `call_center`, `phone`"),
        ("x" * 41, "found another word; there are `web`, `call_center`, `phone`"),
        ("", "found another word; there are `web`, `call_center`, `phone`"),
    ],
)
def test_the_nearest_word_is_named_and_only_what_looks_like_a_name_is_repeated(word: str, said: str) -> None:
    """An address, a number or a sentence in the wrong field may be somebody's."""
    assert found(word, CHANNELS) == said


def test_many_words_are_not_all_listed() -> None:
    """A detail is a line."""
    said = found("nothing-like-it", tuple(f"k{number}" for number in range(40)))

    assert said.endswith("`k11` and others")

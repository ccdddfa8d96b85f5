"""Which reviews wait, and which one is meant."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.samples import MOMENT, REVIEW, review_with
from touchstone.errors import UsageError
from touchstone.stewardship.reviews import last_words, meant, require_matching, waiting, words_of
from touchstone.topology.load import default_topology_path, load_topology

LIKELY = review_with(review_id="5e7a90ffffffffff", score=0.8)
SETTLED = review_with(review_id="aaaaaaaaaaaaaaaa", status="settled", score=0.9)
REVIEWS = last_words([REVIEW, LIKELY, SETTLED])


@given(st.permutations([MOMENT, REVIEW, review_with(revision=2, status="accepted"), review_with(revision=3, status="open"), LIKELY]))
def test_the_last_word_about_each_counts(records: list[object]) -> None:
    """Law: in any order and again, of each the highest revision; other records are no reviews."""
    found = last_words(records + records)

    assert {review_id: (one.revision, one.status) for review_id, one in found.items()} == {
        REVIEW.review_id: (3, "open"),
        LIKELY.review_id: (1, "open"),
    }


def test_the_likeliest_comes_first() -> None:
    """Open ones only, unless another status is asked for; from a probability on."""
    assert waiting(REVIEWS) == [LIKELY, REVIEW]
    assert waiting(REVIEWS, min_score=0.7) == [LIKELY]
    assert waiting(REVIEWS, status="settled") == [SETTLED]
    assert waiting(REVIEWS, status=None) == [SETTLED, LIKELY, REVIEW]


def test_six_characters_are_enough_where_they_are_nobody_elses() -> None:
    """In either case; the whole id always is."""
    assert meant("AAAAAA", REVIEWS) == SETTLED
    assert meant(REVIEW.review_id, REVIEWS) == REVIEW


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("aaaaa", "expected at least 6 characters of a review's id, found 'aaaaa'"),
        ("5e7a90", "2 reviews begin with 5e7a90: 5e7a90c31b2d4f68, 5e7a90ffffffffff"),
        ("bbbbbb", "expected the id of a review, found none that begins with 'bbbbbb'"),
    ],
)
def test_what_is_not_one_review_is_said_in_words(word: str, said: str) -> None:
    """With what to do next."""
    with pytest.raises(UsageError, match=said):
        meant(word, REVIEWS)


def test_a_review_names_its_identifiers_as_identity_does() -> None:
    """With the tenant in front."""
    assert words_of(REVIEW) == ("default/email:ada@example.org", "default/loyalty_id:l7")


def test_where_nothing_is_compared_there_is_nothing_to_review() -> None:
    """The user is told which key the topology lacks."""
    with pytest.raises(UsageError, match="expected `matching` in the topology retail, found none"):
        require_matching(replace(load_topology(default_topology_path()), matching=None))

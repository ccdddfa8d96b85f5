from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.matching.model import Model, default_model
from touchstone.matching.records import COLUMNS, Record, make_record
from touchstone.matching.roles import Role
from touchstone.matching.score import Scorer
from touchstone.matching.training import train

_ROLES: dict[str, Role] = {
    "given": "given_name",
    "family": "family_name",
    "middle": "middle_name",
    "suffix": "generation",
    "sex": "gender",
    "born": "birth_date",
    "firm": "organisation",
    "mail": "email",
    "phone": "phone",
    "street": "street",
    "city": "city",
    "zip": "postcode",
    "ssn": "national_id",
}
_SAID: dict[str, tuple[str, ...]] = {
    "given": ("Robert", "Bob", "B", "Roberta", "Anna Maria", "Smith", "Иван", "太郎"),
    "family": ("Smith", "Smyth", "Robert", "Schmidt", "Medina Smith", "Schmid", "Bob"),
    "middle": ("A", "Anna", "Albert"),
    "suffix": ("Jr", "Sr"),
    "sex": ("m", "f"),
    "born": ("1978-12-11", "1978-11-12", "1979-12-11", "1990-02-31", "1991-02-31", "11 Dec 1978"),
    "firm": ("Universal Exports Ltd", "Universal Export", "Acme"),
    "mail": ("ada@x.org", "ada@y.org", "adda@x.org", "info@acme.example"),
    "phone": ("+49 30 1234567", "030 1234567", "+49 30 1234568", "1234567"),
    "street": ("12 Main St", "12 Main Street", "13 Maine Street", "Hauptstr. 5"),
    "city": ("Las Vegas", "Vegas", "Berlin"),
    "zip": ("89132", "89111", "10115"),
    "ssn": ("123-45-6789", "123-45-6788", "6789"),
}
_PERSONS = st.fixed_dictionaries({}, optional={attribute: st.sampled_from(said) for attribute, said in _SAID.items()})
_PEOPLE = st.lists(_PERSONS, min_size=2, max_size=7)
_TEXTS = st.lists(
    st.fixed_dictionaries({}, optional={column: st.text(min_size=1, max_size=9) for column in COLUMNS}), min_size=2, max_size=4
)
"""Records as no source makes them: any text in any column."""


def _records(people: list[dict[str, str]]) -> list[Record]:
    return [make_record(str(n), stated, _ROLES) for n, stated in enumerate(people)]


@cache
def _models() -> tuple[Model, Model]:
    """Before anything was learnt, and with frequencies of values."""
    people = [{attribute: said[(n * 7 + len(attribute)) % len(said)] for attribute, said in _SAID.items()} for n in range(60)]
    return default_model(), train(_records(people))


@pytest.mark.parametrize("which", [0, 1])
@given(people=_PEOPLE)
def test_a_pair_scores_alone_what_it_scores_in_a_batch(which: int, people: list[dict[str, str]]) -> None:
    """To a billionth of a bit, for every pair of any records, whatever else is in the batch, in whatever order, and twice."""
    scorer, records = Scorer(_models()[which]), _records(people)
    left, right = np.triu_indices(len(records), 1)

    together = scorer.score(records, left, right)
    backwards = scorer.score(records[::-1], len(records) - 1 - right, len(records) - 1 - left)
    twice = scorer.score(records, np.concatenate([left, right]), np.concatenate([right, left]))
    alone = [scorer.score_pair(records[one], records[other]) for one, other in zip(left.tolist(), right.tolist(), strict=True)]

    np.testing.assert_allclose(alone, together, rtol=0, atol=1e-9)
    np.testing.assert_allclose(backwards, together, rtol=0, atol=1e-9)
    np.testing.assert_allclose(twice, np.concatenate([together, together]), rtol=0, atol=1e-9)


@given(one=_PERSONS, other=_PERSONS)
def test_a_pair_scores_exactly_the_same_both_ways(one: dict[str, str], other: dict[str, str]) -> None:
    """To the last bit: whoever comes first must not decide what reaches a threshold."""
    scorer, (first, second) = Scorer(_models()[1]), _records([one, other])

    assert scorer.score_pair(first, second) == scorer.score_pair(second, first)


@given(values=_TEXTS)
def test_a_pair_scores_alone_what_it_scores_in_a_batch_whatever_the_texts_are(values: list[dict[str, str]]) -> None:
    """Also values that no source makes: nothing fails, and both ways say the same."""
    scorer, records = Scorer(default_model()), [Record(str(n), said) for n, said in enumerate(values)]
    left, right = np.triu_indices(len(records), 1)

    alone = [scorer.score_pair(records[one], records[other]) for one, other in zip(left.tolist(), right.tolist(), strict=True)]

    np.testing.assert_allclose(alone, scorer.score(records, left, right), rtol=0, atol=1e-9)


def test_an_explanation_adds_up_to_the_score_of_the_pair() -> None:
    """Prior and evidence, less what speaks for a household, are the score."""
    one, other = _records(
        [
            {"given": "Bob", "family": "Smith", "born": "1978-12-11", "zip": "89132"},
            {"given": "Robert", "family": "Smith", "born": "1978-11-12", "zip": "89111"},
        ]
    )
    scorer = Scorer(_models()[1])

    explained = scorer.explain(one, other)

    assert explained.score == pytest.approx(scorer.score_pair(one, other), abs=1e-9)
    assert explained.prior + sum(each.bits for each in explained.evidence) - explained.household == pytest.approx(explained.score, abs=1e-6)

import numpy as np
import pandas as pd
import pytest
import recordlinkage
from hypothesis import given
from hypothesis import strategies as st
from recordlinkage.compare import String

from touchstone.matching.compare import compare
from touchstone.matching.features import FEATURES
from touchstone.matching.likeness import Likeness
from touchstone.matching.records import make_record
from touchstone.matching.roles import Role

_LETTERS = st.one_of(
    st.characters(max_codepoint=0x24F, exclude_categories=("Cc", "Cf", "Mn")),
    st.characters(min_codepoint=0x370, max_codepoint=0x481),
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
)
"""Latin, Greek, Cyrillic, Han: each a grapheme of its own. Where one takes several code points the stock feature counts graphemes, ours code points."""
_TEXTS = st.lists(
    st.one_of(st.none(), st.text(_LETTERS, min_size=1, max_size=12), st.sampled_from(["smith", "smyth"])),
    min_size=2,
    max_size=6,
)
_ROLES: dict[str, Role] = {
    "given": "given_name",
    "family": "family_name",
    "born": "birth_date",
    "email": "email",
    "phone": "phone",
    "firm": "organisation",
}


@pytest.mark.parametrize("method", ["jarowinkler", "levenshtein", "damerau_levenshtein"])
@given(texts=_TEXTS)
def test_our_likeness_is_that_of_recordlinkage(method: str, texts: list[str | None]) -> None:
    """For any texts of whole letters, missing ones too, the fast feature gives what the stock one gives."""
    frame = pd.DataFrame({"name": pd.Series(texts, dtype=object)})
    pairs = pd.MultiIndex.from_product([frame.index, frame.index])

    both = recordlinkage.Compare([String("name", "name", method=method, missing_value=-1), Likeness("name", "name", method, missing=-1)])
    result = both.compute(pairs, frame).to_numpy()

    np.testing.assert_allclose(result[:, 0], result[:, 1], atol=1e-12)


def _levels(one: dict[str, str], other: dict[str, str]) -> dict[str, str]:
    records = [make_record(str(n), stated, _ROLES) for n, stated in enumerate((one, other))]
    levels = compare(records, np.array([0]), np.array([1]))[0].tolist()
    return {feature.name: feature.levels[level] for feature, level in zip(FEATURES, levels, strict=True) if level >= 0}


@pytest.mark.parametrize(
    ("column", "one", "other", "level"),
    [
        ("given", "Robert", "Bob", "alike"),
        ("given", "Geoffrey", "Jeffrey", "alike"),
        ("given", "Katharina", "Kathraina", "alike"),
        ("given", "J", "Jane", "initial"),
        ("given", "Mark", "Mary", "other"),
        ("given", "Margaret", "Peggie", "alike"),
        ("given", "Mohamed", "Mhd", "alike"),
        ("given", "Darla", "Darletta", "differs"),
        ("given", "Anna", "Annabelle", "differs"),
        ("given", "Katharina", "Kath", "resembles"),
        ("given", "Alexander Pavlovich", "Alyaksandr Paulavich", "similar"),
        ("firm", "Univrsl Export Inc", "Universal Exports, USA", "part"),
        ("firm", "Hajah Mamunah (Jln Pisang)", "Hajah Maimunah", "part"),
        ("firm", "Universal Exports", "Autowerkz", "differs"),
        ("family", "Medina Sentosa", "Sentosa", "part"),
        ("family", "Harrington", "Harringxon", "similar"),
        ("born", "1978-12-11", "1978-11-12", "turned"),
        ("born", "1978-12-11", "1978-12-17", "near"),
        ("born", "1978-12-11", "1951-03-04", "differs"),
        ("phone", "+39 0352 6553537", "0352 6553537", "exact"),
        ("email", "ada@x.org", "ada@x.org", "exact"),
        ("email", "ada.l@x.org", "ada.l@y.example", "name"),
    ],
)
def test_two_values_agree_on_a_level(column: str, one: str, other: str, level: str) -> None:
    """What a person writes in two ways is told from what two people write."""
    found = _levels({column: one}, {column: other})

    assert found == {{"born": "birth_date", "firm": "organisation"}.get(column, column): level}


def test_exchanged_names_are_one_piece_of_evidence() -> None:
    """Given and family name in each other's field: swapped, counted once."""
    assert _levels({"given": "Shaw", "family": "Daniella"}, {"given": "Daniella", "family": "Shaw"}) == {"given": "swapped"}


def test_two_impossible_dates_that_are_equal_are_no_evidence() -> None:
    """The thirty-first of February is a default of some form, not a birthday."""
    assert _levels({"born": "1990-02-31"}, {"born": "1990-02-31"}) == {}


def test_a_missing_value_is_no_evidence() -> None:
    """Not agreement, and not disagreement either."""
    assert _levels({"given": "Ada", "email": "ada@x.org"}, {"given": "Ada"}) == {"given": "exact"}

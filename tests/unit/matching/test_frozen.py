"""The scorer that a topology asks for."""

from dataclasses import replace

import msgspec
import pytest

from touchstone.errors import UsageError
from touchstone.matching.choice import model_of
from touchstone.matching.frozen import scorer_of, thresholds_of
from touchstone.matching.judge import bits, probability
from touchstone.matching.model import default_model, sealed, to_json
from touchstone.matching.records import Record
from touchstone.topology.compile import Matching

_MATCHING = Matching(roles={"name": "full_name"}, kinds={}, blocks=None, limit=100, accept=None, review=None, neighbours=50, model=None)
_ADA = Record("1", {"given": "ada", "family": "lovelace", "birth_date": "18151210", "city": "london"})


def test_without_a_model_nothing_was_learnt() -> None:
    """A topology that names no model scores with what is believed before anything was learnt."""
    assert model_of(_MATCHING) == default_model()


def test_the_file_is_the_model() -> None:
    """What `touchstone match train` saved is what scores, with its version."""
    trained = sealed(msgspec.structs.replace(default_model(), trained_on="customers.csv", match=0.001))

    scorer = scorer_of(replace(_MATCHING, model=to_json(trained)))

    assert scorer.model == trained
    assert scorer.explain(_ADA, _ADA).score != scorer_of(_MATCHING).explain(_ADA, _ADA).score


def test_the_topologys_thresholds_win() -> None:
    """`accept` and `review` of the topology count instead of the model's, in the unit of the scores."""
    scorer = scorer_of(replace(_MATCHING, accept=0.95, review=0.2))

    assert thresholds_of(scorer) == (bits(0.95), bits(0.2))
    assert scorer.model.version == default_model().version


@pytest.mark.parametrize(("accept", "review", "expected"), [(0.05, None, (0.05, 0.05)), (None, 0.9, (0.9, 0.9)), (None, 0.5, (0.85, 0.5))])
def test_what_is_not_stated_gives_way(accept: float | None, review: float | None, expected: tuple[float, float]) -> None:
    """A threshold that the topology states is never crossed by the model's other one."""
    model = model_of(replace(_MATCHING, accept=accept, review=review))

    assert (model.accept, model.review) == expected


def test_a_name_alone_stays_below_the_topologys_own_threshold() -> None:
    """Whatever acceptance is, two who agree in nothing but a name are not one person by it."""
    named = Record("1", {"given": "ada", "family": "lovelace"})

    scorer = scorer_of(replace(_MATCHING, accept=0.0001, review=0.00005))

    assert scorer.explain(named, named).probability < 0.0001 + 1e-9
    assert scorer.explain(named, named).score < thresholds_of(scorer).accept
    assert probability(thresholds_of(scorer).accept) == pytest.approx(0.0001)


def test_something_else_is_refused() -> None:
    """A file that is no model is refused with what to do."""
    with pytest.raises(UsageError, match="expected a model of `touchstone match train`"):
        scorer_of(replace(_MATCHING, model=b"{}"))

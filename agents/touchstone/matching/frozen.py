"""The scorer that a topology asks for: its frozen model, with its own thresholds where it states any."""

from typing import NamedTuple

import msgspec

from touchstone.errors import UsageError
from touchstone.matching.model import Model, default_model, from_json
from touchstone.matching.score import Scorer, bits
from touchstone.topology.compile import Matching


class Thresholds(NamedTuple):
    """How alike is alike enough, in bits: from `accept` on two records are one person's, from `review` on somebody should look."""

    accept: float
    review: float


def model_of(matching: Matching) -> Model:
    """The model that the topology names, or what is believed before anything was learnt; `accept` and `review` as the topology says.

    Where it states one of the two only, the model's other one gives way: nobody reviews what is accepted. The version stays the file's.

    Raises:
        UsageError: the file is no model, of another format, or was changed by hand.
    """
    model = default_model() if matching.model is None else from_json(matching.model, "the file of matching.model")
    accept, review = matching.accept, matching.review
    if accept is None:
        accept = model.accept if review is None else max(model.accept, review)
    if review is None:
        review = min(model.review, accept)
    if not 0 < review <= accept < 1:
        raise UsageError(f"expected matching.review at most matching.accept, both between 0 and 1, found {review:g} and {accept:g}")
    return msgspec.structs.replace(model, accept=accept, review=review)


def scorer_of(matching: Matching) -> Scorer:
    """The scorer of the topology's model. A score depends on the two records, the file and the thresholds only.

    Raises:
        UsageError: the file is no model, of another format, or was changed by hand.
    """
    return Scorer(model_of(matching))


def thresholds_of(scorer: Scorer) -> Thresholds:
    """The thresholds of a scorer in the unit of its scores."""
    return Thresholds(bits(scorer.model.accept), bits(scorer.model.review))

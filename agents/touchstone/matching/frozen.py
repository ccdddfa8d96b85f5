"""The scorer that a topology asks for, and from which scores on it counts."""

from typing import NamedTuple

from touchstone.matching.choice import model_of
from touchstone.matching.judge import bits
from touchstone.matching.score import Scorer
from touchstone.topology.compile import Matching


class Thresholds(NamedTuple):
    """How alike is alike enough, in bits: from `accept` on two records are one person's, from `review` on somebody should look."""

    accept: float
    review: float


def scorer_of(matching: Matching) -> Scorer:
    """The scorer of the topology's model. A score depends on the two records, the file and the thresholds only.

    Raises:
        UsageError: the file is no model, of another format, or was changed by hand.
    """
    return Scorer(model_of(matching))


def thresholds_of(scorer: Scorer) -> Thresholds:
    """The thresholds of a scorer in the unit of its scores."""
    return Thresholds(bits(scorer.model.accept), bits(scorer.model.review))

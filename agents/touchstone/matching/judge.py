"""Who judges likeness, as the other stages know it; what really compares is loaded only where something is matched.

The libraries that compare take a second to load, and as much memory again as all else of a worker.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from math import log2
from typing import Any, Protocol, cast

import msgspec

from touchstone.identity.resolve import Evidence as Known
from touchstone.identity.resolve import Protection
from touchstone.matching.records import Record
from touchstone.topology.compile import Matching

SUPPORT, AMBIGUOUS, NEIGHBOURS = "support", "ambiguous", "neighbours"
"""What keeps two apart who look alike: the rest of what is known of them, a third who fits as well, or how many are like one already."""


class Evidence(msgspec.Struct, frozen=True):
    """What one feature says of a pair: its level, and the bits it adds (for) or takes (against), correlated features already discounted."""

    feature: str
    level: str
    left: str
    right: str
    bits: float


class Explanation(msgspec.Struct, frozen=True):
    """Why a pair has its score: `prior` + the bits of all features - `household` = `score`, to rounding."""

    score: float
    probability: float
    prior: float
    household: float
    evidence: tuple[Evidence, ...]


class Explains(Protocol):
    """Knows why two look alike."""

    def explain(self, one: Record, other: Record) -> Explanation:
        """The score of a pair with everything that it consists of."""
        ...


class Judge(Explains, Protocol):
    """The matching of a topology. `accept` and `review`: bits from which on two are one, or somebody should look; `version` of the model.

    `terms`: what else decides than the topology says, because the package has defaults: a state that was made with others cannot be continued.
    """

    accept: float
    review: float
    version: str
    terms: str

    def protect(self, evidence: Known) -> Protection:
        """What keeps the people of a component from growing into one another by likeness."""
        ...

    def scores(self, records: Sequence[Record], pairs: Sequence[tuple[int, int]]) -> list[float]:
        """For each pair of positions in `records` how much the two look alike, in bits, to a billionth."""
        ...

    def score_pair(self, one: Record, other: Record) -> float:
        """The same of a single pair: to the last bit the same, in whatever company."""
        ...


def judge_of(matching: Matching) -> Judge:
    """The judge that a topology asks for.

    Raises:
        UsageError: its model's file is no model, of another format, or was changed by hand.
    """
    made: Callable[[Matching], Any] = import_module("touchstone.matching.alike").Alike
    return cast("Judge", made(matching))


def probability(score: float) -> float:
    """The probability that belongs to a score in bits."""
    odds: float = 2.0 ** min(-score, 1000.0)
    return 1 / (1 + odds)


def bits(chance: float) -> float:
    """The score in bits that belongs to a probability."""
    return log2(chance / (1 - chance))

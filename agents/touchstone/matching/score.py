"""How likely two records are one person: the evidence of each feature in bits, weighed against strangers and people who live together.

The score of a pair depends on the two records and the model only. It is the same for (a, b) and (b, a), alone and in a batch.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import log2

import numpy as np
from numpy.typing import NDArray

from touchstone.matching.compare import Codes, Levels, compare
from touchstone.matching.features import BESIDE_NAMES, FEATURES, GROUPS, MISSING, holder_value
from touchstone.matching.judge import Evidence, Explanation, bits, probability
from touchstone.matching.model import Model, digest
from touchstone.matching.pair import PairScorer, Said
from touchstone.matching.records import Record

Bits = NDArray[np.float64]

BESIDE_A_NAME = 3.0
"""So many bits something other than the name must say for a match: "Robert Smith, Las Vegas" is not one man."""
_BESIDE_NAMES = sorted(BESIDE_NAMES)

_GROUPS = [list(group) for group in GROUPS]
_REMEMBERED = 262_144

SMALLEST = 1e-7
"""No chance is taken to be smaller: data cannot show it, and one wrong value must not decide alone."""


class Scorer:
    """A model, ready to score."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._at_most = bits(model.accept) - 0.01
        self._tables = [self._table(model, feature.name) for feature in FEATURES]
        learnt = [model.features[feature.name] for feature in FEATURES]
        self._exactly = [(feature.name, feature.exact, each.rare is not None) for feature, each in zip(FEATURES, learnt, strict=True)]
        self._of_most = [self._of_chance(n, each.u[-1] if each.rare is None else each.rare) for n, each in enumerate(learnt)]
        self._exact = lru_cache(maxsize=_REMEMBERED)(self._of_value)
        said = [list(zip(match.tolist(), household.tolist(), strict=True)) for match, household in self._tables]
        self._pair = PairScorer(model, said, self._exact, BESIDE_A_NAME, self._at_most)

    def score_pair(self, one: Record, other: Record) -> float:
        """What `score` says of a single pair, to a billionth of a bit; exactly the same for (other, one)."""
        return self._pair.score(one, other)

    def score(self, records: Sequence[Record], left: Codes, right: Codes) -> Bits:
        """For each pair of positions in `records` the binary logarithm of the odds that the two are one person."""
        return self.weigh(records, left, compare(records, left, right))

    def weigh(self, records: Sequence[Record], left: Codes, levels: Levels) -> Bits:
        """The same for pairs that are compared already."""
        for_match, for_household = self._bits(records, left, levels)
        return self._limited(for_match, self._odds(self._sum(for_match), self._sum(for_household)))

    def against_strangers(self, records: Sequence[Record], left: Codes, levels: Levels) -> tuple[Bits, Bits]:
        """For each pair the bits for one person, and for two of a household, each against two strangers; without their frequency."""
        for_match, for_household = self._bits(records, left, levels)
        return self._sum(for_match), self._sum(for_household)

    def explain(self, one: Record, other: Record) -> Explanation:
        """The score of one pair with everything that it consists of."""
        records, left = [one, other], np.array([0])
        levels = compare(records, left, np.array([1]))
        for_match, for_household = self._bits(records, left, levels)
        counted = self._counted(for_match)[0]
        score = float(self._limited(for_match, self._odds(self._sum(for_match), self._sum(for_household)))[0])
        prior = float(np.log2(self.model.match / (1 - self.model.match)))
        evidence = tuple(
            Evidence(feature.name, feature.levels[level], one.values.get(feature.name, ""), other.values.get(feature.name, ""), float(bits))
            for feature, level, bits in zip(FEATURES, levels[0].tolist(), counted, strict=True)
            if level != MISSING
        )
        return Explanation(score, probability(score), prior, prior + float(counted.sum()) - score, evidence)

    def _table(self, model: Model, name: str) -> tuple[Bits, Bits]:
        """Per level the bits for a match and for a household, each against strangers; the last entry is that of a missing value."""
        feature = model.features[name]
        m = np.maximum(np.array(feature.m), SMALLEST)
        u = np.maximum(np.array(feature.u), SMALLEST)
        household = feature.shared * m + (1 - feature.shared) * u
        return np.append(np.log2(m / u), 0.0), np.append(np.log2(household / u), 0.0)

    def _bits(self, records: Sequence[Record], left: Codes, levels: Levels) -> tuple[Bits, Bits]:
        for_match, for_household = (np.zeros(levels.shape) for _ in range(2))
        for n in np.flatnonzero((levels != MISSING).any(axis=0)).tolist():
            match, household = self._tables[n]
            for_match[:, n], for_household[:, n] = match[levels[:, n]], household[levels[:, n]]
            name, level, has_frequencies = self._exactly[n]
            exact = np.flatnonzero(levels[:, n] == level)
            if has_frequencies and len(exact):
                said = [self._exact(n, records[position].values[name]) for position in left[exact].tolist()]
                for_match[exact, n], for_household[exact, n] = zip(*said, strict=True)
        return for_match, for_household

    def _of_value(self, n: int, value: str) -> Said:
        """What it says that two agree in this value."""
        name, _, has_frequencies = self._exactly[n]
        known = self.model.features[name].frequencies.get(digest(holder_value(name, value))) if has_frequencies else None
        return self._of_most[n] if known is None else self._of_chance(n, known)

    def _of_chance(self, n: int, chance: float) -> Said:
        """What it says that two agree in a value that a stranger has with this chance."""
        feature = FEATURES[n]
        learnt = self.model.features[feature.name]
        m, u = max(learnt.m[feature.exact], SMALLEST), max(chance, SMALLEST)
        return log2(m / u), log2((learnt.shared * m + (1 - learnt.shared) * u) / u)

    def _counted(self, bits: Bits) -> Bits:
        """Of a group of correlated features the strongest evidence for a match counts in full, the rest in part; against it there is a limit."""
        counted = bits
        for group in _GROUPS:
            inside = bits[:, group]
            best = np.maximum(inside.max(axis=1, keepdims=True), 0)
            strongest = np.zeros_like(inside, dtype=bool)
            strongest[np.arange(len(inside)), inside.argmax(axis=1)] = True
            shared = np.where(inside > 0, np.where(strongest, best, inside * self.model.together), inside)
            total = shared.sum(axis=1, keepdims=True)
            too_low = total < self.model.lowest
            if counted is bits:
                counted = bits.copy()
            counted[:, group] = np.where(too_low, shared * (self.model.lowest / np.where(too_low, total, 1)), shared)
        return counted

    def _sum(self, bits: Bits) -> Bits:
        total: Bits = self._counted(bits).sum(axis=1)
        return total

    def _limited(self, match: Bits, odds: Bits) -> Bits:
        """A name alone, however rare, is at most for review: something else must speak for the match as well."""
        has_more = np.maximum(match[:, _BESIDE_NAMES], 0).sum(axis=1) > BESIDE_A_NAME
        return np.where(has_more, odds, np.minimum(odds, self._at_most))

    def _odds(self, match: Bits, household: Bits) -> Bits:
        model = self.model
        stranger = 1 - model.match - model.household
        odds: Bits = np.log2(model.match) + match - np.logaddexp2(np.log2(stranger), np.log2(model.household) + household)
        return odds

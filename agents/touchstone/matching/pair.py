"""One pair of records at a time: the score of `score.py` without arrays, for whoever has few pairs and cannot wait for a batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log2

from touchstone.matching.dates import is_impossible
from touchstone.matching.features import BESIDE_NAMES, FAMILY, FEATURES, GIVEN, GROUPS, MISSING
from touchstone.matching.levels import RESEMBLES, SWAPPED, is_exchanged, level
from touchstone.matching.model import Model
from touchstone.matching.records import Record

Said = tuple[float, float]
"""What one feature says, in bits: for one person, and for two of a household, each against two strangers."""

_COMPARED = tuple((n, feature.name, feature.kind, feature.exact) for n, feature in enumerate(FEATURES))
_IS_ALONE = tuple(not feature.group for feature in FEATURES)
_IS_BESIDE_NAMES = tuple(n in BESIDE_NAMES for n in range(len(FEATURES)))


def levels_between(one: Record, other: Record) -> list[tuple[int, int]]:
    """The features that both know, in their order, each with its level, as `compare` has it; the same for (other, one)."""
    ones, others = one.values, other.values
    levels: list[tuple[int, int]] = []
    lowest_name = -1
    for n, name, kind, exact in _COMPARED:
        mine = ones.get(name)
        theirs = others.get(name) if mine is not None else None
        if mine is None or theirs is None or (kind == "date" and is_impossible(mine) and is_impossible(theirs)):
            continue
        found = exact if mine == theirs else level(kind, mine, theirs) if mine < theirs else level(kind, theirs, mine)
        if n == GIVEN:
            lowest_name = found
        elif n == FAMILY and MISSING < lowest_name <= RESEMBLES and found <= RESEMBLES and _is_exchanged(one, other):
            levels[-1] = GIVEN, SWAPPED
            continue
        levels.append((n, found))
    return levels


def _is_exchanged(one: Record, other: Record) -> bool:
    ones, others = ((record.values["given"], record.values["family"]) for record in (one, other))
    return is_exchanged(*min(ones, others), *max(ones, others))


@dataclass(frozen=True, slots=True)
class PairScorer:
    """A model, ready to score single pairs.

    Attributes:
        model: It.
        said: Per feature and level what it says.
        exact: What equality of a feature (by its number) in this value says.
        least_beside: So many bits something other than the name must say, or the score is at most `at_most`.
        at_most: See there.
    """

    model: Model
    said: Sequence[Sequence[Said]]
    exact: Callable[[int, str], Said]
    least_beside: float
    at_most: float

    def score(self, one: Record, other: Record) -> float:
        """The binary logarithm of the odds that the two are one person; exactly the same for (other, one)."""
        match = household = beside = 0.0
        in_groups: list[tuple[int, Said]] = []
        for n, found in levels_between(one, other):
            _, name, _, exact = _COMPARED[n]
            said = self.exact(n, one.values[name]) if found == exact else self.said[n][found]
            if _IS_BESIDE_NAMES[n]:
                beside += max(said[0], 0.0)
            if _IS_ALONE[n]:
                match += said[0]
                household += said[1]
            else:
                in_groups.append((n, said))
        for group in GROUPS:
            inside = [said for n, said in in_groups if n in group]
            match += self._counted([said[0] for said in inside])
            household += self._counted([said[1] for said in inside])
        score = self._odds(match, household)
        return score if beside > self.least_beside else min(score, self.at_most)

    def _counted(self, bits: Sequence[float]) -> float:
        """What a group of correlated features says: the strongest evidence for a match in full, the rest in part; against it there is a limit."""
        best = max(bits, default=0.0)
        if best <= 0:
            return max(sum(bits), self.model.lowest)
        together = self.model.together
        return max(best * (1 - together) + sum(each * together if each > 0 else each for each in bits), self.model.lowest)

    def _odds(self, match: float, household: float) -> float:
        model = self.model
        stranger, together = log2(1 - model.match - model.household), log2(model.household) + household
        high, low = max(stranger, together), min(stranger, together)
        return log2(model.match) + match - high - log2(1 + 2.0 ** (low - high))

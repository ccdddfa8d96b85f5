"""How alike two texts are, computed many pairs at a time by rapidfuzz; equal to what recordlinkage computes one pair at a time."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler, Levenshtein
from recordlinkage.base import BaseCompareFeature

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def jaro_winkler(ones: Sequence[str], others: Sequence[str]) -> Floats:
    """Jaro-Winkler similarity of each pair: 1 for equal texts; what begins alike counts more."""
    return _each(JaroWinkler.similarity, ones, others, np.float64)


def slips(ones: Sequence[str], others: Sequence[str]) -> Ints:
    """Damerau-Levenshtein distance of each pair: letters put in, left out, mistaken or exchanged with their neighbour."""
    return _each(DamerauLevenshtein.distance, ones, others, np.int64)


def _each(scorer: Callable[..., Any], ones: Sequence[str], others: Sequence[str], kind: type) -> NDArray[Any]:
    if not len(ones):
        return np.empty(0, dtype=kind)
    return process.cpdist(ones, others, scorer=scorer, dtype=kind, workers=1)


class Likeness(BaseCompareFeature):  # type: ignore[misc] # recordlinkage is published without types
    """What `recordlinkage.compare.String` computes, hundreds of times faster: `jarowinkler`, `levenshtein` or `damerau_levenshtein`.

    A missing value gives `missing`, as there; unlike there it is NaN by default, because 0 would be disagreement. Code points are
    compared where the stock feature compares graphemes: that differs only for letters of several code points, and matching/names.py composes
    those that can be.
    """

    name = "likeness"

    def __init__(self, left: str, right: str, method: str = "jarowinkler", missing: float = np.nan, label: str | None = None) -> None:
        super().__init__(left, right, label=label)
        self.method, self.missing = method, missing

    def _compute_vectorized(self, left: "pd.Series[str]", right: "pd.Series[str]") -> Floats:
        known = (left.notna().to_numpy()) & (right.notna().to_numpy())
        ones, others = left.to_numpy()[known].tolist(), right.to_numpy()[known].tolist()
        result = np.full(len(left), self.missing, dtype=np.float64)
        if self.method == "jarowinkler":
            result[known] = jaro_winkler(ones, others)
        else:
            scorer = DamerauLevenshtein.distance if self.method == "damerau_levenshtein" else Levenshtein.distance
            longest = np.maximum([len(one) for one in ones] or [1], [len(other) for other in others] or [1])
            result[known] = 1 - _each(scorer, ones, others, np.float64) / longest
        return result

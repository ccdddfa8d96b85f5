"""Many pairs of records at a time: on which level each feature agrees, by recordlinkage's Compare with a feature of our own.

A call has a fixed cost of a few milliseconds, whatever the number of pairs: compare micro-batches, not single records.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import count

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from recordlinkage import Compare
from recordlinkage.base import BaseCompareFeature

from touchstone.matching.dates import is_impossible
from touchstone.matching.features import FAMILY, FEATURES, GIVEN, MISSING, Feature
from touchstone.matching.levels import RESEMBLES, SWAPPED, VERY_ALIKE, levels_of
from touchstone.matching.likeness import jaro_winkler
from touchstone.matching.records import COLUMNS, Record

Levels = NDArray[np.int8]
"""One row per pair, one column per feature, in the order of FEATURES; -1 where one of the two says nothing."""
Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Values:
    """The distinct values of a batch of records, numbered; 0 is the missing one. Texts are compared once per pair of numbers."""

    def __init__(self, records: Sequence[Record]) -> None:
        number: defaultdict[str, int] = defaultdict(count().__next__)  # whoever is asked for first has the next number
        self.table = np.full((len(records), len(COLUMNS)), number[""], dtype=np.int64)
        self.impossible = np.empty(0, dtype=np.int64)
        said = [record.values for record in records]  # noqa: PD011 - records, not frames
        for column in sorted(set().union(*said), key=_POSITION.__getitem__):
            texts = [values.get(column, "") for values in said]
            self.table[:, _POSITION[column]] = list(map(number.__getitem__, texts))
            if column == "birth_date":
                self.impossible = np.array(sorted({number[text] for text in texts if text and is_impossible(text)}), dtype=np.int64)
        self.texts = list(number)

    def text(self, codes: Codes) -> list[str]:
        """The texts behind numbers."""
        texts = self.texts
        return [texts[code] for code in codes.tolist()]


_POSITION = {column: position for position, column in enumerate(COLUMNS)}
_ROW = "row"
_FEATURES = tuple((n, feature, _POSITION[feature.name], feature.exact) for n, feature in enumerate(FEATURES))


class Agreement(BaseCompareFeature):  # type: ignore[misc] # recordlinkage is published without types
    """All features of a pair at once: recordlinkage hands over the rows of both sides, and gets one column of levels per feature.

    It is handed one column, which says the row in a table of numbers, and not all columns of the records: to cut forty-six columns out of a
    frame takes recordlinkage longer than it takes to compare them.
    """

    name = "agreement"

    def __init__(self, values: Values) -> None:
        super().__init__(_ROW, _ROW, label=[feature.name for feature in FEATURES])
        self.batch = values

    def _compute_vectorized(self, left_rows: "pd.Series[int]", right_rows: "pd.Series[int]") -> Levels:
        table = self.batch.table
        left, right = table[left_rows.to_numpy()], table[right_rows.to_numpy()]
        levels = np.full((len(left), len(FEATURES)), MISSING, dtype=np.int8)
        known = (left != 0) & (right != 0)
        for n, feature, column, exact in _FEATURES:
            both = known[:, column]
            if both.any():
                levels[:, n] = _levels(feature, exact, left[:, column], right[:, column], both, self.batch)
        _exchange_names(levels, left, right, self.batch)
        return levels


def compare(records: Sequence[Record], left: Codes, right: Codes) -> Levels:
    """The levels of the pairs (left[i], right[i]), which are positions in `records`. The same for (right[i], left[i])."""
    if not len(left):
        return np.empty((0, len(FEATURES)), dtype=np.int8)
    pairs = pd.MultiIndex.from_arrays([left, right])
    rows = pd.DataFrame({_ROW: np.arange(len(records))})
    return np.asarray(Compare([Agreement(Values(records))]).compute(pairs, rows), dtype=np.int8)


def _levels(feature: Feature, exact: int, left: Codes, right: Codes, known: Flags, values: Values) -> Levels:
    """Missing, exact, or what the feature's kind says of two different texts."""
    levels = np.full(len(left), MISSING, dtype=np.int8)
    levels[known] = exact
    differ = np.flatnonzero(known & (left != right))
    if len(differ):
        low, high = np.minimum(left[differ], right[differ]), np.maximum(left[differ], right[differ])
        pairs, where = np.unique(low * len(values.texts) + high, return_inverse=True)
        levels[differ] = levels_of(feature.kind, *_in_order(values, pairs // len(values.texts), pairs % len(values.texts)))[where]
    if feature.name == "birth_date" and len(values.impossible):
        levels[np.isin(left, values.impossible) & np.isin(right, values.impossible)] = MISSING
    return levels


def _in_order(values: Values, ones: Codes, others: Codes) -> tuple[list[str], list[str]]:
    """The texts behind pairs of numbers, of each pair the first in the order of texts first: Jaro-Winkler is not symmetric to the last bit."""
    texts = [(one, other) if one < other else (other, one) for one, other in zip(values.text(ones), values.text(others), strict=True)]
    return [one for one, _ in texts], [other for _, other in texts]


def _exchange_names(levels: Levels, left: Codes, right: Codes, values: Values) -> None:
    """Given name and family name in the other order: a level of its own for the given name, where neither agrees as it stands."""
    names = levels[:, [GIVEN, FAMILY]]
    where = np.flatnonzero(((names > MISSING) & (names <= RESEMBLES)).all(axis=1))
    if not len(where):
        return
    given, family = _POSITION["given"], _POSITION["family"]
    crossed = np.minimum(
        jaro_winkler(*_in_order(values, left[where, given], right[where, family])),
        jaro_winkler(*_in_order(values, left[where, family], right[where, given])),
    )
    swapped = where[crossed >= VERY_ALIKE]
    levels[swapped, GIVEN] = SWAPPED
    levels[swapped, FAMILY] = MISSING  # the exchange is one piece of evidence, not two

"""Many pairs of records at a time: on which level each feature agrees, by recordlinkage's Compare with a feature of our own.

A call has a fixed cost of a few milliseconds, whatever the number of pairs: compare micro-batches, not single records.
"""

from collections.abc import Sequence

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
        number: dict[str, int] = {"": 0}
        table = np.zeros((len(records), len(COLUMNS)), dtype=np.int64)
        for row, record in enumerate(records):
            for column, value in record.values.items():  # noqa: PD011 - a record, not a frame
                table[row, _POSITION[column]] = number.setdefault(value, len(number))
        self.texts = list(number)
        self.frame = pd.DataFrame(table, columns=list(COLUMNS), copy=False)

    def text(self, codes: Codes) -> list[str]:
        """The texts behind numbers."""
        texts = self.texts
        return [texts[code] for code in codes.tolist()]


_POSITION = {column: position for position, column in enumerate(COLUMNS)}


class Agreement(BaseCompareFeature):  # type: ignore[misc] # recordlinkage is published without types
    """All features of a pair at once: recordlinkage hands over the columns of both sides, and gets one column of levels per feature."""

    name = "agreement"

    def __init__(self, values: Values) -> None:
        super().__init__(list(COLUMNS), list(COLUMNS), label=[feature.name for feature in FEATURES])
        self.batch = values

    def _compute_vectorized(self, *columns: "pd.Series[int]") -> Levels:
        codes = [column.to_numpy() for column in columns]
        left, right = dict(zip(COLUMNS, codes, strict=False)), dict(zip(COLUMNS, codes[len(COLUMNS) :], strict=True))
        levels = np.full((len(codes[0]), len(FEATURES)), MISSING, dtype=np.int8)
        for n, feature in enumerate(FEATURES):
            levels[:, n] = _levels(feature, left[feature.name], right[feature.name], self.batch)
        _exchange_names(levels, left, right, self.batch)
        return levels


def compare(records: Sequence[Record], left: Codes, right: Codes) -> Levels:
    """The levels of the pairs (left[i], right[i]), which are positions in `records`. The same for (right[i], left[i])."""
    if not len(left):
        return np.empty((0, len(FEATURES)), dtype=np.int8)
    values = Values(records)
    pairs = pd.MultiIndex.from_arrays([left, right])
    return np.asarray(Compare([Agreement(values)]).compute(pairs, values.frame), dtype=np.int8)


def _levels(feature: Feature, left: Codes, right: Codes, values: Values) -> Levels:
    """Missing, exact, or what the feature's kind says of two different texts."""
    levels = np.full(len(left), MISSING, dtype=np.int8)
    known = (left != 0) & (right != 0)
    levels[known] = feature.exact
    differ = np.flatnonzero(known & (left != right))
    if len(differ):
        low, high = np.minimum(left[differ], right[differ]), np.maximum(left[differ], right[differ])
        pairs, where = np.unique(low * len(values.texts) + high, return_inverse=True)
        levels[differ] = levels_of(feature.kind, *_in_order(values, pairs // len(values.texts), pairs % len(values.texts)))[where]
    if feature.name == "birth_date":
        impossible = np.array([bool(text) and is_impossible(text) for text in values.texts])
        levels[known & impossible[left] & impossible[right]] = MISSING
    return levels


def _in_order(values: Values, ones: Codes, others: Codes) -> tuple[list[str], list[str]]:
    """The texts behind pairs of numbers, of each pair the first in the order of texts first: Jaro-Winkler is not symmetric to the last bit."""
    texts = [(one, other) if one < other else (other, one) for one, other in zip(values.text(ones), values.text(others), strict=True)]
    return [one for one, _ in texts], [other for _, other in texts]


def _exchange_names(levels: Levels, left: dict[str, Codes], right: dict[str, Codes], values: Values) -> None:
    """Given name and family name in the other order: a level of its own for the given name, where neither agrees as it stands."""
    known = (left["given"] != 0) & (left["family"] != 0) & (right["given"] != 0) & (right["family"] != 0)
    where = np.flatnonzero(known & (levels[:, GIVEN] <= RESEMBLES) & (levels[:, FAMILY] <= RESEMBLES))
    if not len(where):
        return
    crossed = np.minimum(
        jaro_winkler(*_in_order(values, left["given"][where], right["family"][where])),
        jaro_winkler(*_in_order(values, left["family"][where], right["given"][where])),
    )
    swapped = where[crossed >= VERY_ALIKE]
    levels[swapped, GIVEN] = SWAPPED
    levels[swapped, FAMILY] = MISSING  # the exchange is one piece of evidence, not two

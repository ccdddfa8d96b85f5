"""Many pairs of records at a time: on which level each feature agrees, by recordlinkage's Compare with a feature of our own.

A call has a fixed cost of a few milliseconds, whatever the number of pairs: compare micro-batches, not single records.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from recordlinkage import Compare
from recordlinkage.base import BaseCompareFeature

from touchstone.matching.dates import is_possible, turned
from touchstone.matching.features import FEATURES, LEVELS, MISSING, Feature
from touchstone.matching.likeness import jaro_winkler, slips
from touchstone.matching.names import is_known, is_short_form, sound
from touchstone.matching.records import COLUMNS, Record

Levels = NDArray[np.int8]
"""One row per pair, one column per feature, in the order of FEATURES; -1 where one of the two says nothing."""
Codes = NDArray[np.int64]
Flags = NDArray[np.bool_]

_VERY_ALIKE = 0.92
_ALIKE = 0.8
_SOUNDS = 0.6
"""Jaro-Winkler. Below the last one the same consonants are a coincidence: `Mark` and `Mauricio` sound alike to Metaphone."""


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
        ones, others = values.text(pairs // len(values.texts)), values.text(pairs % len(values.texts))
        levels[differ] = _DIFFERENT[feature.kind](ones, others, feature.name)[where]
    if feature.name == "birth_date":
        impossible = np.array([bool(text) and (len(text) != 8 or not text.isdecimal() or not is_possible(text)) for text in values.texts])
        levels[known & impossible[left] & impossible[right]] = MISSING
    return levels


def _name(ones: Sequence[str], others: Sequence[str], feature: str) -> Levels:
    likeness, distance = jaro_winkler(ones, others), slips(ones, others)
    shortest = np.minimum([len(one) for one in ones], [len(other) for other in others])
    levels = np.zeros(len(ones), dtype=np.int8)
    levels[(likeness >= _ALIKE) | ((distance == 1) & (shortest >= 4))] = _RESEMBLES
    levels[(distance <= shortest // 5) | ((distance == 2) & (likeness >= _VERY_ALIKE))] = _SIMILAR
    is_given = feature == "given"
    for n, (one, other) in enumerate(zip(ones, others, strict=True)):
        if shortest[n] == 1:
            levels[n] = _INITIAL if one[0] == other[0] else _DIFFERS
        elif (is_given and is_short_form(one, other)) or (likeness[n] >= _SOUNDS and sound(one) == sound(other)):
            levels[n] = _ALIKE_NAMES
        elif (" " in one or " " in other) and _is_part(one, other):
            levels[n] = _PART
        elif is_given and is_known(one) and is_known(other):
            levels[n] = _DIFFERS  # two names that both exist are two names, not a slip: Mark and Mary
    return levels


_DIFFERS, _RESEMBLES, _INITIAL, _PART, _SIMILAR, _ALIKE_NAMES, _SWAPPED, _ = range(len(LEVELS["name"]))


def _is_part(one: str, other: str) -> bool:
    """Whether the words of one name are all in the other: Sentosa and Medina Sentosa."""
    ones, others = set(one.split()), set(other.split())
    return ones <= others or others <= ones


def _exchange_names(levels: Levels, left: dict[str, Codes], right: dict[str, Codes], values: Values) -> None:
    """Given name and family name in the other order: a level of its own for the given name, where neither agrees as it stands."""
    given, family = (next(n for n, feature in enumerate(FEATURES) if feature.name == name) for name in ("given", "family"))
    known = (left["given"] != 0) & (left["family"] != 0) & (right["given"] != 0) & (right["family"] != 0)
    where = np.flatnonzero(known & (levels[:, given] <= _RESEMBLES) & (levels[:, family] <= _RESEMBLES))
    if not len(where):
        return
    crossed = np.minimum(
        jaro_winkler(values.text(left["given"][where]), values.text(right["family"][where])),
        jaro_winkler(values.text(left["family"][where]), values.text(right["given"][where])),
    )
    swapped = where[crossed >= _VERY_ALIKE]
    levels[swapped, given] = _SWAPPED
    levels[swapped, family] = MISSING  # the exchange is one piece of evidence, not two


def _date(ones: Sequence[str], others: Sequence[str], _feature: str) -> Levels:
    return np.fromiter(map(_date_level, ones, others, slips(ones, others).tolist()), dtype=np.int8, count=len(ones))


def _date_level(one: str, other: str, distance: int) -> int:
    if turned(one) == other:
        return 4
    if distance <= 1:
        return 3
    if (one[:4] == other[:4]) + (one[4:6] == other[4:6]) + (one[6:] == other[6:]) == 2 or (distance == 2 and one[:4] == other[:4]):
        return 2
    return 1 if one[:4] == other[:4] else 0


def _number(ones: Sequence[str], others: Sequence[str], _feature: str) -> Levels:
    return np.fromiter(map(_number_level, ones, others, slips(ones, others).tolist()), dtype=np.int8, count=len(ones))


def _number_level(one: str, other: str, distance: int) -> int:
    if distance <= 1 and min(len(one), len(other)) >= 6:
        return 2
    return 1 if min(len(one), len(other)) == 4 and (one.endswith(other) or other.endswith(one)) else 0


def _phone(ones: Sequence[str], others: Sequence[str], _feature: str) -> Levels:
    return np.fromiter(map(_phone_level, ones, others, slips(ones, others).tolist()), dtype=np.int8, count=len(ones))


def _phone_level(one: str, other: str, distance: int) -> int:
    """Country and area may be missing or written in another way: the last seven digits are the subscriber's."""
    if min(len(one), len(other)) >= 7 and one[-7:] == other[-7:]:
        return 3 if one[-9:] == other[-9:] and min(len(one), len(other)) >= 9 else 2
    return 1 if distance <= 1 else 0


def _email(ones: Sequence[str], others: Sequence[str], _feature: str) -> Levels:
    alike = jaro_winkler([one.partition("@")[0] for one in ones], [other.partition("@")[0] for other in others])
    return np.fromiter(map(_email_level, ones, others, slips(ones, others).tolist(), alike.tolist()), dtype=np.int8, count=len(ones))


def _email_level(one: str, other: str, distance: int, likeness: float) -> int:
    if distance <= 2 and min(len(one), len(other)) > 8:
        return 3
    if one.partition("@")[0] == other.partition("@")[0] and one.index("@") > 3:
        return 2
    return 1 if likeness >= _VERY_ALIKE else 0


def _words(ones: Sequence[str], others: Sequence[str], _feature: str) -> Levels:
    likeness = jaro_winkler(ones, others)
    levels = np.zeros(len(ones), dtype=np.int8)
    levels[likeness >= _ALIKE] = 1
    for n, (one, other) in enumerate(zip(ones, others, strict=True)):
        if _is_part(one, other):
            levels[n] = 2
    levels[likeness >= _VERY_ALIKE] = 3
    close = np.flatnonzero((levels < 3) & (likeness > 0.6))
    if len(close):
        some, rest = [ones[n] for n in close.tolist()], [others[n] for n in close.tolist()]
        shortest = np.minimum([len(one) for one in some], [len(other) for other in rest])
        levels[close[slips(some, rest) <= shortest // 5]] = 3
    return levels


def _postcode(ones: Sequence[str], others: Sequence[str], _feature: str) -> Levels:
    return np.fromiter(map(_postcode_level, ones, others, slips(ones, others).tolist()), dtype=np.int8, count=len(ones))


def _postcode_level(one: str, other: str, distance: int) -> int:
    return 2 if distance == 1 else 1 if one[:2] == other[:2] else 0


def _house(ones: Sequence[str], others: Sequence[str], _feature: str) -> Levels:
    return np.fromiter((distance <= 1 and max(len(one), len(other)) > 1 for one, other, distance in zip(ones, others, slips(ones, others).tolist(), strict=True)), dtype=np.int8, count=len(ones))  # fmt: skip


def _initial(ones: Sequence[str], others: Sequence[str], _feature: str) -> Levels:
    return _flags((len(one) == 1 or len(other) == 1) and one[0] == other[0] for one, other in zip(ones, others, strict=True))


def _plain(ones: Sequence[str], others: Sequence[str], _feature: str) -> Levels:
    return _flags(one.startswith(other) or other.startswith(one) for one, other in zip(ones, others, strict=True))


def _flags(flags: Iterable[bool]) -> Levels:
    return np.array(list(flags), dtype=np.int8)


_DIFFERENT = {
    "name": _name,
    "date": _date,
    "number": _number,
    "phone": _phone,
    "email": _email,
    "words": _words,
    "postcode": _postcode,
    "house": _house,
    "initial": _initial,
    "plain": _plain,
}
"""What two different, known texts of a kind have in common: a level each, never that of equality but for telephone numbers."""

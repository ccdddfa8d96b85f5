"""On which level two different texts agree, by the kind of what they say: the one definition, for a single pair and for many at a time.

Every function here takes two different texts that are not empty. How alike they are is handed in, because many pairs are measured
faster together (likeness.py) than one by one.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from touchstone.matching.features import LEVELS, Kind
from touchstone.matching.likeness import jaro_winkler, slips
from touchstone.matching.names import is_full_name, is_known, is_short_form, sound

VERY_ALIKE = 0.92
_ALIKE = 0.8
_SOUNDS = 0.6
"""Jaro-Winkler. Below the last one the same consonants are a coincidence: `Mark` and `Mauricio` sound alike to Metaphone."""

REMEMBERED = 500_000
"""So many pairs of texts are not compared again: names, streets and towns of customers come again and again."""

_OTHER, _DIFFERS, RESEMBLES, _INITIAL, _PART, _SIMILAR, _ALIKE_NAMES, SWAPPED, _ = range(len(LEVELS["name"]))
"""The levels of a name."""

Definition = Callable[[str, str, float, int], int]
"""Of two texts, their Jaro-Winkler likeness and their number of slips: the level."""


@lru_cache(maxsize=REMEMBERED)
def level(kind: Kind, one: str, other: str) -> int:
    """The level of two different texts; `one` before `other` in the order of texts, so that it is the same whoever comes first."""
    definition, likes, slipped = _DEFINITIONS[kind]
    return definition(
        one, other, JaroWinkler.similarity(one, other) if likes else 0.0, DamerauLevenshtein.distance(one, other) if slipped else 0
    )


def levels_of(kind: Kind, ones: Sequence[str], others: Sequence[str]) -> NDArray[np.int8]:
    """The same for many pairs, each once: they are measured together."""
    definition, likes, slipped = _DEFINITIONS[kind]
    none = [0] * len(ones)
    likeness = jaro_winkler(ones, others).tolist() if likes else none
    distance = slips(ones, others).tolist() if slipped else none
    return np.fromiter(map(definition, ones, others, likeness, distance), dtype=np.int8, count=len(ones))


@lru_cache(maxsize=REMEMBERED)
def is_exchanged(given: str, family: str, other_given: str, other_family: str) -> bool:
    """Whether two names are each other's with given and family name exchanged; the same whichever of the two people comes first."""
    return min(_alike(given, other_family), _alike(family, other_given)) >= VERY_ALIKE


def _alike(one: str, other: str) -> float:
    return JaroWinkler.similarity(min(one, other), max(one, other))


def _given(one: str, other: str, likeness: float, distance: int) -> int:
    shortest = min(len(one), len(other))
    if shortest > 1 and is_short_form(one, other):
        return _ALIKE_NAMES
    found = _name(one, other, likeness, distance)
    if found not in {_DIFFERS, RESEMBLES, _SIMILAR} or shortest == 1:
        return found
    if is_known(one) and is_known(other):
        return _OTHER  # two names that both exist are two names, not a slip: Mark and Mary
    return _DIFFERS if found == RESEMBLES and distance > 2 and not _is_cut(one, other) else found


def _is_cut(one: str, other: str) -> bool:
    """Whether one name is the beginning of the other and no name of its own: Kath and Katharina, but not Anna and Annabelle."""
    short, long = sorted((one, other), key=len)
    return long.startswith(short) and not is_full_name(short)


def _name(one: str, other: str, likeness: float, distance: int) -> int:
    shortest = min(len(one), len(other))
    if shortest == 1:
        return _INITIAL if one[0] == other[0] else _DIFFERS
    if likeness >= _SOUNDS and sound(one) == sound(other):
        return _ALIKE_NAMES
    if (" " in one or " " in other) and _is_part(one, other):
        return _PART
    if distance <= shortest // 5 or (distance == 2 and likeness >= VERY_ALIKE) or _are_words_alike(one, other):
        return _SIMILAR
    return RESEMBLES if likeness >= _ALIKE or (distance == 1 and shortest >= 4) else _DIFFERS


def _are_words_alike(one: str, other: str) -> bool:
    """Whether names of several words are alike word by word: Alexander Pavlovich and Alyaksandr Paulavich."""
    ones, others = one.split(), other.split()
    return len(ones) == len(others) > 1 and all(_alike(word, each) >= _ALIKE for word, each in zip(ones, others, strict=True))


def _is_part(one: str, other: str) -> bool:
    """Whether the words of one name are all in the other: Sentosa and Medina Sentosa."""
    ones, others = set(one.split()), set(other.split())
    return ones <= others or others <= ones


def _date(one: str, other: str, _likeness: float, distance: int) -> int:
    if one[:4] == other[:4] and one[4:6] == other[6:] and one[6:] == other[4:6]:
        return 4
    if distance <= 1:
        return 3
    if (one[:4] == other[:4]) + (one[4:6] == other[4:6]) + (one[6:] == other[6:]) == 2 or (distance == 2 and one[:4] == other[:4]):
        return 2
    return 1 if one[:4] == other[:4] else 0


def _number(one: str, other: str, _likeness: float, distance: int) -> int:
    if distance <= 1 and min(len(one), len(other)) >= 6:
        return 2
    return 1 if min(len(one), len(other)) == 4 and (one.endswith(other) or other.endswith(one)) else 0


def _phone(one: str, other: str, _likeness: float, distance: int) -> int:
    """Country and area may be missing or written in another way: the last seven digits are the subscriber's."""
    if min(len(one), len(other)) >= 7 and one[-7:] == other[-7:]:
        return 3 if one[-9:] == other[-9:] and min(len(one), len(other)) >= 9 else 2
    return 1 if distance <= 1 else 0


def _email(one: str, other: str, _likeness: float, distance: int) -> int:
    if distance <= 2 and min(len(one), len(other)) > 8:
        return 3
    local, other_local = one.partition("@")[0], other.partition("@")[0]
    if local == other_local and len(local) > 3:
        return 2
    return 1 if _alike(local, other_local) >= VERY_ALIKE else 0


def _words(one: str, other: str, likeness: float, distance: int) -> int:
    if likeness >= VERY_ALIKE or (likeness > _SOUNDS and distance <= min(len(one), len(other)) // 5):
        return 3
    return 2 if _is_part(one, other) else 1 if likeness >= _ALIKE else 0


def _company(one: str, other: str, likeness: float, distance: int) -> int:
    """Companies are shortened and misspelt word by word: Univrsl Export and Universal Exports, USA."""
    found = _words(one, other, likeness, distance)
    if found >= 2:
        return found
    few, many = sorted((one.split(), other.split()), key=len)
    return 2 if all(any(_is_slip(word, each) for each in many) for word in few) and max(map(len, few)) >= 4 else found


def _is_slip(one: str, other: str) -> bool:
    return one == other or DamerauLevenshtein.distance(one, other) <= min(len(one), len(other)) // 3


def _postcode(one: str, other: str, _likeness: float, distance: int) -> int:
    return 2 if distance == 1 else 1 if one[:2] == other[:2] else 0


def _house(one: str, other: str, _likeness: float, distance: int) -> int:
    return int(distance <= 1 and max(len(one), len(other)) > 1)


def _initial(one: str, other: str, _likeness: float, _distance: int) -> int:
    return int((len(one) == 1 or len(other) == 1) and one[0] == other[0])


def _plain(one: str, other: str, _likeness: float, _distance: int) -> int:
    return int(one.startswith(other) or other.startswith(one))


_DEFINITIONS: Mapping[Kind, tuple[Definition, bool, bool]] = {
    "given": (_given, True, True),
    "name": (_name, True, True),
    "date": (_date, False, True),
    "number": (_number, False, True),
    "phone": (_phone, False, True),
    "email": (_email, False, True),
    "words": (_words, True, True),
    "company": (_company, True, True),
    "postcode": (_postcode, False, True),
    "house": (_house, False, True),
    "initial": (_initial, False, False),
    "plain": (_plain, False, False),
}
"""Per kind what tells the level, and whether it asks for the likeness, and for the slips."""

"""Names as they are compared: one alphabet, no titles, given and family name apart, what sounds alike, what is short for what."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import jellyfish
from anyascii import anyascii
from nicknames import NickNamer

LONGEST = 200
"""A longer value is no name, nor a street, but an accident of some form: it is no evidence."""

NOTHING = frozenset(
    {"", "null", "none", "nil", "undefined", "unknown", "anonymous", "n a", "na", "nan", "test", "x", "xx", "xxx", "missing"}
)
"""What people and programs write where they know nothing."""

_TITLES = frozenset(
    ["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "herr", "frau", "madame", "monsieur", "mme", "mlle", "sra", "senor", "senora", "sir"]
)
_GENERATIONS = {"jr": "2", "junior": "2", "jnr": "2", "sr": "1", "senior": "1", "snr": "1", "i": "1", "ii": "2", "iii": "3", "iv": "4"}
_APOSTROPHES = "'`\u2019\u00b4"
_CJK = re.compile(r"[\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_SYLLABLE = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class PersonName:
    """The parts of a name; empty where unknown."""

    given: str = ""
    family: str = ""
    middle: str = ""
    generation: str = ""


@lru_cache(maxsize=65_536)
def plain(text: str) -> str:
    """Lower-case Latin letters and digits with single blanks between words; empty for what says nothing.

    Other scripts are written in Latin letters. Signs and emoji fall away, or two people would agree about them.
    """
    if len(text) > LONGEST:
        return ""
    if text.isascii():
        latin = text
    else:
        kept = "".join(
            letter if unicodedata.category(letter)[0] in "LMN" else "" if letter in _APOSTROPHES else " "
            for letter in unicodedata.normalize("NFKC", text)
        )
        latin = _SYLLABLE.sub(" ", anyascii(kept)) if _CJK.search(kept) else anyascii(kept)
    words = " ".join(re.findall(r"[a-z0-9]+", latin.replace("'", "").casefold()))
    return "" if words in NOTHING else words


def person_name(given: str = "", family: str = "", middle: str = "", full: str = "", generation: str = "") -> PersonName:
    """The parts of a name from what was stated; a full name is taken apart where its parts were not stated."""
    if full and not (given or family):
        given, family = _taken_apart(full)
    first, initial, marked_first = _given(given)
    last, marked_last = _family(family)
    marked = _GENERATIONS.get(plain(generation), "") or marked_last or marked_first
    return PersonName(first, last, plain(middle) or initial, marked)


@lru_cache(maxsize=65_536)
def _given(given: str) -> tuple[str, str, str]:
    """The given names without titles, a middle initial, and a generation: what stands in front often holds all of it."""
    first, marked = _without_generation(plain(given))
    firsts = [word for word in first.split() if word not in _TITLES] or first.split()
    initial = ""
    while len(firsts) > 1 and len(firsts[-1]) == 1:  # "Rosemary A": the last letter is a middle initial
        initial = initial or firsts[-1]
        firsts.pop()
    return " ".join(firsts), initial, marked


@lru_cache(maxsize=65_536)
def _family(family: str) -> tuple[str, str]:
    return _without_generation(plain(family))


def _taken_apart(full: str) -> tuple[str, str]:
    if len(full) > LONGEST:
        return "", ""
    family, comma, given = full.partition(",")
    if comma and given.strip():
        return given, family
    if _CJK.search(full):
        stripped = full.replace(" ", "").replace("・", "")
        return (stripped[1:], stripped[:1]) if len(stripped) <= 4 else (full, "")
    words = full.split()
    marks = []
    while len(words) > 2 and plain(words[-1]) in _GENERATIONS:
        marks.append(words.pop())
    return (" ".join([*words[:-1], *marks]), words[-1]) if len(words) > 1 else ("", full)


def _without_generation(name: str) -> tuple[str, str]:
    words = name.split()
    if len(words) > 1 and words[-1] in _GENERATIONS:
        return " ".join(words[:-1]), _GENERATIONS[words[-1]]
    return name, ""


_NONE: frozenset[str] = frozenset()
_LONG_FORMS: Mapping[str, frozenset[str]] = {short: frozenset(longs) for short, longs in NickNamer().canonical_lookup.items()}
"""For each name the names it is short for."""
_VOWELS = frozenset("aeiouy")
_FULL = frozenset().union(*_LONG_FORMS.values())
_KNOWN = frozenset(_LONG_FORMS).union(*_LONG_FORMS.values())


def is_short_form(one: str, other: str) -> bool:
    """Whether one given name is short for the other, or both for the same: Bob and Robert, Bob and Rob, Peggie and Margaret, Mhd and Mohamed."""
    ones, others = _long_forms(one), _long_forms(other)
    return other in ones or one in others or not ones.isdisjoint(others) or is_contracted(one, other) or is_contracted(other, one)


@lru_cache(maxsize=65_536)
def _long_forms(name: str) -> frozenset[str]:
    """The names that this one is short for, however its ending is spelt: Peggy and Peggie."""
    stem, ending = (name[:-2], name[-2:]) if name.endswith(("ie", "ey")) else (name[:-1], name[-1:])
    if len(stem) < 3 or ending not in {"ie", "ey", "y"}:
        return _LONG_FORMS.get(name, _NONE)
    return frozenset().union(*(_LONG_FORMS.get(stem + each, _NONE) for each in ("ie", "ey", "y")))


def is_contracted(short: str, name: str) -> bool:
    """Whether a name is written without its vowels, or with its last letter only: Mhd, Wm, Chas, Thos."""
    if not 2 <= len(short) <= 4 or len(name) < len(short) + 2 or short[0] != name[0] or not short.isalpha():
        return False
    if not _VOWELS.isdisjoint(short) and not (short[-1] == name[-1] == "s" and len(short) == 4):
        return False
    letters = iter(name)
    return all(letter in letters for letter in short)


def is_full_name(name: str) -> bool:
    """Whether others are short for this given name, so that it is not itself cut off: Anna, but not Alex."""
    return name in _FULL


def is_known(name: str) -> bool:
    """Whether this is a given name that exists, as far as the list of short forms knows: Mark and Mary both are."""
    return name in _KNOWN


@lru_cache(maxsize=262_144)
def sound(name: str) -> str:
    """How a name sounds, in the letters of Metaphone: `Geoffrey` and `Jeffrey` are both `JFR`; vowels count only in front."""
    tight = name.replace(" ", "")
    return jellyfish.metaphone(tight).replace(" ", "") or tight

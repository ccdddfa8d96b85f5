"""Addresses as they are compared: number, street, city and postcode apart, and one word for each kind of street."""

import re
from dataclasses import dataclass
from functools import lru_cache

from touchstone.matching.names import plain

_KINDS = {
    short: long
    for long, shorts in {
        "street": "st str strasse straat",
        "road": "rd",
        "avenue": "ave av avenida",
        "drive": "dr drv",
        "lane": "ln",
        "place": "pl plc",
        "court": "ct crt",
        "circuit": "cct circ",
        "crescent": "cres cr crs",
        "close": "cl",
        "boulevard": "blvd bvd bd",
        "highway": "hwy",
        "parkway": "pkwy pky",
        "square": "sq",
        "terrace": "tce ter terr",
        "apartment": "apt appt flat unit",
        "building": "bldg bld",
        "suite": "ste",
        "north": "n",
        "south": "s",
        "east": "e",
        "west": "w",
        "mount": "mt",
    }.items()
    for short in shorts.split()
}
_STICKY = re.compile(r"(?<=[a-z]{3})(?:str|strasse)$")
"""German writes the kind at the end of the word: Hardenbergstr. is Hardenbergstrasse."""
_NUMBER = re.compile(r"^\d+[a-z]?$")


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of an address; empty where unknown."""

    number: str = ""
    street: str = ""
    city: str = ""
    postcode: str = ""


@lru_cache(maxsize=65_536)
def street_words(text: str) -> str:
    """The words of a street or place in one spelling: `12 E Main St` is `12 east main street`."""
    return " ".join(_STICKY.sub("strasse", _KINDS.get(word, word)) for word in plain(text).split())


@lru_cache(maxsize=65_536)
def taken_apart(line: str) -> Address:
    """What an address on one line says.

    The part between commas that begins or ends with a number is the street; what follows it holds the city, and the last word with digits in
    it is the postcode.
    """
    parts = [part for part in (street_words(part) for part in re.split(r"[,;\n]", line)) if part]
    where = next((n for n, part in enumerate(parts) if _NUMBER.match(part.split()[0]) and re.search("[a-z]{3}", part)), None)
    if where is None:
        where = next((n for n, part in enumerate(parts) if _NUMBER.match(part.split()[-1])), 0)
    if not parts:
        return Address()
    number, street = without_number(parts[where])
    rest = " ".join(parts[:where] * (where > 0 and len(parts) == where + 1) + parts[where + 1 :]).split()
    digits = [word for word in rest if any(letter.isdigit() for letter in word) and len(word) >= 3]
    city = " ".join(word for word in rest if not any(letter.isdigit() for letter in word) and len(word) > 2)
    return Address(number, street, city, digits[-1] if digits else "")


def without_number(street: str) -> tuple[str, str]:
    """The house number in a street, and the street without it: first or last of the words; `("", street)` where there is none."""
    words = street.split()
    if len(words) > 1:
        if _NUMBER.match(words[0]):
            return words[0], " ".join(words[1:])
        if _NUMBER.match(words[-1]):
            return words[-1], " ".join(words[:-1])
    return "", street


def as_postcode(text: str) -> str:
    """Letters and digits without blanks; what only fills up to a fixed length (ZIP+4 with zeros) falls away."""
    tight = plain(text).replace(" ", "")
    return tight[:5] if len(tight) == 9 and tight.isdecimal() else tight

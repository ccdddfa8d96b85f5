"""How the truth about somebody becomes a record: what is left out, misread, misheard, mistyped, swapped and out of date."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from random import Random

from anyascii import anyascii
from nicknames import NickNamer

from bench.matching.people import Person
from bench.matching.places import Name
from bench.matching.sheet import Row

_NICKNAMES = NickNamer()
_MISREAD = (
    ("rn", "m"),
    ("m", "rn"),
    ("0", "O"),
    ("1", "l"),
    ("l", "1"),
    ("5", "S"),
    ("8", "B"),
    ("cl", "d"),
    ("ü", "ii"),
    ("e", "c"),
    ("日", "曰"),
)
_MISHEARD = (
    ("ph", "f"), ("f", "ph"), ("ck", "k"), ("k", "c"), ("c", "k"), ("ei", "ai"), ("ai", "ei"), ("y", "i"), ("i", "y"), ("th", "t"), ("sch", "sh"),
    ("v", "w"), ("w", "v"), ("ss", "s"), ("nn", "n"), ("tt", "t"), ("ll", "l"), ("ou", "o"), ("oo", "u"), ("ee", "i"), ("z", "s"), ("q", "k"),
)  # fmt: skip
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890")
_KEPT = 3
"""Fields besides the name that every record keeps: with fewer nobody could say whose it is."""


@dataclass(frozen=True, slots=True)
class Errors:
    """How often each thing goes wrong, per record or, where it says so, per field."""

    missing_per_field: float
    typo_per_field: float
    misread_per_field: float
    misheard: float
    swapped_names: float
    swapped_day_and_month: float
    wrong_digit_in_date: float
    short_name: float
    initial: float
    part_left_out: float
    other_script: float
    no_accents: float
    capitals: float


FEW = Errors(0.10, 0.01, 0.003, 0.01, 0.003, 0.003, 0.005, 0.02, 0.01, 0.05, 0.05, 0.10, 0.10)
USUAL = Errors(0.25, 0.04, 0.01, 0.04, 0.02, 0.02, 0.02, 0.06, 0.03, 0.15, 0.10, 0.15, 0.10)
MANY = Errors(0.40, 0.10, 0.03, 0.10, 0.05, 0.04, 0.05, 0.10, 0.06, 0.25, 0.20, 0.25, 0.15)

_OPTIONAL = ("birth_date", "street", "city", "postcode", "phone", "email")


def record_of(person: Person, errors: Errors, random: Random) -> Row:
    """One record of somebody: as of some day, with some of its fields, and with errors."""
    home = random.choice(person.homes)
    row = _named(person, errors, random) | {
        "birth_date": _dated(person.birth_date, errors, random),
        "street": home.street,
        "house_number": home.house_number,
        "city": home.city,
        "postcode": home.postcode,
        "region": home.region,
        "country": person.places.country.region,
        "phone": random.choice(person.phones),
        "email": random.choice(person.emails),
    }
    _leave_out(row, errors, random)
    for field in ("given_name", "family_name", "street", "house_number", "city", "postcode", "phone", "email"):
        if row[field]:
            row[field] = spoilt(row[field], errors, random)
    if random.random() < errors.no_accents and not person.places.country.is_native:
        row |= {field: anyascii(row[field]) for field in ("given_name", "family_name", "street", "city")}
    if random.random() < errors.capitals:
        row |= {field: row[field].upper() for field in ("given_name", "family_name", "street", "city")}
    return row


def _named(person: Person, errors: Errors, random: Random) -> Row:
    given, family = person.given, random.choice(person.families)
    if person.places.country.is_native and random.random() < errors.other_script:
        given, family = Name(given.latin, given.latin), Name(family.latin, family.latin)
    names = [given.written, family.written]
    if " " in names[1] and random.random() < errors.part_left_out:
        names[1] = random.choice(names[1].split())
    if random.random() < errors.misheard:
        place = random.randrange(2)
        names[place] = _replaced(names[place], _MISHEARD, random)
    if random.random() < errors.short_name:
        names[0] = _short(names[0], random, is_english=person.places.country.locale.startswith("en"))
    elif random.random() < errors.initial and names[0].isascii():
        names[0] = f"{names[0][:1]}."
    # a form for strangers asks for the first name first: where the family comes first, that goes wrong twice as often
    if random.random() < errors.swapped_names * (2 if person.places.country.is_family_first else 1):
        names.reverse()
    return {"given_name": names[0], "family_name": names[1]}


def _short(name: str, random: Random, *, is_english: bool) -> str:
    """What friends say: from a list where there is one (English), else the beginning of a long name."""
    known = sorted(_NICKNAMES.nicknames_of(name)) if is_english else []
    if known:
        return random.choice(known).title()
    return name[: random.choice((3, 4))] if name.isascii() and len(name) > 5 else name


def _dated(day: date, errors: Errors, random: Random) -> str:
    text = day.isoformat()
    if random.random() < errors.swapped_day_and_month and day.day <= 12:
        return f"{day.year:04d}-{day.day:02d}-{day.month:02d}"
    if random.random() < errors.wrong_digit_in_date:
        place = random.choice((2, 3, 9))
        return text[:place] + random.choice("123456789") + text[place + 1 :]  # may be no day of the calendar: nor is it in life
    return text


def _leave_out(row: Row, errors: Errors, random: Random) -> None:
    """Empty some of the fields that a record may lack, but never so many that nobody could say whose it is."""
    absent = [field for field in _OPTIONAL if random.random() < errors.missing_per_field]
    random.shuffle(absent)
    for field in absent[: len(_OPTIONAL) - _KEPT]:
        row[field] = ""
        if field == "street":
            row["house_number"] = ""
        if field == "city":
            row["region"] = ""


def spoilt(text: str, errors: Errors, random: Random) -> str:
    """A text that is not empty as it is sometimes misread and mistyped."""
    if random.random() < errors.misread_per_field:
        text = _replaced(text, _MISREAD, random)
    if random.random() < errors.typo_per_field:
        text = random.choice(_TYPOS)(text, random)
    return text


def _replaced(text: str, pairs: tuple[tuple[str, str], ...], random: Random) -> str:
    """The text with one of the pairs applied once; unchanged if none applies."""
    applying = [(old, new) for old, new in pairs if old in text.lower()]
    if not applying:
        return text
    old, new = random.choice(applying)
    place = text.lower().index(old)
    return text[:place] + (new.title() if text[place].isupper() else new) + text[place + len(old) :]


def _dropped(text: str, random: Random) -> str:
    place = random.randrange(len(text))
    return text[:place] + text[place + 1 :] if len(text) > 2 else text


def _doubled(text: str, random: Random) -> str:
    place = random.randrange(len(text))
    return text[: place + 1] + text[place:]


def _transposed(text: str, random: Random) -> str:
    place = random.randrange(len(text) - 1) if len(text) > 1 else 0
    return text[:place] + text[place : place + 2][::-1] + text[place + 2 :]


def _beside(text: str, random: Random) -> str:
    """One character replaced by a neighbour on the keyboard, where the keyboard has it."""
    place = random.randrange(len(text))
    return text[:place] + random.choice(_NEIGHBOURS.get(text[place].lower(), text[place])) + text[place + 1 :]


def _neighbours() -> Mapping[str, str]:
    return {key: row[max(0, at - 1) : at] + row[at + 1 : at + 2] for row in _KEYS for at, key in enumerate(row)}


_NEIGHBOURS = _neighbours()
_TYPOS: tuple[Callable[[str, Random], str], ...] = (_dropped, _doubled, _transposed, _beside)

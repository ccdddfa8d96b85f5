"""A record: one person as one source has written them down, in values that can be compared."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from touchstone.matching.addresses import as_postcode, street_words, taken_apart, without_number
from touchstone.matching.dates import birth_date
from touchstone.matching.names import LONGEST, person_name, plain
from touchstone.matching.roles import Role

IDENTIFIERS: tuple[Role, ...] = ("national_id", "passport", "driving_licence", "tax_id", "account", "identifier")
"""The roles of numbers that are one person's."""

COLUMNS: tuple[str, ...] = (
    "given",
    "family",
    "middle",
    "generation",
    "gender",
    "birth_date",
    "organisation",
    "employer",
    "email",
    "phone",
    "number",
    "street",
    "district",
    "city",
    "postcode",
    "region",
    "country",
    *IDENTIFIERS,
)
"""The values that a record may have, each plain text without accents, in lower case."""

_GENDERS = {"m": "m", "male": "m", "man": "m", "f": "f", "female": "f", "w": "f", "woman": "f"}
_LEGAL_FORMS = frozenset(
    [
        "inc",
        "incorporated",
        "ltd",
        "limited",
        "llc",
        "llp",
        "lp",
        "plc",
        "corp",
        "corporation",
        "co",
        "company",
        "gmbh",
        "ag",
        "kg",
        "kgaa",
        "ohg",
        "ug",
        "eg",
        "sa",
        "sarl",
        "sas",
        "spa",
        "srl",
        "bv",
        "nv",
        "ab",
        "as",
        "oy",
        "pte",
        "pty",
        "pvt",
        "the",
        "and",
        "of",
    ]
)


_LONGEST_STATED = 1_000
"""Characters. What is longer is no address either; and whatever is remembered, or compared letter by letter, stays small."""


class Record(msgspec.Struct, frozen=True):
    """What is compared of one person: `values` holds only what is known. An empty record resembles nobody."""

    id: str
    values: dict[str, str]


def make_record(record_id: str, stated: Mapping[str, Any], roles: Mapping[str, Role]) -> Record:
    """The record of what a source has stated.

    Several attributes may play one role: the first of them that says something counts. Whatever cannot be understood is left out, so
    nothing that is stated can make this fail; nor can it make a value longer than a name is.
    """
    said: dict[Role, str] = {}
    for attribute, role in roles.items():
        value = stated.get(attribute)
        if role not in said and value is not None and not isinstance(value, dict | list):
            text = str(value).strip()
            if 0 < len(text) <= _LONGEST_STATED:
                said[role] = text
    return Record(record_id, {column: value for column, value in _values(said) if 0 < len(value) <= LONGEST})


def make_records(rows: Iterable[tuple[str, Mapping[str, Any]]], roles: Mapping[str, Role]) -> list[Record]:
    """The records of many rows, each with its id."""
    return [make_record(record_id, stated, roles) for record_id, stated in rows]


def _values(said: Mapping[Role, str]) -> Iterable[tuple[str, str]]:
    name = person_name(*(said.get(role, "") for role in ("given_name", "family_name", "middle_name", "full_name", "generation")))
    yield from (("given", name.given), ("family", name.family), ("middle", name.middle), ("generation", name.generation))
    for role in said:
        text = said[role]
        if role == "gender":
            yield role, _GENDERS.get(plain(text), "")
        elif role == "birth_date":
            yield role, birth_date(text)
        elif role in {"organisation", "employer"}:
            yield role, _company(text)
        elif role == "email":
            yield role, _email(text)
        elif role == "phone":
            yield role, _digits(text)
        elif role in IDENTIFIERS:
            yield role, _number(text)
        elif role in {"region", "country"}:
            yield role, plain(text)
    yield from _place(said)


def _place(said: Mapping[Role, str]) -> Iterable[tuple[str, str]]:
    """Number, street, city and postcode, from fields of their own or from an address on one line, also one that was put into `street`."""
    line = said.get("address") or said.get("street", "")
    street = street_words(said.get("street", ""))
    number = plain(said.get("house_number", "")).replace(" ", "")
    city, postcode = said.get("city", ""), as_postcode(said.get("postcode", ""))
    whole = taken_apart(line)
    if not street or "," in line:
        street, number = whole.street, number or whole.number
    elif not number:
        number, street = without_number(street)
    yield from (("number", number.lstrip("0")), ("street", street), ("district", street_words(said.get("district", ""))))
    yield from (("city", street_words(city) or whole.city), ("postcode", postcode or whole.postcode))


def _company(text: str) -> str:
    words = plain(text).split()
    return " ".join([word for word in words if word not in _LEGAL_FORMS] or words)


def _email(text: str) -> str:
    """The address alone, of `"Ada" <ADA@x.org>` too; empty where there is none."""
    inside = text.rpartition("<")[2].strip("> ").casefold()
    local, at, domain = inside.partition("@")
    return inside if at and local and domain and " " not in inside and len(inside) <= LONGEST else ""


def _digits(text: str) -> str:
    digits = "".join(letter for letter in text[:LONGEST] if "0" <= letter <= "9").lstrip("0")
    return digits if len(digits) >= 5 and len(set(digits)) > 1 and len(digits) <= 20 else ""


def _number(text: str) -> str:
    tight = plain(text).replace(" ", "")
    return tight if len(tight) >= 3 and len(set(tight)) > 1 else ""

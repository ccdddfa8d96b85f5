"""A set that is hard in the way Senzing's is, and at which nobody looked while rules were written: companies, mailboxes of many, families."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from bench.matching.errors import USUAL, Errors, record_of, spoilt
from bench.matching.invented import RECORDS_EACH, ROLES, mixed
from bench.matching.people import CROWDED, Home, people
from bench.matching.places import Places
from bench.matching.sheet import RECORD_ID, Role, Row, Sheet

_ROLES: dict[str, Role] = {**ROLES, "organisation": "organisation", "employer": "employer"}
_TRADES = ("Exports", "Logistics", "Catering", "Trading", "Consulting", "Software", "Transport", "Foods", "Textiles", "Systems")
_FORMS = ("", "Ltd", "Limited", "Inc", "LLC", "GmbH", "GmbH & Co. KG", "Corp", "Corporation")
_COMPANIES, _EMPLOYED, _WRITES_FROM_WORK, _FAMILY_MAILBOX, _MISSING = 0.3, 0.3, 0.5, 0.3, 0.3
"""How many subjects are companies, records name an employer, of these have its mailbox, others have the family's; what a company leaves out."""
_NEARBY = 20
"""Companies for which people work: those that came up last."""


@dataclass(frozen=True, slots=True)
class _Company:
    """What is true of a company."""

    who: str
    name: str
    home: Home
    phone: str
    mailbox: str


def crowd(records: int = 1_000, seed: int = 4711) -> Sheet:
    """So many records of people and companies in two countries. The same seed gives the same records."""
    return Sheet(
        "crowd", "invented: people, companies, shared mailboxes", _ROLES, "people", lambda: _rows(records, seed), least_precision=0.97
    )


def _rows(records: int, seed: int) -> Iterator[tuple[str, Row]]:
    rows = mixed(_in_order(records, Random(seed)), Random(seed))
    return ((who, {RECORD_ID: str(number), **row}) for number, (who, row) in enumerate(rows))


def _in_order(left: int, random: Random) -> Iterator[tuple[str, Row]]:
    everywhere = [Places(code, random) for code in ("us", "de")]
    towns = [(places, people(places, CROWDED, random, f"{places.code}-")) for places in everywhere]
    known: deque[_Company] = deque(maxlen=_NEARBY)
    while left:
        places, town = random.choice(towns)
        person = next(town)
        each = min(left, random.choice(RECORDS_EACH))
        if random.random() < _COMPANIES:  # it sits where somebody lives: several names, one address
            known.append(_company(f"firm-{left}", places, person.homes[0], random))
            yield from ((known[-1].who, _record_of(known[-1], USUAL, random)) for _ in range(each))
        else:
            mailbox = f"{person.families[-1].latin.replace(' ', '')}@{person.emails[0].partition('@')[2]}".lower()
            employer = random.choice(known) if known and random.random() < _EMPLOYED else None
            for _ in range(each):
                row = record_of(person, USUAL, random)
                if employer is not None:
                    row["employer"] = _called(employer.name, USUAL, random)
                if employer is not None and random.random() < _WRITES_FROM_WORK:
                    row["email"] = employer.mailbox
                elif random.random() < _FAMILY_MAILBOX:
                    row["email"] = mailbox
                yield person.who, row
        left -= each


def _company(who: str, places: Places, home: Home, random: Random) -> _Company:
    family = places.family.draw(random)
    name = f"{family.written} {random.choice(_TRADES)}"
    return _Company(who, name, home, places.phone(random), f"info@{family.latin.lower().replace(' ', '-')}.example")


def _record_of(company: _Company, errors: Errors, random: Random) -> Row:
    """One record of a company: with some of its fields, under one of its names."""
    home = company.home
    row = {"street": home.street, "house_number": home.house_number, "city": home.city, "postcode": home.postcode, "region": home.region}
    row |= {"phone": company.phone, "email": company.mailbox}
    row = {field: "" if random.random() < _MISSING else spoilt(value, errors, random) for field, value in row.items()}
    return {**row, "organisation": _called(company.name, errors, random)}


def _called(name: str, errors: Errors, random: Random) -> str:
    """The name of a company as somebody writes it down: with one of the legal forms, misspelt, or the trade cut short."""
    family, trade = name.rsplit(" ", 1)
    trade = trade[:4] if random.random() < errors.part_left_out else trade
    return f"{spoilt(f'{family} {trade}', errors, random)} {random.choice(_FORMS)}".strip()

"""People who do not exist, household by household: families under one roof, twins, old addresses, names before marriage."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from bench.matching.places import Name, Places

_REMEMBERED = 400
"""Telephone numbers that may be given to somebody else: the number of whoever came up to so many people earlier."""
_FIRST_DAY, _DAYS = date(1935, 1, 1), 26_000


@dataclass(frozen=True, slots=True)
class Home:
    """Where a household lives or lived."""

    street: str
    house_number: str
    city: str
    region: str
    postcode: str


@dataclass(frozen=True, slots=True)
class Person:
    """What is true of somebody; what comes before a move or a marriage stands first."""

    who: str
    places: Places
    gender: str
    given: Name
    families: tuple[Name, ...]
    birth_date: date
    homes: tuple[Home, ...]
    phones: tuple[str, ...]
    emails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Society:
    """How often people are hard to tell apart, or to recognise."""

    members: tuple[int, ...] = (1, 1, 2, 3, 4)
    twins: float = 0.01
    namesakes: float = 0.02
    moved: float = 0.25
    married: float = 0.10
    shared_phone: float = 0.20
    recycled_phone: float = 0.02


CROWDED = Society(members=(2, 3, 4, 5), twins=0.10, namesakes=0.10, moved=0.25, married=0.15, shared_phone=0.50, recycled_phone=0.10)
"""Families share nearly everything: what a matcher must not bring together."""


def people(places: Places, society: Society, random: Random, prefix: str) -> Iterator[Person]:
    """Without end, one household after the other."""
    numbers: deque[str] = deque(maxlen=_REMEMBERED)
    count = 0
    while True:
        homes = tuple(_home(places, random) for _ in range(2 if random.random() < society.moved else 1))
        family = _family(places, random)
        shared = (places.phone(random),) if random.random() < society.shared_phone else ()
        before: Person | None = None
        for _ in range(random.choice(society.members)):
            person = _member(f"{prefix}{count}", places, family, homes, society, random)
            if before is not None and random.random() < society.twins:
                person = replace(person, birth_date=before.birth_date, families=before.families)
            elif before is not None and random.random() < society.namesakes:  # a father and his son
                person = replace(person, gender=before.gender, given=before.given, families=before.families)
            if numbers and random.random() < society.recycled_phone:
                person = replace(person, phones=(random.choice(numbers), *person.phones[1:]))
            person = replace(person, phones=(*person.phones, *shared))
            numbers.extend(person.phones[:1])
            yield person
            before, count = person, count + 1


def _member(who: str, places: Places, family: Name, homes: tuple[Home, ...], society: Society, random: Random) -> Person:
    gender = random.choice("fm")
    given = places.given[gender].draw(random)
    families = (_family(places, random), family) if random.random() < society.married else (family,)
    return Person(
        who,
        places,
        gender,
        given,
        families,
        _FIRST_DAY + timedelta(days=random.randrange(_DAYS)),
        homes,
        tuple(places.phone(random) for _ in range(random.choice((1, 1, 2)))),
        tuple(places.email(given, families[-1], random) for _ in range(random.choice((1, 1, 2)))),
    )


def _family(places: Places, random: Random) -> Name:
    name = places.family.draw(random)
    if not places.country.two_families:
        return name
    second = places.family.draw(random)
    return Name(f"{name.written} {second.written}", f"{name.latin} {second.latin}")


def _home(places: Places, random: Random) -> Home:
    town = places.towns.draw(random)
    number = str(random.randrange(1, 160))
    if places.code.startswith("jp"):
        number = f"{random.randrange(1, 40)}-{random.randrange(1, 28)}-{random.randrange(1, 20)}"
    return Home(places.streets.draw(random), number, town.name, town.region, random.choice(town.postcodes))

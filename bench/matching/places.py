"""What people are called and where they live, country by country: drawn from Faker, but with frequencies as unequal as in life."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any, Generic, TypeVar

import phonenumbers
from anyascii import anyascii
from faker import Faker

_DRAWS = 3_000
"""How often Faker is asked for a name: its own lists are shorter than that, or long enough."""
_STREETS, _TOWNS = 1_500, 250
_STEEPNESS = 0.7
"""Frequency of the n-th most frequent name ~ 1 / n ** steepness: names of families in census tables lie between 0.6 and 1."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Country:
    """How people are named and addressed there.

    Attributes:
        locale: Faker's name of it.
        region: The telephone region.
        is_native: Written in a script of its own: a record may also come in Latin letters.
        is_family_first: The family's name comes first, so that forms filled in by strangers swap the two.
        two_families: People have two family names, of which one may be left out.
    """

    locale: str
    region: str
    is_native: bool = False
    is_family_first: bool = False
    two_families: bool = False


COUNTRIES = {
    "de": Country("de_DE", "DE"),
    "fr": Country("fr_FR", "FR"),
    "us": Country("en_US", "US"),
    "br": Country("pt_BR", "BR", two_families=True),
    "in": Country("en_IN", "IN"),
    "in-native": Country("hi_IN", "IN", is_native=True),
    "jp": Country("ja_JP", "JP", is_family_first=True),
    "jp-native": Country("ja_JP", "JP", is_native=True, is_family_first=True),
}


@dataclass(frozen=True, slots=True)
class Name:
    """A name as it is written, and in Latin letters."""

    written: str
    latin: str


@dataclass(frozen=True, slots=True)
class Town:
    """A town with the postcodes it has; the larger, the more."""

    name: str
    region: str
    postcodes: tuple[str, ...]


class Pool(Generic[T]):
    """Values of which some are frequent and most are rare."""

    def __init__(self, values: Sequence[T], random: Random, steepness: float = _STEEPNESS) -> None:
        self._values = list(values)
        random.shuffle(self._values)
        self._weights = list(accumulate(1 / (rank + 1) ** steepness for rank in range(len(self._values))))

    def draw(self, random: Random) -> T:
        """One of them."""
        return random.choices(self._values, cum_weights=self._weights)[0]


class Places:
    """Names, towns, streets and telephone numbers of one country."""

    def __init__(self, code: str, random: Random) -> None:
        self.code, self.country = code, COUNTRIES[code]
        faker = Faker(self.country.locale, use_weighting=False)
        faker.seed_instance(random.getrandbits(32))
        female, male, family = self._names(faker)
        self.given = {"f": Pool(female, random), "m": Pool(male, random)}
        self.family = Pool(family, random)
        self.streets = Pool(self._unlike(lambda: _street(faker, code), _STREETS), random, 0.3)
        towns = self._unlike(faker.city, _TOWNS)
        self.towns = Pool(
            [Town(town, _region(faker, code), tuple(faker.postcode() for _ in range(random.choice((1, 1, 2, 4, 12))))) for town in towns],
            random,
        )
        self._domains = [faker.free_email_domain() for _ in range(5)]
        example = phonenumbers.example_number_for_type(self.country.region, phonenumbers.PhoneNumberType.MOBILE)
        self._mobile = f"+{example.country_code}{example.national_number}" if example else "+10000000000"

    def phone(self, random: Random) -> str:
        """A mobile number in its international form."""
        return self._mobile[:-7] + f"{random.randrange(10**7):07d}"

    def email(self, given: Name, family: Name, random: Random) -> str:
        """An address that its owner might have chosen."""
        first, last = (part.latin.lower().replace(" ", "").replace("'", "") for part in (given, family))
        local = random.choice((f"{first}.{last}", f"{first[:1]}{last}", f"{first}{last[:1]}", f"{first}_{last}"))
        return f"{local}{random.choice(('', random.randrange(1, 100), random.randrange(1950, 2010)))}@{random.choice(self._domains)}"

    def _names(self, faker: Any) -> tuple[list[Name], list[Name], list[Name]]:
        if self.country.locale == "ja_JP":  # Faker knows how these are read: (written, kana, Latin)
            pairs = (faker.first_name_female_pair, faker.first_name_male_pair, faker.last_name_pair)
            draws = [sorted({(pair[0], pair[2]) for pair in (draw() for _ in range(_DRAWS))}) for draw in pairs]
            native = self.country.is_native
            female, male, family = ([Name(own if native else latin, latin) for own, latin in found] for found in draws)
            return female, male, family
        draws_of = (faker.first_name_female, faker.first_name_male, faker.last_name)
        female, male, family = ([Name(text, _latin(text)) for text in self._unlike(draw, _DRAWS)] for draw in draws_of)
        return female, male, family

    @staticmethod
    def _unlike(draw: Callable[[], str], draws: int) -> list[str]:
        """Each text once, in an order that depends on nothing but the texts."""
        return sorted({draw() for _ in range(draws)})


def _latin(text: str) -> str:
    latin = anyascii(text)
    return latin.title() if latin.islower() else latin


def _street(faker: Any, code: str) -> str:
    return str(faker.town()) if code.startswith("jp") else str(faker.street_name())


def _region(faker: Any, code: str) -> str:
    return str(faker.prefecture()) if code.startswith("jp") else str(faker.administrative_unit())

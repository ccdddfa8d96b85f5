"""The sets that this benchmark invents: countries, sizes and errors other than the published ones. The same seed gives the same records."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from bench.matching.errors import FEW, MANY, USUAL, Errors, record_of
from bench.matching.people import CROWDED, Person, Society, people
from bench.matching.places import COUNTRIES, Places
from bench.matching.sheet import RECORD_ID, Role, Row, Sheet

ROLES: dict[str, Role] = {
    "given_name": "given_name",
    "family_name": "family_name",
    "birth_date": "birth_date",
    "street": "street",
    "house_number": "house_number",
    "city": "city",
    "postcode": "postcode",
    "region": "region",
    "phone": "phone",
    "email": "email",
}
_USUALLY = Society()
RECORDS_EACH = (1, 1, 2, 2, 3, 4, 6)
"""How many records somebody may have."""
_LARGE = 100_000
_SHUFFLED = 20_000
"""Records that wait while they are mixed: so many lie in memory, however many are written."""


@dataclass(frozen=True, slots=True)
class Invention:
    """What is to be invented."""

    name: str
    of: str
    records: int
    countries: Sequence[str] = tuple(COUNTRIES)
    errors: Errors = USUAL
    society: Society = _USUALLY
    seed: int = 1

    def sheet(self) -> Sheet:
        """As a set like any other."""
        return Sheet(self.name, self.of, ROLES, "people", self.rows, least_precision=0.97, is_large=self.records > _LARGE)

    def rows(self) -> Iterator[tuple[str, Row]]:
        """So many records, mixed; whoever they are of stands beside them."""
        for number, (who, row) in enumerate(mixed(self._in_order(), Random(self.seed))):
            yield who, {RECORD_ID: str(number), **row}

    def _in_order(self) -> Iterator[tuple[str, Row]]:
        random = Random(self.seed)
        towns = [people(Places(code, random), self.society, random, f"{code}-") for code in self.countries]
        left = self.records
        while left:
            person: Person = next(random.choice(towns))
            for _ in range(min(left, random.choice(RECORDS_EACH))):
                yield person.who, record_of(person, self.errors, random)
                left -= 1


def invented() -> list[Sheet]:
    """All of them, in the order of the table; the largest last."""
    countries = [Invention(f"people {code}", f"5,000 invented records, {code}", 5_000, (code,)) for code in COUNTRIES]
    return [
        made.sheet()
        for made in (
            *countries,
            Invention("people, few errors", "5,000 invented records, all countries", 5_000, errors=FEW),
            Invention("people, many errors", "5,000 invented records, all countries", 5_000, errors=MANY),
            Invention("people, crowded", "5,000 invented records: families, twins, namesakes", 5_000, society=CROWDED),
            Invention("people 50k", "50,000 invented records, all countries", 50_000),
            Invention("people 500k", "500,000 invented records, all countries", 500_000),
        )
    ]


def mixed(rows: Iterator[tuple[str, Row]], random: Random) -> Iterator[tuple[str, Row]]:
    """The same in another order, a bounded number of them waiting."""
    waiting: list[tuple[float, int, tuple[str, Row]]] = []
    for number, row in enumerate(rows):
        heapq.heappush(waiting, (number / _SHUFFLED + random.random(), number, row))
        if len(waiting) > _SHUFFLED:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]

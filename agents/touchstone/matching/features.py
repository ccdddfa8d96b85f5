"""What is compared between two records, on which levels they may agree, and what is expected before anything was learnt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from touchstone.matching.records import IDENTIFIERS

Kind = Literal["given", "name", "date", "number", "phone", "email", "words", "company", "postcode", "house", "initial", "plain"]

MISSING = -1
"""The level of a comparison where one of the two says nothing: no evidence, neither for nor against."""

_NAME = ("other", "differs", "resembles", "initial", "part", "similar", "alike", "swapped", "exact")
_WORDS = ("differs", "resembles", "part", "similar", "exact")
LEVELS: Mapping[Kind, tuple[str, ...]] = {
    "given": _NAME,
    "name": _NAME,
    "date": ("differs", "year", "two parts", "near", "turned", "exact"),
    "number": ("differs", "ends", "near", "exact"),
    "phone": ("differs", "near", "ends", "exact"),
    "email": ("differs", "resembles", "name", "near", "exact"),
    "words": _WORDS,
    "company": _WORDS,
    "postcode": ("differs", "area", "near", "exact"),
    "house": ("differs", "near", "exact"),
    "initial": ("differs", "initial", "exact"),
    "plain": ("differs", "begins", "exact"),
}
"""The levels of each kind of comparison, from none to full agreement. The last one is equality of the values."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One comparison. `m` and `u` are what is expected of matches and of strangers before training, per level.

    `shared` is how often two different people of one household, or of one company, agree as one person agrees with herself: they share
    the street and the family name, but not the given name. `group` names features that are not independent of each other.
    """

    name: str
    kind: Kind
    shared: float
    m: tuple[float, ...]
    u: tuple[float, ...]
    group: str = ""

    @property
    def levels(self) -> tuple[str, ...]:
        """The names of its levels."""
        return LEVELS[self.kind]

    @property
    def exact(self) -> int:
        """The level of equality."""
        return len(self.levels) - 1


def _words(name: str, shared: float, m: float, u: float, group: str = "", kind: Kind = "words") -> Feature:
    rest = 1 - m
    return Feature(name, kind, shared, (rest * 0.4, rest * 0.1, rest * 0.25, rest * 0.25, m), (1 - 2 * u - 0.012, 0.01, u, 0.002, u), group)


FEATURES: tuple[Feature, ...] = (
    Feature(
        "given",
        "given",
        0.03,
        (0.005, 0.025, 0.02, 0.02, 0.03, 0.06, 0.08, 0.01, 0.75),
        (0.2, 0.756, 0.025, 0.005, 0.002, 0.003, 0.004, 0.0001, 0.005),
    ),
    Feature(
        "family",
        "name",
        0.85,
        (0.0, 0.05, 0.02, 0.005, 0.03, 0.06, 0.03, 0.01, 0.8),
        (0.0, 0.965, 0.025, 0.001, 0.002, 0.002, 0.002, 0.0001, 0.003),
    ),
    Feature("middle", "initial", 0.05, (0.05, 0.15, 0.8), (0.93, 0.05, 0.02)),
    Feature("generation", "plain", 0.0, (0.02, 0.0, 0.98), (0.5, 0.0, 0.5)),
    Feature("gender", "plain", 0.0, (0.02, 0.0, 0.98), (0.5, 0.0, 0.5)),
    Feature("birth_date", "date", 0.03, (0.02, 0.01, 0.03, 0.07, 0.03, 0.84), (0.97, 0.02, 0.005, 0.001, 0.0001, 0.0001)),
    _words("organisation", 0.2, 0.6, 0.005, kind="company"),
    _words("employer", 0.2, 0.6, 0.01, kind="company"),
    Feature("email", "email", 0.3, (0.2, 0.05, 0.05, 0.05, 0.65), (0.985, 0.012, 0.0005, 0.0001, 0.0002)),
    Feature("phone", "phone", 0.5, (0.3, 0.03, 0.07, 0.6), (0.999, 0.0003, 0.0001, 0.0002)),
    Feature("number", "house", 0.95, (0.1, 0.1, 0.8), (0.93, 0.05, 0.02), "address"),
    _words("street", 0.95, 0.75, 0.002, "address"),
    _words("district", 0.95, 0.7, 0.005, "address"),
    _words("city", 0.97, 0.8, 0.02, "address"),
    Feature("postcode", "postcode", 0.97, (0.1, 0.03, 0.07, 0.8), (0.95, 0.03, 0.01, 0.005), "address"),
    Feature("region", "plain", 0.99, (0.1, 0.02, 0.88), (0.8, 0.02, 0.18), "address"),
    Feature("country", "plain", 0.99, (0.03, 0.07, 0.9), (0.5, 0.05, 0.45), "address"),
    *(Feature(role, "number", 0.002, (0.03, 0.01, 0.08, 0.88), (0.998, 0.0005, 0.0005, 0.00001)) for role in IDENTIFIERS),
)
"""All comparisons. The numbers are guesses of the size of an effect, the same for every customer; training moves them to the data."""

GIVEN, FAMILY = (next(n for n, feature in enumerate(FEATURES) if feature.name == name) for name in ("given", "family"))
BESIDE_NAMES = frozenset(
    n for n, feature in enumerate(FEATURES) if feature.name not in {"given", "family", "middle", "generation", "gender"}
)
"""The features that say something besides a name, by number."""
GROUPS: tuple[tuple[int, ...], ...] = tuple(
    tuple(n for n, feature in enumerate(FEATURES) if feature.group == group)
    for group in dict.fromkeys(feature.group for feature in FEATURES if feature.group)
)
"""The features that are not independent of each other, by number."""


def holder_value(feature: str, value: str) -> str:
    """What is counted when one asks how many people have a value: telephone numbers are equal if their last nine digits are."""
    return value[-9:] if feature == "phone" else value

"""The figures of data quality, a function of customers, of what was said of them, and of a time; any order gives the same."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from touchstone.model.output import Customer
from touchstone.quality.said import Said
from touchstone.quality.validity import Check, check_of, form_of, is_valid

GOLDEN = ""
"""In place of a source: the golden record."""
_NOTHING = "null"
"""What the golden record states of an attribute whose last value has ended."""
_DAY_MS = 86_400_000
_encode = msgspec.json.Encoder(order="deterministic").encode


class Figure(NamedTuple):
    """How good one attribute is in one source, or in the golden record (`source` empty).

    `customers`: how many could have it: those of whom the source said anything, or all. `stated`: how many have it. `valid`: of those, how
    many hold a value that can be right. `compared`: of those, of how many another source said it as well; `agreed`: of those, with how many
    all other sources agree. `golden`: how often it is this source's value that survived. Ages are of the last statement, in whole days.
    """

    attribute: str
    source: str
    customers: int
    stated: int
    valid: int
    compared: int
    agreed: int
    golden: int
    age_days_median: int | None
    age_days_p90: int | None

    @property
    def completeness(self) -> float | None:
        """The share of customers that have it."""
        return _share(self.stated, self.customers)

    @property
    def validity(self) -> float | None:
        """The share of values that can be right."""
        return _share(self.valid, self.stated)

    @property
    def agreement(self) -> float | None:
        """The share of values that no other source contradicts, of those that another one speaks about."""
        return _share(self.agreed, self.compared)


class _Statement(NamedTuple):
    order: tuple[int, str, str]
    meaning: bytes
    is_valid: bool


class _Sum:
    """What is added up for one attribute in one source."""

    def __init__(self) -> None:
        self.stated = self.valid = self.compared = self.agreed = self.golden = 0
        self.ages: Counter[int] = Counter()

    def add(self, *, is_valid: bool, age_ms: int) -> None:
        self.stated += 1
        self.valid += is_valid
        self.ages[max(0, age_ms) // _DAY_MS] += 1

    def compare(self, *, agrees: bool) -> None:
        self.compared += 1
        self.agreed += agrees

    def figure(self, attribute: str, source: str, customers: int) -> Figure:
        ages = (_quantile(self.ages, 0.5), _quantile(self.ages, 0.9))
        return Figure(attribute, source, customers, self.stated, self.valid, self.compared, self.agreed, self.golden, *ages)


class Quality:
    """Adds up what is known at a time (milliseconds). First the customers, then, in any order, all that was said: the last of each source counts.

    `forms` says what form an attribute has, where its name does not tell. A value is kept as a hash of its meaning, so that a customer costs
    the same whatever is said of it.

    Raises:
        UsageError: a form is none.
    """

    def __init__(self, customers: Iterable[Customer], as_of: int, forms: Mapping[str, str] | None = None) -> None:
        self.as_of = as_of
        self._checks = _Checks(forms or {})
        self._golden: dict[str, Mapping[str, Mapping[str, Any]]] = {
            customer.customer_id: {each["name"]: each for each in customer.attributes if each["value"] != _NOTHING}
            for customer in customers
            if customer.status == "active"
        }
        self._last: dict[str, dict[str, dict[str, _Statement]]] = {customer_id: {} for customer_id in self._golden}
        self._known: set[tuple[str, str]] = set()

    @property
    def customers(self) -> int:
        """How many there are."""
        return len(self._golden)

    def hear(self, said: Said) -> None:
        """Take in what was said of a customer; of others nothing is kept."""
        attributes = self._last.get(said.customer_id)
        if attributes is None:
            return
        self._known.add((said.source, said.customer_id))
        for name, value in said.profile.items():
            if value is None:
                continue
            by_source = attributes.setdefault(name, {})
            before = by_source.get(said.source)
            if before is None or said.order > before.order:
                by_source[said.source] = _Statement(said.order, meaning(value), is_valid(value, self._checks[name], self.as_of))

    def figures(self) -> list[Figure]:
        """All figures, by attribute, each with the golden record first and then its sources."""
        sums: defaultdict[tuple[str, str], _Sum] = defaultdict(_Sum)
        for customer_id, golden in self._golden.items():
            for name, each in golden.items():
                value = msgspec.json.decode(each["value"])
                age_ms = self.as_of - each["occurred_at"]
                sums[name, GOLDEN].add(is_valid=is_valid(value, self._checks[name], self.as_of), age_ms=age_ms)
            for name, by_source in self._last[customer_id].items():
                _add_sources(sums, name, by_source, golden.get(name), self.as_of)
        known = Counter(source for source, _ in self._known) + Counter({GOLDEN: self.customers})
        return [one.figure(name, source, known[source]) for (name, source), one in sorted(sums.items())]


def _add_sources(
    sums: defaultdict[tuple[str, str], _Sum], name: str, by_source: Mapping[str, _Statement], golden: Mapping[str, Any] | None, as_of: int
) -> None:
    meanings = Counter(statement.meaning for statement in by_source.values())
    for source, statement in by_source.items():
        here = sums[name, source]
        here.add(is_valid=statement.is_valid, age_ms=as_of - statement.order[0])
        here.golden += golden is not None and golden["source"] == source
        if len(by_source) > 1:
            here.compare(agrees=len(meanings) == 1)
    if len(by_source) > 1 and golden is not None:
        sums[name, GOLDEN].compare(agrees=len(meanings) == 1)


class _Checks(dict[str, Check]):
    """What each attribute is held against, found out once."""

    def __init__(self, forms: Mapping[str, str]) -> None:
        super().__init__({name: check_of(form) for name, form in forms.items()})

    def __missing__(self, name: str) -> Check:
        check = self[name] = check_of(form_of(name))
        return check


def meaning(value: Any) -> bytes:
    """What two equal statements have in common: case, blanks and signs do not matter, nor the order of a list; accents do."""
    plain = sorted(map(_plain, value)) if isinstance(value, list) else _plain(value)
    return blake2b(_encode(plain), digest_size=8).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        spread = unicodedata.normalize("NFKC", value).casefold()
        return "".join(letter for letter in spread if letter.isalnum() or unicodedata.category(letter).startswith("M")) or value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(int(value)) if float(value).is_integer() else repr(value)
    return _encode(value).decode()


def _quantile(days: Counter[int], share: float) -> int | None:
    """The smallest number of days that at least this share of the statements does not exceed."""
    left = share * days.total()
    for day, count in sorted(days.items()):
        left -= count
        if left <= 1e-9:
            return day
    return None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None

"""What follows from a golden record: bands of an age or a number, cases, collections; and when the next of it changes by itself."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec

from touchstone.journey.rules import MISSING, Predicate, compile_match, is_met_by, number_of, value_at
from touchstone.journey.survivorship import rank, text_of
from touchstone.model.golden import Candidate, Derived, Golden, Order
from touchstone.model.touchpoint import Touchpoint
from touchstone.topology.attributes import Attributes, Derivation
from touchstone.topology.match import Comparison, Match

MOST_COLLECTED = 200
"""Values in one collection; what was put in longest ago is left out."""

_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_decode = msgspec.json.decode


class Derivations:
    """The derived attributes of a topology, compiled once."""

    def __init__(self, attributes: Attributes) -> None:
        self._rules = attributes.named
        self._derived = attributes.derived
        self._collections: list[tuple[Derivation, Predicate, Predicate]] = [
            (one, _predicate(one.add), _predicate(one.remove)) for one in attributes.collected
        ]

    # -- collections: touchpoints fill them --------------------------------------------------------------------------------------
    def collect(self, golden: Golden, touchpoint: Touchpoint) -> bool:
        """Put in and take out what the newest touchpoint names. True when a collection is another one now."""
        changed = False
        for one, adds, removes in self._collections:
            is_put_in, is_taken_out = adds(touchpoint), removes(touchpoint)
            if not (is_put_in or is_taken_out):
                continue
            texts = list(_named(touchpoint, one))
            kept = golden.collected.setdefault(one.name, {})
            changed |= bool(texts)
            for text in texts:
                kept.pop(text, None)
                if not is_taken_out:  # a touchpoint that does both takes out
                    kept[text] = (touchpoint.order, touchpoint.channel)
            for text in sorted(kept, key=lambda text: (kept[text], text))[:-MOST_COLLECTED]:
                del kept[text]
        return changed

    # -- everything else: a function of what is known now, and of the time -------------------------------------------------------
    def follow(self, golden: Golden, as_of: int) -> int | None:
        """Derive anew, as of `as_of`. Returns when something of it changes if nothing else happens, or None."""
        golden.derived = {}
        changes = []
        for one in self._derived:
            if one.how == "age":
                found, at = self._age(golden, one, as_of)
                changes.append(at)
            elif one.how == "number":
                found = self._number(golden, one)
            elif one.how == "cases":
                found = self._case(golden, one)
            else:
                found = _collection(golden, one)
            if found is not None:
                golden.derived[one.name] = found
        return min((at for at in changes if at is not None), default=None)

    def _age(self, golden: Golden, one: Derivation, as_of: int) -> tuple[Derived | None, int | None]:
        source = self._known(golden, one.of)
        begins = _begins(source, one) if source is not None else []
        reached = [label for label, at in begins if at <= as_of]
        following = min((at for _, at in begins if at > as_of), default=None)
        if source is None or not reached:
            return None, following
        return Derived(text_of(reached[-1]), source.channel, source.last), following

    def _number(self, golden: Golden, one: Derivation) -> Derived | None:
        source = self._known(golden, one.of)
        number = None if source is None else number_of(_decode(source.value))
        reached = [] if number is None else [label for label, begin in one.bands if begin <= number]
        return Derived(text_of(reached[-1]), source.channel, source.last) if source is not None and reached else None

    def _case(self, golden: Golden, one: Derivation) -> Derived | None:
        for value, asked in one.cases:
            sources = {comparison.path[0]: self._known(golden, name) for name, comparison in asked}
            if all(_holds(sources[name], comparison) for name, comparison in asked):
                known = [source for source in sources.values() if source is not None]
                if known:  # of whom nothing is known, nothing follows
                    newest = max(known, key=lambda source: source.last)
                    return Derived(text_of(value), newest.channel, newest.last)
        return None

    def _known(self, golden: Golden, name: str) -> Candidate | Derived | None:
        """The present value of an attribute, stated or derived."""
        if name in golden.derived:
            return golden.derived[name]
        rule = self._rules.get(name)
        return None if rule is None else rank(golden, name, rule).winner


def _predicate(match: Match | None) -> Predicate:
    return compile_match(match) if match is not None else lambda _: False


def _named(touchpoint: Touchpoint, one: Derivation) -> Iterable[str]:
    value = value_at(touchpoint, one.path)
    values = value if isinstance(value, list) else [value]
    return dict.fromkeys(text_of(each) for each in values if each is not MISSING and each is not None)


def _collection(golden: Golden, one: Derivation) -> Derived | None:
    kept = golden.collected.get(one.name)
    if not kept:
        return None
    newest: tuple[Order, str] = max(kept.values())
    texts = sorted(kept, key=lambda text: (kept[text], text))
    return Derived(f"[{','.join(texts)}]", newest[1], newest[0])


def _holds(source: Candidate | Derived | None, comparison: Comparison) -> bool:
    if source is None:
        return is_met_by(comparison, MISSING)
    value = _decode(source.value)
    return any(is_met_by(comparison, one) for one in value) if isinstance(value, list) else is_met_by(comparison, value)


def _begins(source: Candidate | Derived, one: Derivation) -> list[tuple[str, int]]:
    """When each band of an age begins, in milliseconds; empty where the value is no date."""
    born = _date(_decode(source.value))
    if born is None:
        return []
    return [(label, at) for label, years in one.bands if (at := _birthday(born, years)) is not None]


def _date(value: Any) -> date | None:
    """A date such as 1990-05-31; of a time, its day as written."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) and _DATE.match(value) else None
    except ValueError:
        return None


def _birthday(born: date, years: int) -> int | None:
    """The beginning (UTC) of the day on which somebody is so many years old; who was born on 29 February is so on 1 March."""
    if born.year + years > date.max.year:
        return None
    try:
        day = born.replace(year=born.year + years)
    except ValueError:
        day = date(born.year + years, 3, 1)
    return (day - _EPOCH).days * _DAY_MS

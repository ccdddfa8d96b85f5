"""What a touchpoint says of whom it concerns -> identifier keys, strongest first, and the values that they stand for."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from touchstone.contracts import reasons
from touchstone.errors import RecordRejected
from touchstone.intake.blocked import Blocked
from touchstone.intake.bounds import MAX_STATED_IDENTIFIERS
from touchstone.intake.misspelt import found
from touchstone.intake.normalise import clean, normalise
from touchstone.intake.recent import Recent
from touchstone.topology.compile import IdentifierKind, Topology

MAX_IDENTIFIERS = 32
"""Usable ones in one touchpoint; every pair of them is a claim, so their cost grows with the square."""

UNKNOWN = "unknown"
"""Stands for the kind of an identifier of unknown kind: what the producer called it belongs in no metric."""

_TENANT = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Namer(Protocol):
    """Makes keys of identifiers, and knows which is stronger (identity/ordering.py)."""

    @property
    def strength(self) -> Callable[[str], Any]:
        """Of a key; smaller is stronger."""

    def key(self, tenant: str, kind: str, value: str) -> str:
        """The key of an identifier."""

    def digest(self, text: str) -> bytes:
        """Keyed: what stands for a text that must stand in no key."""


class Usable(NamedTuple):
    """The usable identifiers as keys, strongest first, at least one, with their values; and how many were ignored, by (kind, reason)."""

    keys: tuple[str, ...]
    values: tuple[str, ...]
    ignored: tuple[tuple[str, str, int], ...]


class IdentifierReader:
    """Resolves kinds, normalises values, sets aside what is unknown, blocked or unusable."""

    def __init__(self, topology: Topology, namer: Namer, capacity: int = 1 << 13) -> None:
        self._kinds = {name: (kind, Blocked(kind)) for name, kind in topology.kinds.items()}
        self._kinds |= {alias: self._kinds[name] for alias, name in topology.kind_aliases.items()}
        self._namer = namer
        self._recent: Recent[tuple[str, tuple[tuple[str, Any], ...]], Usable] = Recent(capacity)

    def read(self, tenant: str, stated: object) -> Usable:
        """Read `identifiers`: a map {kind: value or list of values}, or a list of {kind, value}.

        Raises:
            RecordRejected: another shape, nothing usable, too many, or two values of a unique kind.
        """
        pairs = tuple(stated.items()) if isinstance(stated, dict) else _pairs(stated)
        if len(pairs) > MAX_STATED_IDENTIFIERS:
            raise _too_many(MAX_STATED_IDENTIFIERS)
        try:
            known = self._recent.get((tenant, pairs))
        except TypeError:  # a list of values cannot be looked up
            known = None
        if known is None:
            check_tenant(tenant)
            known = self._judge(tenant, pairs)
            if all(type(value) is str for _, value in pairs):  # 1, 1.0 and True are one key of a dictionary
                self._recent[tenant, pairs] = known
        return known

    def _judge(self, tenant: str, pairs: tuple[tuple[str, Any], ...]) -> Usable:
        keys: dict[str, str] = {}
        unique: dict[str, str] = {}
        ignored: Counter[tuple[str, str]] = Counter()
        number = 0
        for name, values in pairs:
            kind, blocked = self._kinds.get(name, (None, None))
            for value in values if isinstance(values, list) else (values,):
                number += 1
                if number > MAX_STATED_IDENTIFIERS:
                    raise _too_many(MAX_STATED_IDENTIFIERS)
                if kind is None or blocked is None:
                    ignored[UNKNOWN, reasons.UNKNOWN_KIND] += 1
                    continue
                normal, why_not = _read_value(value, kind, blocked)
                if normal is None:
                    ignored[kind.name, why_not] += 1
                    continue
                key = self._namer.key(tenant, kind.name, normal)
                if kind.unique and unique.setdefault(kind.name, key) != key:
                    raise RecordRejected(
                        reasons.TWO_UNIQUE_VALUES,
                        f"identifiers: expected one value of the unique kind {kind.name}, found two different ones",
                    )
                keys[key] = normal
                if len(keys) > MAX_IDENTIFIERS:
                    raise _too_many(MAX_IDENTIFIERS)
        if not keys:
            raise RecordRejected(
                reasons.NO_USABLE_IDENTIFIER,
                f"identifiers: expected at least one that is usable, found {ignored.total()} to be ignored{self._unknown(pairs)}",
            )
        strongest = sorted(keys, key=self._namer.strength)
        values = tuple(keys[key] for key in strongest)
        return Usable(tuple(strongest), values, tuple((*what, count) for what, count in ignored.items()))

    def _unknown(self, pairs: tuple[tuple[str, Any], ...]) -> str:
        """The first kind that the topology does not know, if there is one."""
        word = next((name for name, _ in pairs if name not in self._kinds), None)
        return "" if word is None else f"; expected a kind of the topology, {found(word, tuple(self._kinds))}"


def check_tenant(tenant: str) -> None:
    """See that it can be part of a key.

    Raises:
        RecordRejected: it cannot.
    """
    if _TENANT.fullmatch(tenant) is None:
        raise RecordRejected(reasons.INVALID_FIELD, "tenant: expected 1 to 64 letters, digits, '_', '.' or '-', found something else")


def _too_many(most: int) -> RecordRejected:
    return RecordRejected(reasons.TOO_MANY_IDENTIFIERS, f"identifiers: expected at most {most}, found more")


def _pairs(stated: object) -> tuple[tuple[str, Any], ...]:
    if stated is None:
        raise RecordRejected(reasons.MISSING_FIELD, "identifiers: expected a map or a list, found nothing")
    if not isinstance(stated, list):
        raise RecordRejected(reasons.INVALID_FIELD, f"identifiers: expected a map or a list, found {type(stated).__name__}")
    for item in stated:
        if not isinstance(item, dict) or not isinstance(item.get("kind"), str):
            raise RecordRejected(reasons.INVALID_FIELD, "identifiers: expected a list of {kind, value}, found another item")
    return tuple((item["kind"], item.get("value")) for item in stated)


def _read_value(value: object, kind: IdentifierKind, blocked: Blocked) -> tuple[str | None, str]:
    """(normal form, "") or (None, why it is ignored). What the topology blocks may be written as stated or in its normal form."""
    text = clean(value)
    if text is None:
        return None, reasons.UNUSABLE
    if text in blocked:
        return None, reasons.BLOCKED
    normal = normalise(text, kind.normalise)
    if normal is None:
        return None, reasons.UNUSABLE
    return (None, reasons.BLOCKED) if normal in blocked else (normal, "")

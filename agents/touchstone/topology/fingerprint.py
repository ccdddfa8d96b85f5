"""A hash over values: equal for equal content, whatever the order in which it was written down."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

# Raise it when the same definition begins to mean something else.
_MEANING = 1


def fingerprint(parts: Mapping[str, Any]) -> str:
    """32 hexadecimal digits over dataclasses, mappings, sets, sequences, patterns, bytes and plain values."""
    text = json.dumps([_MEANING, canonical(parts)], sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def canonical(value: Any) -> Any:
    """The same as plain values: mappings, lists, text, numbers."""
    if is_dataclass(value):
        return {field.name: canonical(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): canonical(inner) for key, inner in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [canonical(inner) for inner in value]
    if isinstance(value, re.Pattern):
        return value.pattern
    if isinstance(value, bytes):  # a file: what stands in it matters, but nobody wants to read it here
        return f"sha256:{hashlib.sha256(value).hexdigest()[:32]}"
    return value


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """What differs between two canonical values, each in words: `journeys.purchase.rules.abandoned.for: was 1, is 2`."""
    if before == after:
        return []
    before, after = (_named(value) if isinstance(value, list) else value for value in (before, after))
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        found = []
        for name in dict.fromkeys([*before, *after]):
            found += differences(before.get(name, _ABSENT), after.get(name, _ABSENT), f"{path}.{name}" if path else name)
        # Of the same parts, but in another order, which has a meaning (rules, kinds of identifiers).
        return found or [f"{path}: was in the order {_short(list(before))}, is in the order {_short(list(after))}"]
    if before is _ABSENT or after is _ABSENT:
        return [f"{path}: is new" if before is _ABSENT else f"{path}: is gone"]
    return [f"{path}: was {_short(before)}, is {_short(after)}"]


_ABSENT = object()
_LONGEST = 80


def _named(values: list[Any]) -> Any:
    """A list of things that have names as a mapping."""
    names = [value["name"] for value in values if isinstance(value, Mapping) and "name" in value]
    return dict(zip(names, values, strict=True)) if names and len(set(names)) == len(values) else values


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"

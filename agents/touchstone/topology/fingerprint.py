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
    """32 hexadecimal digits over dataclasses, mappings, sets, sequences, patterns and plain values."""
    text = json.dumps([_MEANING, _canonical(parts)], sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _canonical(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _canonical(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _canonical(inner) for key, inner in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_canonical(inner) for inner in value]
    if isinstance(value, re.Pattern):
        return value.pattern
    return value

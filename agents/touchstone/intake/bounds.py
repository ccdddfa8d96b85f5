"""How much one touchpoint may say: the same for JSON and Avro, so that nothing behind intake meets more."""

from collections.abc import Mapping
from typing import Any

from touchstone.contracts import reasons
from touchstone.errors import RecordRejected

MAX_DEPTH = 32
"""Objects and lists inside each other; real payloads reach 6 (snowplow-enriched)."""
MAX_VALUES = 2_000
"""Values in profile, consents, context and properties together, lists and objects included; real payloads reach 200."""
MAX_TEXT = 32_768
"""Characters of one text; a long complaint has 10,000."""
MAX_NAME = 256
"""Characters of the name of an attribute or purpose."""
MAX_STATED_IDENTIFIERS = 256
"""Identifiers as stated, those included that will be ignored."""

_LEAST, _MOST = -(1 << 63), (1 << 63) - 1


def check_values(*parts: Mapping[str, Any]) -> None:
    """Let only pass what state and outputs can hold: not too many values, nor too deep, texts and names not too long, numbers of 64 bits.

    Raises:
        RecordRejected: too_many_values, nesting_too_deep, text_too_long, or invalid_field for a number. The detail names no value.
    """
    count = 0
    for part in parts:
        if part:
            count = _check(part, 2, count)


def _check(values: Mapping[str, Any] | list[Any], depth: int, count: int) -> int:
    if depth > MAX_DEPTH:
        raise RecordRejected(reasons.NESTING_TOO_DEEP, f"expected at most {MAX_DEPTH} levels of objects and lists, found more")
    count += len(values)
    if count > MAX_VALUES:
        raise RecordRejected(
            reasons.TOO_MANY_VALUES, f"expected at most {MAX_VALUES} values in profile, consents, context and properties, found more"
        )
    if isinstance(values, Mapping):
        for name in values:
            if len(name) > MAX_NAME:
                raise RecordRejected(reasons.TEXT_TOO_LONG, f"expected names of at most {MAX_NAME} characters, found {len(name)}")
        values = list(values.values())
    for value in values:
        kind = type(value)
        if kind is str:
            if len(value) > MAX_TEXT:
                raise RecordRejected(reasons.TEXT_TOO_LONG, f"expected texts of at most {MAX_TEXT} characters, found {len(value)}")
        elif kind is bool or value is None:
            continue
        elif kind is int:
            if not _LEAST <= value <= _MOST:
                raise RecordRejected(
                    reasons.INVALID_FIELD, "expected whole numbers of at most 64 bits, found a larger one; send it as text"
                )
        elif kind is float:
            if value - value != 0:  # infinite, or not a number
                raise RecordRejected(reasons.INVALID_FIELD, "expected finite numbers, found one that is not")
        else:
            count = _check(value, depth + 1, count)
    return count

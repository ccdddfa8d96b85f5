"""What can be shown of a refused record without showing whom it is about: its form, not its values."""

import re
from typing import Any

import msgspec

from touchstone.contracts.codec import reading_codec
from touchstone.errors import RecordRejected
from touchstone.intake.decode import is_too_deep
from touchstone.model.output import DeadLetter

_WORDS = frozenset({"channel", "type", "media", "kind"})
_TIMES = frozenset({"occurred_at", "sent_at", "received_at"})
"""The fields of a touchpoint that say what and when, not who: shown, as long as they look like it."""
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_TIME = re.compile(r"[A-Za-z0-9.:+ -]{0,40}")


def content(letter: DeadLetter) -> Any:
    """The record as an object: of JSON or Avro what it says, of anything else the text; None where it is neither."""
    value = letter.value
    if letter.size == len(value) and not is_too_deep(value):
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
        try:
            return reading_codec().decode(value)[1]
        except RecordRejected:
            pass
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def masked(stated: Any) -> Any:
    """The same form, with values hidden: names, kinds of values and lengths stay, and so do the fields that say what and when."""
    if not isinstance(stated, dict):
        return _hidden(stated)
    shown = {_name(key): _shown(str(key), value) for key, value in stated.items()}
    pairs = stated.get("identifiers")
    if isinstance(pairs, list):
        shown["identifiers"] = [masked(pair) for pair in pairs]
    return shown


def _shown(name: str, value: Any) -> Any:
    if name in _TIMES and (isinstance(value, int) or (isinstance(value, str) and _TIME.fullmatch(value))):
        return value
    if name in _WORDS and isinstance(value, str) and _WORD.fullmatch(value):
        return value
    return _hidden(value)


def _hidden(value: Any) -> Any:
    match value:
        case dict():
            return {_name(key): _hidden(inner) for key, inner in value.items()}
        case list():
            return [_hidden(inner) for inner in value]
        case bool() | None:
            return value
        case str():
            return f"(text of {len(value)})"
        case int() | float():
            return "(number)"
        case _:
            return f"({type(value).__name__})"


def _name(key: object) -> str:
    """A name as it is; what does not look like one may be somebody's."""
    text = str(key)
    return text if _WORD.fullmatch(text) else f"(name of {len(text)})"

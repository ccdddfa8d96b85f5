"""Bytes of a record -> what the producer stated, whatever the bytes are."""

import re
from typing import Any, Literal, TypeVar

import msgspec

from touchstone.contracts import reasons
from touchstone.contracts.codec import Codec
from touchstone.errors import RecordRejected
from touchstone.intake.bounds import MAX_DEPTH

Read = TypeVar("Read")
"""What a contract states, as it is read."""


class Stated(msgspec.Struct):
    """The fields of a touchpoint as the producer wrote them. Unknown fields are dropped; null and missing are the same."""

    event_id: str | int | None = None
    tenant: str | None = None
    source: str | None = None
    channel: str | None = None
    type: str | None = None
    occurred_at: Any = None
    sent_at: Any = None
    received_at: Any = None
    identifiers: Any = None
    profile: dict[str, Any] | None = None
    consents: dict[str, bool] | None = None
    media: str | None = None
    sentiment: float | None = None
    context: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    attributes: dict[str, Any] | None = None


_FROM_JSON = msgspec.json.Decoder(Stated)
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{\]}]', re.DOTALL)
"""Strings (also one that never ends, so that the scan stays linear) and brackets."""


def decode(value: bytes, encoding: Literal["json", "avro"], codec: Codec) -> Stated:
    """Read a record's value in the encoding of its channel.

    Raises:
        RecordRejected: it cannot be read; the reason says in what respect, the detail holds nothing of the value.
    """
    return _from_json(value) if encoding == "json" else from_avro(value, codec, "Touchpoint", Stated)


def _from_json(value: bytes) -> Stated:
    check_depth(value)
    try:
        return _FROM_JSON.decode(value)
    except msgspec.ValidationError as wrong:
        raise _not_as_agreed(value, wrong) from None
    except msgspec.DecodeError as broken:
        raise RecordRejected(reasons.INVALID_JSON, f"expected one JSON object, found a fault: {broken}") from None
    except UnicodeDecodeError:
        raise RecordRejected(reasons.INVALID_JSON, "expected JSON in UTF-8, found other bytes") from None


def _not_as_agreed(value: bytes, wrong: msgspec.ValidationError) -> RecordRejected:
    try:
        is_object = isinstance(msgspec.json.decode(value), dict)
    except ValueError:  # a number out of range
        is_object = True
    if is_object:
        return RecordRejected(reasons.INVALID_FIELD, str(wrong))
    return RecordRejected(reasons.NOT_AN_OBJECT, str(wrong))


def from_avro(value: bytes, codec: Codec, contract: str, of: type[Read]) -> Read:
    """Read a value in the wire format of Avro as what this contract states.

    Raises:
        RecordRejected: it is of another contract, or of an unknown schema, or its fields are not as agreed.
    """
    name, fields = codec.decode(value)
    if name != contract:
        raise RecordRejected(reasons.UNKNOWN_SCHEMA, f"expected a {contract}, found a {name}")
    try:
        return msgspec.convert(fields, of)
    except msgspec.ValidationError as wrong:  # a schema of another registry, with other types
        raise RecordRejected(reasons.INVALID_FIELD, str(wrong)) from None


def check_depth(value: bytes) -> None:
    """See that this JSON is not nested deeper than is read.

    Raises:
        RecordRejected: it is.
    """
    if is_too_deep(value):
        raise RecordRejected(reasons.NESTING_TOO_DEEP, f"expected at most {MAX_DEPTH} levels of objects and lists, found more")


def is_too_deep(value: bytes) -> bool:
    """Is this JSON, broken or not, nested deeper than is read? Asked first: a decoder's own limit depends on who calls it."""
    return value.count(b"[") + value.count(b"{") > MAX_DEPTH and _depth(value) > MAX_DEPTH


def _depth(value: bytes) -> int:
    """How deep brackets are nested, outside strings; of broken JSON too."""
    depth = deepest = 0
    for token in _TOKENS.finditer(value):
        match token[0][:1]:
            case b"[" | b"{":
                depth += 1
                deepest = max(deepest, depth)
            case b"]" | b"}":
                depth -= 1
            case _:
                pass
    return deepest

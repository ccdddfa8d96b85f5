"""Output records as JSON objects with the contracts' field names: what the command line speaks."""

from base64 import b64encode
from typing import Any

import msgspec

from touchstone.contracts.codec import OutputRecord
from touchstone.contracts.times import iso_text
from touchstone.model.output import DeadLetter

TIMES = frozenset({"occurred_at", "detected_at", "first_seen", "last_seen", "since", "deadline", "valid_from", "valid_to"})
"""The fields that hold a time, in any output record."""


def to_json_dict(record: OutputRecord) -> dict[str, Any]:
    """The record with times as ISO 8601 in UTC, to the millisecond.

    Bytes of a dead letter are text where they are UTF-8; others are base64 under the name with `_base64` behind it.
    """
    fields = msgspec.structs.asdict(record)
    if isinstance(record, DeadLetter):
        fields["headers"] = [{"name": name, "value": value} for name, value in record.headers]
    return _object(fields)


def _object(fields: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, bytes):
            try:
                out[name] = value.decode()
            except UnicodeDecodeError:
                out[f"{name}_base64"] = b64encode(value).decode()
        elif isinstance(value, tuple | list):
            out[name] = [_object(item) if isinstance(item, dict) else item for item in value]
        else:
            out[name] = iso_text(value) if name in TIMES and value is not None else value
    return out

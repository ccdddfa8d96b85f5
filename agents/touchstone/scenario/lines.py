"""What is given -> lines of JSON, as `touchstone produce` would send them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from touchstone.contracts.times import iso_text
from touchstone.scenario.model import Given
from touchstone.scenario.times import FIRST_DAY_MS, time_ms

_AS_WRITTEN = ("type", "identifiers", "channel", "tenant", "source", "media", "sentiment", "profile", "consents", "context", "properties")


class Line(NamedTuple):
    """A line and the event id by which `orders` speaks of it."""

    event_id: str
    text: bytes


def lines_of(given: Sequence[Given]) -> tuple[list[Line], int]:
    """All lines in the order given, and the latest time that occurs among them (milliseconds)."""
    lines: list[Line] = []
    before, latest = FIRST_DAY_MS, FIRST_DAY_MS
    for place, one in enumerate(given, 1):
        if one.at is not None:
            before = time_ms(one.at, before)
        for number in range(1, one.repeat + 1):
            if number > 1 and one.every is not None:
                before += one.every
            default = f"t{place}" if one.repeat == 1 else f"t{place}-{number}"
            event_id = default if one.event_id is None else one.event_id.replace("{n}", str(number))
            if one.raw is not None:
                lines.append(Line(event_id, _raw(one.raw, number)))
                continue
            if one.command is not None:
                lines.append(Line(event_id, msgspec.json.encode(_command(one, event_id, before, number))))
                continue
            fields = _fields(one, event_id, before, number)
            lines.append(Line(event_id, msgspec.json.encode(fields)))
            latest = max(latest, before, _received(one, before))
    return lines, latest


def _received(one: Given, at: int) -> int:
    return at if one.received_at is None else time_ms(one.received_at, at)


def _fields(one: Given, event_id: str, at: int, number: int) -> dict[str, Any]:
    fields: dict[str, Any] = {"event_id": event_id, "occurred_at": iso_text(at)}
    for name in ("sent_at", "received_at"):
        written = getattr(one, name)
        if written is not None:
            fields[name] = iso_text(time_ms(written, at))
    for name in _AS_WRITTEN:
        written = getattr(one, name)
        if written is not None:
            fields[name] = _numbered(written, number)
    if one.padding is not None:
        fields["properties"] = fields.get("properties", {}) | {"padding": "x" * one.padding}
    return fields


def _command(one: Given, command_id: str, at: int, number: int) -> dict[str, Any]:
    fields = {"command_id": command_id, "action": one.command, "at": iso_text(at), "who": "a steward", "why": "the story says so"}
    for name in ("tenant", "identifiers", "others", "undoes"):
        written = getattr(one, name)
        if written is not None:
            fields[name] = _numbered(written, number)
    return fields


def _raw(written: str | dict[str, Any], number: int) -> bytes:
    numbered = _numbered(written, number)
    return numbered.encode() if isinstance(numbered, str) else msgspec.json.encode(numbered)


def _numbered(value: Any, number: int) -> Any:
    """The value with every `{n}` in its texts replaced."""
    if isinstance(value, str):
        return value.replace("{n}", str(number))
    if isinstance(value, dict):
        return {key: _numbered(one, number) for key, one in value.items()}
    if isinstance(value, list):
        return [_numbered(one, number) for one in value]
    return value

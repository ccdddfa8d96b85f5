"""A line of JSON -> the record that it is produced as: `produce` and the offline twin feed the pipeline the same bytes.

A line with a `command_id` is a steward's command, any other a touchpoint.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from touchstone.contracts.codec import Codec, bundled_codec
from touchstone.contracts.times import iso_text
from touchstone.errors import RecordRejected
from touchstone.intake.decode import decode, is_too_deep
from touchstone.intake.event_time import RECEIVED_AT, inner_time
from touchstone.intake.normalise import as_text
from touchstone.topology.compile import Channel, Topology

_TIMES = ("occurred_at", "sent_at", "received_at")
_KEY_BYTES = 1024


class Prepared(NamedTuple):
    """Where a line goes, under which key, as which bytes, with which headers."""

    topic: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


def prepare_line(line: bytes, topology: Topology, shift_ms: int = 0, codec: Codec | None = None) -> Prepared:
    """Prepare one line: its channel's topic, its first identifier as key, and in a header its `occurred_at` where it has no `received_at`.

    The bytes of the line stay as they are, so that its size is judged and its dead letter holds what was sent. Only where all times are
    moved by `shift_ms` is it written anew. A line that is no JSON object, or whose channel is unknown, goes unchanged to the topic of
    the first channel, one that is too large unchanged to its own: the pipeline makes dead letters of them like of any other record.
    """
    line = line.strip(b"\r\n")
    first = next(iter(topology.channels.values()))
    stated = _read(line)
    if stated is not None and "command_id" in stated and "event_id" not in stated:
        return _command(stated, line, topology, shift_ms)
    channel = None if stated is None else _channel(stated, topology, first)
    if stated is None or channel is None:
        return Prepared(first.topic, None, line)
    is_too_large = len(line) > topology.record_bytes
    is_shifted = not is_too_large and _shift(stated, shift_ms)
    value = line
    if channel.format == "avro" and not is_too_large:
        value = _in_avro(stated, line, codec or bundled_codec())
    elif is_shifted:
        value = msgspec.json.encode(stated)
    return Prepared(channel.topic, _key(stated.get("identifiers")), value, _received_at(stated))


def _command(stated: dict[str, Any], line: bytes, topology: Topology, shift_ms: int) -> Prepared:
    """A steward's command, for a topic of its own; it counts as received when it was given."""
    at = inner_time(stated, "at")
    if shift_ms and at is not None:
        at += shift_ms
        line = msgspec.json.encode(stated | {"at": at})
    key = stated["command_id"]
    headers = () if at is None else ((RECEIVED_AT, str(at).encode()),)
    return Prepared(topology.topics.commands, key.encode()[:_KEY_BYTES] if isinstance(key, str) else None, line, headers)


def kinds_of(line: bytes) -> list[str]:
    """The kinds of identifiers that a line states, as its producer called them; none where the line cannot be read."""
    stated = _read(line)
    return [] if stated is None else [kind for kind, _ in _pairs(stated.get("identifiers")) if isinstance(kind, str)]


def _read(line: bytes) -> dict[str, Any] | None:
    if is_too_deep(line):
        return None
    try:
        stated = msgspec.json.decode(line)
        msgspec.json.encode(stated)
    except (ValueError, OverflowError):
        return None
    return stated if isinstance(stated, dict) else None


def _channel(stated: dict[str, Any], topology: Topology, default: Channel) -> Channel | None:
    name = stated.get("channel")
    if name is None:
        return default
    return topology.channels.get(topology.channel_aliases.get(name, name)) if isinstance(name, str) else None


def _inner(stated: dict[str, Any]) -> list[dict[str, Any]]:
    return [inner for name in ("attributes", "properties") if isinstance(inner := stated.get(name), dict)]


def _shift(stated: dict[str, Any], shift_ms: int) -> bool:
    if not shift_ms:
        return False
    for place in (stated, *_inner(stated)):
        for name in _TIMES:
            at = inner_time(place, name)
            if at is not None:
                place[name] = iso_text(at + shift_ms) if isinstance(place[name], str) else at + shift_ms
    return True


def _received_at(stated: dict[str, Any]) -> tuple[tuple[str, bytes], ...]:
    """The header that stands for a missing `received_at`; none where `occurred_at` is no time, for which it will be refused."""
    if stated.get("received_at") is not None:
        return ()
    inner: dict[str, Any] = {}
    for properties in _inner(stated):
        inner |= properties
    occurred = inner_time(stated, "occurred_at")
    if occurred is None or inner_time(inner, "received_at") is not None:
        return ()
    return ((RECEIVED_AT, str(occurred).encode()),)


def _in_avro(stated: dict[str, Any], line: bytes, codec: Codec) -> bytes:
    """What JSON would refuse goes unchanged, to be refused: encoding it would turn a "no" into a yes and `false` into an identifier."""
    try:
        decode(line, "json", codec)
        pairs = [{"kind": kind, "value": value} for kind, value in _pairs(stated.get("identifiers")) if value is not None]
        return codec.encode_touchpoint(stated | {"identifiers": pairs})
    except RecordRejected:
        return line


def _key(identifiers: object) -> bytes | None:
    """The first usable identifier; one too long to be used is too long for a key as well."""
    texts = (f"{kind}:{value}".encode() for kind, value in _pairs(identifiers) if isinstance(kind, str) and value)
    return next((text for text in texts if len(text) <= _KEY_BYTES), None)


def _pairs(identifiers: object) -> Iterator[tuple[Any, str | None]]:
    """Kind and value of every identifier of a map or a list, values as text where they can be read as such."""
    if isinstance(identifiers, dict):
        stated = list(identifiers.items())
    elif isinstance(identifiers, list):
        stated = [(item.get("kind"), item.get("value")) for item in identifiers if isinstance(item, dict)]
    else:
        stated = []
    for kind, values in stated:
        for value in values if isinstance(values, list) else [values]:
            yield kind, as_text(value)

"""The two records of the hot path, Moment and Customer, written as Avro by hand.

fastavro walks the schema for every record (17 µs a moment, 32 µs a customer on the machine this was measured on); these functions know
it. They are bound to `schemas/moment.avsc` and `schemas/customer.avsc`: tests/property/test_codec.py proves the bytes equal to fastavro's,
and fails when a schema changes without them.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from touchstone.errors import InvariantBroken
from touchstone.model.output import Customer, Moment

_NULL = b"\x00"
_SOME = b"\x02"
_END = b"\x00"


def _varint(z: int) -> bytes:
    out = bytearray()
    while z > 0x7F:
        out.append(z & 0x7F | 0x80)
        z >>= 7
    out.append(z)
    return bytes(out)


_SMALL = tuple(_varint(n << 1) for n in range(2048))
_PAIR = tuple(bytes((z & 0x7F | 0x80, z >> 7 | 0x80)) for z in range(1 << 14))
"""Two groups of seven bits with more to come: a time takes three table look-ups instead of a loop over six bytes."""
_TAIL = tuple(_varint(z) for z in range(1 << 14))


def long(n: int) -> bytes:
    """An int or long; quick for small numbers and for times."""
    if 0 <= n < 2048:
        return _SMALL[n]
    if 1 << 28 <= n < 1 << 41:
        z = n << 1
        return _PAIR[z & 0x3FFF] + _PAIR[z >> 14 & 0x3FFF] + _TAIL[z >> 28]
    if -(1 << 63) <= n < 1 << 63:
        return _varint(n << 1 if n >= 0 else (-n << 1) - 1)
    raise InvariantBroken("expected a number of at most 64 bits for an Avro long, found a larger one")


def string(text: str) -> bytes:
    """A string."""
    data = text.encode()
    return (_SMALL[len(data)] if len(data) < 2048 else long(len(data))) + data


_word = lru_cache(maxsize=4096)(string)
"""For the words of the topology, which come again and again."""


def _maybe_word(text: str | None) -> bytes:
    return _NULL if text is None else _SOME + _word(text)


def _maybe_long(n: int | None) -> bytes:
    return _NULL if n is None else _SOME + long(n)


def _strings(texts: Sequence[str]) -> bytes:
    return long(len(texts)) + b"".join(map(string, texts)) + _END if texts else _END


def _symbols(*symbols: str) -> dict[str, bytes]:
    return {symbol: _SMALL[index] for index, symbol in enumerate(("UNKNOWN", *symbols))}


def _optional(symbols: dict[str, bytes]) -> dict[str | None, bytes]:
    return {None: _NULL} | {symbol: _SOME + index for symbol, index in symbols.items()}


_ACTION = _symbols("assert", "retract")
_KIND = _symbols("transition", "regression", "timeout", "reentry", "signal")
_STATUS = _symbols("active", "merged", "retired", "erased")
_MEDIA = _optional(_symbols("owned", "paid", "earned", "shared"))
_CORRECTS = _optional(_symbols("late", "merge", "split", "erasure", "topology", "consent_withdrawn"))
_BOOLEAN = {False: b"\x00", True: b"\x01"}


def moment(m: Moment) -> bytes:
    """A moment, field by field in the order of its schema.

    Raises:
        InvariantBroken: a word outside its closed list.
    """
    try:
        return b"".join(
            (
                string(m.moment_id),
                long(m.revision),
                _ACTION[m.action],
                _word(m.tenant),
                string(m.customer_id),
                _word(m.journey),
                _maybe_word(m.instance),
                _KIND[m.kind],
                _maybe_word(m.from_phase),
                _maybe_word(m.to_phase),
                _strings(m.skipped),
                long(m.cycle),
                _word(m.rule),
                long(m.occurred_at),
                long(m.detected_at),
                _strings(m.touchpoints),
                _word(m.channel),
                _MEDIA[m.media],
                _maybe_word(m.persona),
                _BOOLEAN[m.provisional],
                _maybe_word(m.guidance),
                _CORRECTS[m.corrects],
                long(m.topology_version),
            )
        )
    except KeyError as unknown:
        raise InvariantBroken(f"expected a word of a closed list of schemas/moment.avsc, found {unknown}") from None


def customer(c: Customer) -> bytes:
    """A customer, field by field in the order of its schema.

    Raises:
        InvariantBroken: a status outside its closed list, or a row without one of its keys.
    """
    try:
        return b"".join(
            (
                string(c.customer_id),
                long(c.revision),
                _word(c.tenant),
                _STATUS[c.status],
                _NULL if c.merged_into is None else _SOME + string(c.merged_into),
                _rows(c.identifiers, _identifier),
                _rows(c.attributes, _attribute),
                _rows(c.consents, _consent),
                _rows(c.interactions, _interaction),
                _strings(c.personas),
                _rows(c.journeys, _journey),
                _maybe_word(c.next_guidance),
                _rows(c.shared_identifiers, _shared_identifier),
            )
        )
    except KeyError as unknown:
        raise InvariantBroken(f"expected what schemas/customer.avsc lists, found or missed {unknown}") from None


def _rows(rows: Sequence[dict[str, Any]], write: Any) -> bytes:
    return long(len(rows)) + b"".join(map(write, rows)) + _END if rows else _END


def _identifier(row: dict[str, Any]) -> bytes:
    return _word(row["kind"]) + string(row["value"]) + _maybe_long(row["first_seen"]) + _maybe_long(row["last_seen"])


def _attribute(row: dict[str, Any]) -> bytes:
    return b"".join(
        (
            _word(row["name"]),
            string(row["value"]),
            _word(row["source"]),
            long(row["occurred_at"]),
            string(row["touchpoint"]),
            _word(row["rule"]),
            _word(row["channel"]),
            _rows(row["alternatives"], _alternative),
            _rows(row["periods"], _period),
        )
    )


def _alternative(row: dict[str, Any]) -> bytes:
    return b"".join(
        (
            string(row["value"]),
            _word(row["source"]),
            long(row["occurred_at"]),
            string(row["touchpoint"]),
            _word(row["channel"]),
            long(row["count"]),
            _word(row["lost_by"]),
        )
    )


def _period(row: dict[str, Any]) -> bytes:
    return string(row["value"]) + long(row["valid_from"]) + _maybe_long(row["valid_to"]) + _strings(row["sources"])


def _shared_identifier(row: dict[str, Any]) -> bytes:
    times = long(row["valid_from"]) + _maybe_long(row["valid_to"]) + long(row["last_seen"])
    return _word(row["kind"]) + string(row["value"]) + times


def _consent(row: dict[str, Any]) -> bytes:
    return b"".join(
        (
            _word(row["purpose"]),
            _BOOLEAN[row["granted"]],
            long(row["occurred_at"]),
            _word(row["source"]),
            string(row["touchpoint"]),
            _word(row["rule"]),
            _rows(row["statements"], _consent_statement),
        )
    )


def _consent_statement(row: dict[str, Any]) -> bytes:
    return _BOOLEAN[row["granted"]] + long(row["occurred_at"]) + _word(row["source"]) + string(row["touchpoint"])


def _interaction(row: dict[str, Any]) -> bytes:
    return _word(row["channel"]) + _word(row["type"]) + long(row["occurred_at"]) + long(row["count"])


def _journey(row: dict[str, Any]) -> bytes:
    return b"".join(
        (
            _word(row["journey"]),
            _maybe_word(row["instance"]),
            _maybe_word(row["phase"]),
            _maybe_long(row["since"]),
            long(row["cycle"]),
            _BOOLEAN[row["dormant"]],
            _maybe_long(row["deadline"]),
        )
    )

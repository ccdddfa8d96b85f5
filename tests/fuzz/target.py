"""What is promised of any bytes: read, or refused with a known reason, in bounded time; nothing else."""

import time

import msgspec

from tests.unit.intake.shop import NOON, SHOP, intake
from touchstone.contracts.codec import bundled_codec
from touchstone.contracts.reasons import REASONS
from touchstone.errors import RecordRejected
from touchstone.intake.command import Ruled
from touchstone.intake.event_time import RECEIVED_AT
from touchstone.intake.lines import prepare_line
from touchstone.intake.touchpoint import Accepted
from touchstone.model.message import IdentityMessage
from touchstone.model.output import DeadLetter
from touchstone.runtime.program import Record

SECONDS = 2.0
"""More than this of processor time for one record of at most 64 KiB is a hang; usual are 0.0001."""

COMMANDS = SHOP.topics.commands
_INTAKE = intake()
_CODEC = bundled_codec()


class Broken(AssertionError):
    """A promise about any bytes does not hold."""


def judge(data: bytes) -> None:
    """Feed bytes to every decoder. Raises what the promise forbids."""
    began = time.process_time()
    for topic in ("touchpoints.web.v1", "touchpoints.ad.v1", COMMANDS):
        _take(Record(topic, 0, 0, NOON, data[:16], data, ((RECEIVED_AT, data[:8]),) if data[:1] == b"h" else ()))
    try:
        _CODEC.decode_record(data)
    except RecordRejected as rejected:
        _know(rejected.reason)
    prepared = prepare_line(data, SHOP)
    _take(Record(prepared.topic, 0, 0, NOON, prepared.key, prepared.value, prepared.headers))
    spent = time.process_time() - began
    if spent > SECONDS:
        raise Broken(f"expected at most {SECONDS} s for {len(data)} bytes, found {spent:.1f} s")


def _take(record: Record) -> None:
    messages: list[IdentityMessage] = []
    found = _INTAKE.take_command(record, messages) if record.topic == COMMANDS else _INTAKE.take(record, messages)
    if isinstance(found, Ruled):
        if not messages:
            raise Broken("a command was accepted and nobody is told")
        return
    if isinstance(found, Accepted):
        value = msgspec.msgpack.encode(found.touchpoint)
        if msgspec.msgpack.decode(value, type=type(found.touchpoint)) != found.touchpoint:
            raise Broken("a touchpoint that was accepted does not survive the way to the next stage")
        if len(value) > 16 * len(record.value or b"") + 1024:
            raise Broken(f"{len(record.value or b'')} bytes became a touchpoint of {len(value)} bytes")
        return
    _know(found.reason)
    letter = _CODEC.decode_record(_CODEC.encode_dead_letter(found))
    if not isinstance(letter, DeadLetter) or letter != found:
        raise Broken("a dead letter does not read back as written")


def _know(reason: str) -> None:
    if reason not in REASONS:
        raise Broken(f"a record was refused for {reason}, which is no reason code")

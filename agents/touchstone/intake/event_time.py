"""When a touchpoint happened: what the device says, corrected by what we know of its clock."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from touchstone.contracts import reasons
from touchstone.contracts.times import milliseconds
from touchstone.errors import RecordRejected
from touchstone.intake.decode import Stated
from touchstone.topology.compile import Topology


class EventTime(NamedTuple):
    """All times in milliseconds since the epoch. `claimed_at` is what the device said, where that is not `occurred_at`.

    `is_late`: more than the topology's lateness between the two. `is_skewed`: the device claims the future and nothing but the time
    of receipt is left to believe.
    """

    occurred_at: int
    received_at: int
    claimed_at: int | None
    is_late: bool
    is_skewed: bool


def event_time(stated: Stated, properties: dict[str, Any], timestamp: int, topology: Topology) -> EventTime:
    """Derive the times of a touchpoint; `timestamp` is the record's own time.

    `received_at` and `sent_at` count at the top level or among the properties. They are taken out of the properties: how it travelled
    is not what it says, and the same statement sent again must stay the same. With `sent_at` the device's clock is corrected; what lies
    further in the future of `received_at` than the tolerated skew, corrected or not, is taken to have happened then.

    Raises:
        RecordRejected: no time, not a time, or older than the topology's retention.
    """
    if stated.occurred_at is None:
        raise RecordRejected(reasons.MISSING_FIELD, "occurred_at: expected a time, found nothing")
    claimed = _time("occurred_at", stated.occurred_at)
    received = _transport_time("received_at", stated.received_at, properties)
    if received is None:
        received = timestamp
    sent = _transport_time("sent_at", stated.sent_at, properties)
    occurred = claimed if sent is None else claimed + received - sent
    is_skewed = occurred > received + topology.skew_ms
    if is_skewed:
        occurred = received
    age = received - occurred
    if age > topology.retention_ms:
        raise RecordRejected(
            reasons.TOO_OLD, f"occurred_at: expected at most {topology.retention_ms} ms before received_at, found {age} ms"
        )
    return EventTime(occurred, received, None if claimed == occurred else claimed, age > topology.lateness_ms, is_skewed)


def inner_time(properties: Mapping[str, Any], name: str) -> int | None:
    """The time under this name among the properties; None if there is none or it is no time: then it is a property like any other."""
    value = properties.get(name)
    if value is None:
        return None
    try:
        return milliseconds(value)
    except ValueError:
        return None


def _transport_time(name: str, value: object, properties: dict[str, Any]) -> int | None:
    inner = inner_time(properties, name) if name in properties else None
    if inner is not None:
        del properties[name]
    return inner if value is None else _time(name, value)


def _time(name: str, value: object) -> int:
    try:
        return milliseconds(value)
    except ValueError as wrong:
        raise RecordRejected(reasons.INVALID_TIME, f"{name}: {wrong}") from None

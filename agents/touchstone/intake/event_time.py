"""When a touchpoint happened: what the device says, corrected by what we know of its clock."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from touchstone.contracts import reasons
from touchstone.contracts.times import milliseconds, within_calendar
from touchstone.errors import RecordRejected
from touchstone.intake.decode import Stated
from touchstone.topology.compile import Topology

RECEIVED_AT = "touchstone_received_at"
"""A header of a record: when it was received, in milliseconds since the epoch as decimal text. What the touchpoint says itself goes first."""


class EventTime(NamedTuple):
    """All times in milliseconds since the epoch. `claimed_at` is what the device said, where that is not `occurred_at`.

    `is_late`: more than the topology's lateness between the two. `skew`: what put a device's clock right that was wrong by more than the
    tolerated skew: `sent_at`, or `received_at` where it claims the future and nothing but the time of receipt is left to believe.
    """

    occurred_at: int
    received_at: int
    claimed_at: int | None
    is_late: bool
    skew: Literal["sent_at", "received_at"] | None


def event_time(stated: Stated, properties: dict[str, Any], arrived: int, topology: Topology) -> EventTime:
    """Derive the times of a touchpoint; it arrived at that time where it does not say itself when it was received.

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
        received = arrived
    sent = _transport_time("sent_at", stated.sent_at, properties)
    occurred = claimed if sent is None else claimed + received - sent
    skew: Literal["sent_at", "received_at"] | None = None
    if occurred > received + topology.skew_ms:
        occurred, skew = received, "received_at"
    elif abs(occurred - claimed) > topology.skew_ms:
        skew = "sent_at"
    age = received - occurred
    if age > topology.retention_ms:
        raise RecordRejected(
            reasons.TOO_OLD, f"occurred_at: expected at most {topology.retention_ms} ms before received_at, found {age} ms"
        )
    return EventTime(occurred, received, None if claimed == occurred else claimed, age > topology.lateness_ms, skew)


def arrival(timestamp: int, headers: Sequence[tuple[str, bytes]]) -> int:
    """When a record arrived: what its header says, else its timestamp. `produce` and a redrive know better than the broker.

    Raises:
        RecordRejected: the header holds no time.
    """
    for name, value in headers:
        if name == RECEIVED_AT:
            try:
                return milliseconds(int(value))
            except (ValueError, TypeError):
                raise RecordRejected(
                    reasons.INVALID_TIME, f"header {RECEIVED_AT}: expected milliseconds since the epoch, found something else"
                ) from None
    return within_calendar(timestamp)


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

"""A small shop's topology, built by hand, and a shorthand to take a touchpoint in."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from touchstone.identity.ordering import Readable
from touchstone.intake.agent import Intake
from touchstone.intake.touchpoint import Accepted
from touchstone.model.message import IdentityMessage
from touchstone.model.output import DeadLetter
from touchstone.observe.metrics import Counts
from touchstone.runtime.program import Record
from touchstone.topology.compile import Channel, DeadLetterLimit, IdentifierKind, Topology

HOUR, DAY = 3_600_000, 86_400_000
NOON = 1_718_020_800_000
"""2024-06-10T12:00:00Z."""

_BLOCKED = frozenset({"null", "anonymous", "undefined", "test@test.com"})
_PATTERNS = (re.compile(r"^[0-]*$"),)


def _kind(rank: int, name: str, normalise: str = "none", *, unique: bool = False) -> IdentifierKind:
    return IdentifierKind(name, rank, unique, 1 if unique else 2, None, normalise, 20, 1000, _BLOCKED, _PATTERNS)


_KINDS = (
    _kind(0, "user_id", unique=True),
    _kind(1, "loyalty_id", unique=True),
    _kind(2, "email", "email"),
    _kind(3, "phone", "phone"),
    _kind(4, "device_id"),
    _kind(5, "cookie"),
    _kind(6, "complaint_id", "digits"),
    _kind(7, "device_user_id", "lower"),
)
_CHANNELS: tuple[Channel, ...] = (
    *(Channel(name, f"touchpoints.{name}.v1", "owned", "json") for name in ("web", "app", "iot", "call_center", "store", "email", "push")),
    *(Channel(name, f"touchpoints.{name}.v1", "earned", "json") for name in ("social", "partner", "back_office")),
    Channel("ad", "touchpoints.ad.v1", "paid", "avro"),
)
SHOP = Topology(
    name="shop",
    version=1,
    fingerprint="f",
    clock="wall",
    lateness_ms=24 * HOUR,
    retention_ms=3650 * DAY,
    moments_retention_ms=400 * DAY,
    skew_ms=5 * 60_000,
    partitions=12,
    identifiers_per_person=1000,
    merges_per_person=10,
    record_bytes=65536,
    dead_letters=DeadLetterLimit(5_000, 10_000, 1_000),
    kinds={kind.name: kind for kind in _KINDS},
    kind_aliases=dict.fromkeys(("ecid", "aaid", "domain_userid", "network_userid"), "cookie"),
    channels={channel.name: channel for channel in _CHANNELS},
    channel_aliases={"website": "web", "call_centre": "call_center"},
    type_aliases={"add_to_cart": "cart_add"},
    journeys=(),
    outputs=(),
)


def intake(counts: Counts | None = None, **changes: Any) -> Intake:
    """An intake of the shop, with some things about the topology changed."""
    return Intake(replace(SHOP, **changes), Readable(SHOP.kinds), Counts() if counts is None else counts)


def record(value: bytes | None, channel: str = "web", timestamp: int = NOON, offset: int = 0) -> Record:
    """A record of a channel's topic."""
    return Record(f"touchpoints.{channel}.v1", 3, offset, timestamp, None, value)


def touchpoint(**fields: Any) -> dict[str, Any]:
    """A valid touchpoint in its JSON form with these fields in place of the usual ones; those given as None are left out."""
    usual = {"event_id": "e1", "type": "search", "occurred_at": "2024-06-10T12:00:00.000Z", "identifiers": {"cookie": "c1"}}
    return {name: value for name, value in (usual | fields).items() if value is not None}


def take(stated: Mapping[str, Any], to: Intake | None = None, **where: Any) -> Accepted | DeadLetter:
    """Take in one touchpoint written as JSON."""
    return (to or intake()).take(record(msgspec.json.encode(stated), **where), list[IdentityMessage]())


def accepted(stated: Mapping[str, Any], to: Intake | None = None, **where: Any) -> Accepted:
    """Take in a touchpoint that must be accepted."""
    result = take(stated, to, **where)
    assert isinstance(result, Accepted), result
    return result


def rejected(stated: Mapping[str, Any], to: Intake | None = None, **where: Any) -> DeadLetter:
    """Take in a touchpoint that must become a dead letter."""
    result = take(stated, to, **where)
    assert isinstance(result, DeadLetter), result
    return result

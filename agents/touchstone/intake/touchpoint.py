"""What a producer stated -> a touchpoint as it travels inside Touchstone, or the reason why it cannot be one."""

from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from touchstone.contracts import reasons
from touchstone.errors import RecordRejected
from touchstone.intake.bounds import check_values
from touchstone.intake.decode import Stated
from touchstone.intake.event_time import event_time
from touchstone.intake.identifiers import IdentifierReader, Namer
from touchstone.intake.misspelt import found
from touchstone.intake.normalise import has_control_characters
from touchstone.model.touchpoint import Touchpoint
from touchstone.topology.compile import Channel, Topology

DEFAULT_TENANT = "default"
MAX_EVENT_ID = 512
MAX_WORD = 256
"""Characters of a type or source."""
MEDIA = frozenset({"owned", "paid", "earned", "shared"})

_CANONICAL = msgspec.json.Encoder(order="sorted")
_NOTHING: dict[str, Any] = {}


class Accepted(NamedTuple):
    """A touchpoint that passed, and what was noticed on the way. `ignored` identifiers are (kind, reason, how many)."""

    touchpoint: Touchpoint
    ignored: tuple[tuple[str, str, int], ...]
    is_late: bool


class TouchpointReader:
    """Validates, normalises and composes, by one topology."""

    def __init__(self, topology: Topology, namer: Namer) -> None:
        self._topology = topology
        self._identifiers = IdentifierReader(topology, namer)
        self._channels = dict(topology.channels)
        self._channels |= {alias: topology.channels[name] for alias, name in topology.channel_aliases.items()}

    def read(self, stated: Stated, default: Channel, arrived: int) -> Accepted:
        """Read what came on the topic of the channel `default` in a record that arrived then (milliseconds).

        Raises:
            RecordRejected: with the first reason found, in the order of the lines below.
        """
        channel = self._channel(stated, default)
        event_id = _event_id(stated.event_id)
        what = _word("type", stated.type)
        source = _source(stated.source, channel)
        tenant = DEFAULT_TENANT if stated.tenant is None else stated.tenant
        properties = _properties(stated)
        profile, context, consents = stated.profile or _NOTHING, stated.context or _NOTHING, stated.consents or _NOTHING
        check_values(profile, consents, context, properties)
        media, sentiment = _media(stated.media), _sentiment(stated.sentiment)
        usable = self._identifiers.read(tenant, stated.identifiers)
        times = event_time(stated, properties, arrived, self._topology)
        what = self._topology.type_aliases.get(what, what)
        claimed = times.occurred_at if times.claimed_at is None else times.claimed_at
        said = (claimed, channel.name, what, sorted(usable.keys), media, sentiment, profile, consents, context, properties)
        touchpoint = Touchpoint(
            tenant,
            source,
            event_id,
            channel.name,
            what,
            times.occurred_at,
            times.received_at,
            usable.keys,
            content_hash(said),
            media or channel.media,
            sentiment,
            profile,
            consents,
            context,
            properties,
            times.claimed_at,
            times.skew,
            usable.values,
        )
        return Accepted(touchpoint, usable.ignored, times.is_late)

    def _channel(self, stated: Stated, default: Channel) -> Channel:
        if stated.channel is None:
            return default
        channel = self._channels.get(stated.channel)
        if channel is None:
            raise RecordRejected(
                reasons.UNKNOWN_CHANNEL,
                f"channel: expected a channel of the topology or an alias of one, {found(stated.channel, tuple(self._channels))}",
            )
        return channel


def content_hash(said: object) -> str:
    """16 hex characters over everything said; the order of keys does not matter."""
    return blake2b(_CANONICAL.encode(said), digest_size=8).hexdigest()


def _event_id(stated: str | int | None) -> str:
    if stated is None:
        raise RecordRejected(reasons.MISSING_FIELD, "event_id: expected a text, found nothing")
    if isinstance(stated, int):
        if stated.bit_length() > 3 * MAX_EVENT_ID:
            raise RecordRejected(reasons.INVALID_FIELD, f"event_id: expected at most {MAX_EVENT_ID} characters, found more")
        return str(stated)
    if not 0 < len(stated) <= MAX_EVENT_ID or has_control_characters(stated):
        raise RecordRejected(reasons.INVALID_FIELD, f"event_id: expected 1 to {MAX_EVENT_ID} characters, none of them a control character")
    return stated


def _word(name: str, stated: str | None) -> str:
    if stated is None:
        raise RecordRejected(reasons.MISSING_FIELD, f"{name}: expected a text, found nothing")
    if not 0 < len(stated) <= MAX_WORD or has_control_characters(stated):
        raise RecordRejected(reasons.INVALID_FIELD, f"{name}: expected 1 to {MAX_WORD} characters, none of them a control character")
    return stated


def _source(stated: str | None, channel: Channel) -> str:
    if stated is None:
        return channel.name
    if "/" in stated:
        raise RecordRejected(
            reasons.INVALID_FIELD, "source: expected a text without a slash, which separates source and event_id, found one"
        )
    return _word("source", stated)


def _properties(stated: Stated) -> dict[str, Any]:
    """`attributes` is another word for `properties`; where both have a name, properties have the last word."""
    if stated.attributes and stated.properties:
        return stated.attributes | stated.properties
    return stated.properties or stated.attributes or _NOTHING


def _media(stated: str | None) -> str | None:
    if stated is None or stated == "UNKNOWN":
        return None
    if stated not in MEDIA:
        raise RecordRejected(reasons.INVALID_FIELD, "media: expected owned, paid, earned or shared, found another word")
    return stated


def _sentiment(stated: float | None) -> float | None:
    if stated is None or -1 <= stated <= 1:
        return stated
    raise RecordRejected(reasons.INVALID_FIELD, "sentiment: expected a number from -1 to 1, found another")

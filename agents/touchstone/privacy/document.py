"""The document that a person is given: frozen, of texts, numbers and lists only, the same in JSON and on the page."""

from typing import Any

from msgspec import Struct

from touchstone.privacy.held import Kept, Rights

FORM = 1
"""Of the document; raised when a field changes its meaning."""


class Identifier(Struct, frozen=True):
    """An identifier of the person, or one that she used and that others use, too (`is_shared`)."""

    kind: str
    value: str
    first_seen: str | None
    last_seen: str | None
    is_shared: bool


class Statement(Struct, frozen=True):
    """What she once said of a purpose; `counts` unless it was replaced by a later one."""

    purpose: str
    granted: bool
    occurred_at: str
    source: str
    touchpoint: str
    counts: bool


class CarriedBy(Struct, frozen=True):
    """A topic on which a moment was said, and whether it stands there."""

    topic: str
    purpose: str | None
    stands: bool
    why: str | None


class Told(Struct, frozen=True):
    """A moment in its last form. `why` and `taken_back_at` where it does not stand; `corrects`: why it was said anew; `is_provisional`: it rests
    on a likeness alone.
    """

    moment_id: str
    occurred_at: str
    said_at: str
    journey: str
    kind: str
    from_phase: str | None
    to_phase: str | None
    rule: str
    channel: str
    touchpoints: tuple[str, ...]
    guidance: str | None
    is_provisional: bool
    stands: bool
    corrects: str | None
    taken_back_at: str | None
    why: str | None
    carried_by: tuple[CarriedBy, ...]


class Received(Struct, frozen=True):
    """A touchpoint as it is held."""

    source: str
    event_id: str
    channel: str
    type: str
    occurred_at: str
    received_at: str
    identifiers: tuple[dict[str, Any], ...]
    media: str | None
    sentiment: float | None
    profile: dict[str, Any]
    consents: dict[str, bool]
    context: dict[str, Any]
    properties: dict[str, Any]
    clock: str | None


class Recipient(Struct, frozen=True):
    """A topic that carried data of the person to whoever reads it, for what purpose; of moments how many stand, and how many do not."""

    topic: str
    what: str
    purpose: str | None
    asserted: int | None = None
    taken_back: int | None = None


class Change(Struct, frozen=True):
    """A change of who is who, as far as it is the person's."""

    at: str
    kind: str
    rule: str
    identifiers: tuple[dict[str, str], ...]
    former_ids: tuple[str, ...]
    trigger: str | None
    command: str | None


class Export(Struct, frozen=True, kw_only=True):
    """The whole answer. Lists of plain objects have the fields of the contract `Customer` (docs/reference/contracts.md)."""

    form: int
    made_at: str
    known_until: str
    tenant: str
    customer_id: str
    former_ids: tuple[str, ...]
    identifiers: tuple[Identifier, ...]
    attributes: tuple[dict[str, Any], ...]
    consents: tuple[dict[str, Any], ...]
    statements: tuple[Statement, ...]
    interactions: tuple[dict[str, Any], ...]
    journeys: tuple[dict[str, Any], ...]
    personas: tuple[str, ...]
    next_guidance: str | None
    moments: tuple[Told, ...]
    touchpoints: tuple[Received, ...]
    recipients: tuple[Recipient, ...]
    identity_changes: tuple[Change, ...]
    retention: tuple[Kept, ...]
    rights: Rights
    note: str

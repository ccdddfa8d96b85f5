"""What Touchstone says to the outside: the records of the output topics (contracts in schemas/)."""

from typing import Any

from msgspec import Struct


class MomentContent(Struct, frozen=True, array_like=True):
    """What a moment states; two assertions with equal content are the same statement. Times in milliseconds since the epoch."""

    tenant: str
    customer_id: str
    journey: str
    instance: str | None
    kind: str
    from_phase: str | None
    to_phase: str | None
    skipped: tuple[str, ...]
    cycle: int
    rule: str
    occurred_at: int
    touchpoints: tuple[str, ...]
    channel: str
    media: str | None
    persona: str | None
    provisional: bool
    guidance: str | None
    topology_version: int


class Moment(Struct, frozen=True):
    """One statement about a journey, or its withdrawal. Of one `moment_id` the highest `revision` counts."""

    moment_id: str
    revision: int
    action: str
    tenant: str
    customer_id: str
    journey: str
    instance: str | None
    kind: str
    from_phase: str | None
    to_phase: str | None
    skipped: tuple[str, ...]
    cycle: int
    rule: str
    occurred_at: int
    detected_at: int
    touchpoints: tuple[str, ...]
    channel: str
    media: str | None
    persona: str | None
    provisional: bool
    guidance: str | None
    corrects: str | None
    topology_version: int


class Carried(Struct, frozen=True):
    """A moment as it is said on one output that asks for a purpose: with revisions of its own, and only of people who consent."""

    output: str
    moment: Moment


class Customer(Struct, frozen=True):
    """The golden profile of one customer id, or what became of it (status merged, retired).

    identifiers: {kind, value, first_seen, last_seen}; attributes: {name, value, source, occurred_at, touchpoint, rule,
    channel, alternatives: {value, source, occurred_at, touchpoint, channel, count, lost_by}, periods: {value, valid_from, valid_to, sources}};
    consents: {purpose, granted, occurred_at, source, touchpoint, rule, statements: {granted, occurred_at, source, touchpoint}};
    interactions: {channel, type, occurred_at, count}; journeys: {journey, instance, phase, since, cycle, dormant, deadline}. `value` of an
    attribute is its JSON text; shared_identifiers: {kind, value, valid_from, valid_to, last_seen}.
    """

    customer_id: str
    revision: int
    tenant: str
    status: str
    merged_into: str | None
    identifiers: tuple[dict[str, Any], ...] = ()
    attributes: tuple[dict[str, Any], ...] = ()
    consents: tuple[dict[str, Any], ...] = ()
    interactions: tuple[dict[str, Any], ...] = ()
    personas: tuple[str, ...] = ()
    journeys: tuple[dict[str, Any], ...] = ()
    next_guidance: str | None = None
    shared_identifiers: tuple[dict[str, Any], ...] = ()


class IdentityChange(Struct, frozen=True):
    """Something that changed about who is who: linked, merged, split, shared, unshared, conflict, refused, limited.

    `customer_id` is the one concerned (the survivor of a merge); `customers` the others; `identifiers` are {kind, value};
    `trigger` names the touchpoint (source/event_id) that brought it about, `command` the steward's command, or they are None; `rule` says why.
    """

    change_id: str
    kind: str
    tenant: str
    customer_id: str
    customers: tuple[str, ...]
    identifiers: tuple[dict[str, str], ...]
    trigger: str | None
    rule: str
    detected_at: int
    command: str | None = None


class Review(Struct, frozen=True):
    """Two identifiers whose records look alike, but not enough to be one person: somebody should look. The highest `revision` counts.

    `status`: open, accepted or rejected (by a steward, who is named by `command`), settled (they are one person, or a limit forbids it),
    withdrawn (they do not look alike any more). `identifiers`: {kind, value}, two; `customers`: whose they were when it was said, as far as
    known. `score`: probability, 0 to 1. `evidence`: {attribute, level, bits}; it names no values. `why`: why an accepted pair was not united
    (`score`: it was below the threshold). `model`: version of the model.
    """

    review_id: str
    revision: int
    tenant: str
    status: str
    identifiers: tuple[dict[str, str], ...]
    customers: tuple[str, ...]
    score: float
    evidence: tuple[dict[str, Any], ...]
    why: str
    model: str
    occurred_at: int
    detected_at: int
    command: str | None = None


class DeadLetter(Struct, frozen=True):
    """A record that could not be processed, with where it came from and its original bytes.

    `reason` is a code of contracts/reasons.py. `value` holds at most the first 64 KiB; `size` and `sha256` are of the whole.
    """

    letter_id: str
    reason: str
    detail: str
    channel: str | None
    topic: str
    partition: int
    offset: int
    occurred_at: int
    key: bytes | None
    value: bytes
    size: int
    sha256: str
    headers: tuple[tuple[str, bytes], ...] = ()

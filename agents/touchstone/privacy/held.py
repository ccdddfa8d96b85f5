"""What the state and the topics hold about one person, with whose each identifier is: what an export is made from."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from touchstone.model.output import Customer, IdentityChange, Moment
from touchstone.model.touchpoint import Touchpoint

Whose = Literal["own", "shared", "other"]
"""Of the person alone; of nobody, because several people use it; of somebody else."""


class Shown(Struct, frozen=True):
    """An identifier that a touchpoint shows; without its value where that is not known any more."""

    kind: str
    value: str | None
    whose: Whose


class Sighting(Struct, frozen=True):
    """A touchpoint that counts for the person, and which identifiers it shows."""

    touchpoint: Touchpoint
    shown: tuple[Shown, ...]


class Holdings(Struct, frozen=True):
    """What the state holds. `values`: of all her own identifiers, as (kind, value).

    Of the others in her component, so that nothing of them is handed out: `foreign_values` of their identifiers, `foreign_keys` of their
    touchpoints.
    """

    customer_id: str
    is_nobody: bool
    known_until: int
    values: frozenset[tuple[str, str]]
    sightings: tuple[Sighting, ...]
    foreign_values: frozenset[str]
    foreign_keys: frozenset[str]


class Carrier(Struct, frozen=True):
    """A topic that carries moments, whom it serves, and all statements found there about any of the person's customer ids."""

    topic: str
    output: str | None
    purpose: str | None
    moments: Sequence[Moment]


class Said(Struct, frozen=True):
    """What was said to others: the profile, the ids that lead to it, moments by topic, changes of who is who, and on which topics."""

    customer: Customer
    former_ids: tuple[str, ...]
    carriers: Sequence[Carrier]
    changes: Sequence[IdentityChange]
    customers_topic: str
    identities_topic: str


class Kept(Struct, frozen=True):
    """Where data of the person lie, and for how long."""

    where: str
    what: str
    how_long: str


class Rights(Struct, frozen=True):
    """Whom to ask, and for what."""

    contact: str | None
    correct: str
    erase: str

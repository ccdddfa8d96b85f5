"""The topology as the engine runs it: frozen, complete, in milliseconds, every alias resolved."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class IdentifierKind:
    """One kind of identifier. `rank` 0 is the strongest. `persons`: how many people one value may unite before it belongs to nobody."""

    name: str
    rank: int
    unique: bool
    persons: int
    per_person: int | None
    normalise: str
    guard_stronger: int
    guard_weaker: int | None
    blocked: frozenset[str] = frozenset()
    blocked_patterns: tuple[re.Pattern[str], ...] = ()


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel: where its touchpoints lie, on what medium it counts, how its records are encoded (json or avro)."""

    name: str
    topic: str
    media: str | None
    format: Literal["json", "avro"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of an attribute: `path` begins with properties, context or profile."""

    path: tuple[str, ...]
    operator: Literal["is", "is_not", "above", "at_least", "below", "at_most", "in", "exists"]
    value: Any


@dataclass(frozen=True, slots=True)
class Match:
    """Which touchpoints a rule speaks of; None means any."""

    types: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    where: tuple[Comparison, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a journey. `match` of a touchpoint rule fires; `match` of an absence rule (`absence_ms` set) prevents.

    `count` matches inside `within_ms` are needed (count 1: this one). With `after`, the newest touchpoint of those types must lie
    at most `within_ms` back (any distance when None). Without `from_phases` a rule leads only forward.
    """

    name: str
    index: int
    match: Match
    to: str
    from_phases: frozenset[str] | None = None
    count: int = 1
    within_ms: int | None = None
    after: frozenset[str] | None = None
    absence_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Journey:
    """Phases in order, rules in order, and after how much silence a person is dormant."""

    name: str
    phases: tuple[str, ...]
    rules: tuple[Rule, ...]
    dormant_ms: int | None
    positions: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Output:
    """A further topic for some of the moments; None means all."""

    name: str
    topic: str
    journeys: frozenset[str] | None
    kinds: frozenset[str] | None
    phases: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of the topics that are not a channel's."""

    moments: str = "moments.v1"
    customers: str = "customers.v1"
    identities: str = "identities.v1"
    deadletters: str = "deadletters.v1"


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything the stages need to know. `fingerprint` is a hash of what decides results: a state carries it."""

    name: str
    version: int
    fingerprint: str
    clock: Literal["wall", "event"]
    lateness_ms: int
    retention_ms: int
    moments_retention_ms: int
    skew_ms: int
    partitions: int
    identifiers_per_person: int
    merges_per_person: int
    record_bytes: int
    kinds: Mapping[str, IdentifierKind]
    kind_aliases: Mapping[str, str]
    channels: Mapping[str, Channel]
    channel_aliases: Mapping[str, str]
    type_aliases: Mapping[str, str]
    journeys: tuple[Journey, ...]
    outputs: tuple[Output, ...]
    topics: Topics = Topics()

    @property
    def keep(self) -> int:
        """How many touchpoints per (identifiers, type) stay past the horizon: the largest count in any rule, at least 1."""
        return max([1, *(rule.count for journey in self.journeys for rule in journey.rules)])

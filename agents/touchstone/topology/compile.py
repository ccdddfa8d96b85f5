"""The topology as the engine runs it: frozen, complete, in milliseconds, every alias resolved."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from touchstone.model.output import Moment, MomentContent
from touchstone.topology.attributes import Attributes, attributes_of
from touchstone.topology.fingerprint import fingerprint
from touchstone.topology.match import Match, match_of, some
from touchstone.topology.model import (
    DEFAULT_GUARD_WEAKER,
    DEFAULT_GUARD_WEAKER_OF_UNIQUE,
    WrittenDeadLetters,
    WrittenIdentifier,
    WrittenJourney,
    WrittenRule,
    WrittenTopology,
    is_pattern,
)
from touchstone.topology.model_matching import WrittenMatching
from touchstone.topology.pattern import as_pattern
from touchstone.topology.roles import Role
from touchstone.topology.topics import Topics


@dataclass(frozen=True, slots=True)
class IdentifierKind:
    """One kind of identifier. `rank` 0 is the strongest. `persons`: how many people one value may unite before it belongs to nobody.

    A value is blocked when its `casefold()` is in `blocked` or one of `blocked_patterns` is found in it (`search`); both hold what is
    blocked for every kind as well.
    """

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
class DeadLetterLimit:
    """Of each `of` records of a partition at most `refused` may be refused, and at most `in_a_row` one after the other."""

    refused: int
    of: int
    in_a_row: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a journey. `match` of a touchpoint rule fires; `match` of an absence rule (`absence_ms` set) prevents.

    `count` matches inside `within_ms` are needed (count 1: this one). With `after`, the newest touchpoint of those types must lie
    at most `within_ms` back (any distance when None; together with a `count` above 1, `within_ms` is the window of the counted ones).
    Without `from_phases` a rule leads only forward.
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
class Damping:
    """How often a journey may take the same step within a time: `at_most` times in less than `within_ms`."""

    at_most: int
    within_ms: int


@dataclass(frozen=True, slots=True)
class Journey:
    """Phases in order, rules in order, after how much silence a person is dormant, and how often she may go to and fro."""

    name: str
    phases: tuple[str, ...]
    rules: tuple[Rule, ...]
    dormant_ms: int | None
    positions: Mapping[str, int] = field(default_factory=dict)
    damping: Damping | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """How statements about a purpose become a decision: `denial_wins` over other sources, or the most recent word; and what is assumed."""

    denial_wins: bool = True
    assumed: bool = False

    @property
    def rule(self) -> str:
        """The name of the rule, as the author writes it."""
        return "most_restrictive" if self.denial_wins else "most_recent"


@dataclass(frozen=True, slots=True)
class Output:
    """A further topic for some of the moments; None means all. `purpose`: only of people who consent to it."""

    name: str
    topic: str
    journeys: frozenset[str] | None
    kinds: frozenset[str] | None
    phases: frozenset[str] | None
    purpose: str | None = None

    def wants(self, moment: Moment | MomentContent) -> bool:
        """Whether a moment belongs here, as far as consent is not asked; its retraction goes wherever its assertion went."""
        return (
            (self.journeys is None or moment.journey in self.journeys)
            and (self.kinds is None or moment.kind in self.kinds)
            and (self.phases is None or moment.to_phase in self.phases)
        )


@dataclass(frozen=True, slots=True)
class Matching:
    """Which records are compared, on what, and how alike is alike enough.

    `roles`: attribute of a touchpoint's profile -> the role that it plays in a comparison (topology/roles.py), in the order of the author;
    `kinds`: kind of identifier -> the role that its value plays besides. `blocks`: ways to meet, each some parts of a record; None: the
    default ones. `limit`: a block with more records is closed. `accept` and `review`: probabilities; None: those of the model. `neighbours`: so
    many accepted likenesses of one record count. `model`: the file of `touchstone match train`; None: what is believed before anything was learnt.
    """

    roles: Mapping[str, Role]
    kinds: Mapping[str, Role]
    blocks: tuple[tuple[str, ...], ...] | None
    limit: int
    accept: float | None
    review: float | None
    neighbours: int
    model: bytes | None


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything the stages need to know. `fingerprint` is a hash of what decides results: a state carries it.

    `attributes`: rules of the golden record, where the topology has any. `recycled`: kinds whose values pass from person to person.
    """

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
    dead_letters: DeadLetterLimit
    kinds: Mapping[str, IdentifierKind]
    kind_aliases: Mapping[str, str]
    channels: Mapping[str, Channel]
    channel_aliases: Mapping[str, str]
    type_aliases: Mapping[str, str]
    journeys: tuple[Journey, ...]
    outputs: tuple[Output, ...]
    topics: Topics = field(default_factory=Topics)
    touchpoints_per_day: int = 2_000
    profile_bytes: int = 64 * 1024
    attributes: Attributes | None = None
    recycled: frozenset[str] = frozenset()
    consents: Mapping[str, Consent] = field(default_factory=dict)
    """Of every purpose that `consent` or an output names."""
    matching: Matching | None = None

    @property
    def asking(self) -> tuple[Output, ...]:
        """The outputs that ask for consent."""
        return tuple(output for output in self.outputs if output.purpose is not None)

    @property
    def keep(self) -> int:
        """How many touchpoints per (identifiers, type) stay past the horizon: the largest count in any rule, at least 1."""
        return max([1, *(rule.count for journey in self.journeys for rule in journey.rules)])


def compile_topology(written: WrittenTopology, model: bytes | None = None) -> Topology:
    """What the engine runs, of a definition that was checked and the matching model that it names (load.py does all)."""
    kind_aliases = _aliases({name: kind.aliases for name, kind in written.identifiers.items()})
    channel_aliases = _aliases({name: channel.aliases for name, channel in written.channels.items()})
    type_aliases = _aliases({name: kind.aliases for name, kind in written.types.items()})
    topology = Topology(
        name=written.name,
        version=written.version,
        fingerprint="",
        clock=written.clock,
        lateness_ms=written.lateness,
        retention_ms=written.retention,
        moments_retention_ms=written.moments_retention,
        skew_ms=written.skew,
        partitions=written.partitions,
        identifiers_per_person=written.limits.identifiers_per_person,
        merges_per_person=written.limits.merges_per_person,
        record_bytes=written.limits.record,
        touchpoints_per_day=written.limits.touchpoints_per_day,
        profile_bytes=written.limits.profile,
        dead_letters=_dead_letters(written.limits.dead_letters),
        kinds={name: _kind(name, rank, kind, written.blocked) for rank, (name, kind) in enumerate(written.identifiers.items())},
        kind_aliases=kind_aliases,
        channels={
            name: Channel(name, channel.topic or f"touchpoints.{name}.v1", channel.media, channel.format)
            for name, channel in written.channels.items()
        },
        channel_aliases=channel_aliases,
        type_aliases=type_aliases,
        journeys=tuple(_journey(name, journey, type_aliases, channel_aliases) for name, journey in written.journeys.items()),
        outputs=tuple(
            Output(name, output.topic, some(output.journeys), some(output.kinds), some(output.phases), output.purpose)
            for name, output in written.outputs.items()
        ),
        topics=Topics(**written.topics.model_dump()),
        attributes=attributes_of(written.attributes, type_aliases, channel_aliases),
        recycled=frozenset(name for name, kind in written.identifiers.items() if kind.recycled),
        consents={output.purpose: Consent() for output in written.outputs.values() if output.purpose is not None}
        | {name: Consent(one.on_conflict == "most_restrictive", one.assumed == "granted") for name, one in written.consent.items()},
        matching=None if written.matching is None else _matching(written.matching, model),
    )
    return replace(topology, fingerprint=fingerprint(deciding(topology)))


def deciding(topology: Topology) -> dict[str, Any]:
    """What decides results: not names of topics, partitions, encodings, the clock, nor where a moment is sent besides.

    Nor how many dead letters stop a worker: whoever has looked at them raises that limit, and goes on with the state there is.
    Channels neither: a touchpoint carries its channel and medium from intake on, so a channel may be added while a state lives on.
    But of outputs those that ask for consent: what was said there is part of the state.
    What a topology does not use is left out: a state made before there was such a thing still fits.
    """
    beside = {"name", "fingerprint", "clock", "moments_retention_ms", "partitions", "channels", "channel_aliases", "outputs", "topics"}
    beside |= {"dead_letters"}
    beside |= {name for name in ("attributes", "recycled", "consents", "matching") if not getattr(topology, name)}
    parts = {name: getattr(topology, name) for name in Topology.__dataclass_fields__ if name not in beside}
    asking = tuple(replace(output, topic="") for output in topology.asking)
    if topology.matching is not None:
        parts["matching"] = _comparing(topology.matching)
    return parts | {"asking": asking} if asking else parts


def _comparing(matching: Matching) -> dict[str, Any]:
    """The same with the attributes and kinds of each role in their order: the first that says something counts."""
    parts = {name: getattr(matching, name) for name in Matching.__dataclass_fields__}
    for name in ("roles", "kinds"):
        named: Mapping[str, str] = parts[name]
        parts[name] = {role: tuple(one for one in named if named[one] == role) for role in named.values()}
    return parts


def _dead_letters(limit: WrittenDeadLetters) -> DeadLetterLimit:
    return DeadLetterLimit(math.floor(limit.ratio * limit.of), limit.of, limit.in_a_row)


def _matching(matching: WrittenMatching, model: bytes | None) -> Matching:
    return Matching(
        roles=dict(matching.attributes),
        kinds=dict(matching.identifiers),
        blocks=None if matching.blocks is None else tuple(tuple(block) for block in matching.blocks),
        limit=matching.block_limit,
        accept=matching.accept,
        review=matching.review,
        neighbours=matching.neighbours,
        model=model,
    )


def _aliases(named: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {alias: name for name, aliases in named.items() for alias in aliases}


def _kind(name: str, rank: int, kind: WrittenIdentifier, everywhere: Iterable[str]) -> IdentifierKind:
    blocked = [*everywhere, *kind.blocked]
    weaker = kind.guard.weaker
    if weaker is None:
        weaker = DEFAULT_GUARD_WEAKER_OF_UNIQUE if kind.unique else DEFAULT_GUARD_WEAKER
    return IdentifierKind(
        name=name,
        rank=rank,
        unique=kind.unique,
        persons=kind.persons,
        per_person=1 if kind.unique else kind.per_person,
        normalise=kind.normalise,
        guard_stronger=kind.guard.stronger,
        guard_weaker=weaker,
        blocked=frozenset(entry.casefold() for entry in blocked if not is_pattern(entry)),
        blocked_patterns=tuple(as_pattern(entry[1:-1]) for entry in dict.fromkeys(blocked) if is_pattern(entry)),
    )


def _journey(name: str, journey: WrittenJourney, types: Mapping[str, str], channels: Mapping[str, str]) -> Journey:
    return Journey(
        name=name,
        phases=tuple(journey.phases),
        rules=tuple(_rule(index, rule, types, channels) for index, rule in enumerate(journey.rules)),
        dormant_ms=journey.dormant.after if journey.dormant else None,
        positions={phase: position for position, phase in enumerate(journey.phases)},
        damping=Damping(journey.damping.at_most, journey.damping.within) if journey.damping else None,
    )


def _rule(index: int, rule: WrittenRule, types: Mapping[str, str], channels: Mapping[str, str]) -> Rule:
    matched = rule.when or rule.without
    return Rule(
        name=rule.name,
        index=index,
        match=Match() if matched is None else match_of(matched, types, channels),
        to=rule.to,
        from_phases=some(rule.from_),
        count=rule.when.count if rule.when else 1,
        within_ms=rule.when.within if rule.when else None,
        after=some(rule.when.after, types) if rule.when else None,
        absence_ms=rule.for_,
    )

"""topology.yaml as its author writes it: every key with its meaning, unit and default.

The reference page and the JSON Schema are generated from this file and words.py. Here stands only what concerns one value; what concerns
several (references, duplicates, reachability) is in check.py.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from touchstone.topology.model_attributes import Entries
from touchstone.topology.model_matching import WrittenMatching
from touchstone.topology.quantity import Duration, Size, Span
from touchstone.topology.words import (
    Blocked,
    Media,
    MomentKind,
    Name,
    Names,
    Normalise,
    Phases,
    TopicName,
    Word,
    Words,
    Written,
    WrittenSilence,
    listed,
    quantity,
    unit,
)

DEFAULT_BLOCKED = ("", "null", "none", "nil", "undefined", "unknown", "anonymous", "n/a", "nan", "/^[0-]*$/")
DEFAULT_GUARD_WEAKER = 1_000
DEFAULT_GUARD_WEAKER_OF_UNIQUE = 10_000
LARGEST_RECORD = 1024 * 1024
LARGEST_PROFILE = 1024 * 1024


class WrittenDeadLetters(Written):
    """How much of what a channel delivers may be unusable before the worker stops, counted in each partition of its topic by itself.

    What stops a worker is not one bad record but a producer that is wrong as a whole: draining its topic into the dead letters would only
    move the damage.
    """

    ratio: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Of each `of` records of a partition at most this share may be refused; 1 never stops.",
        json_schema_extra=unit("share"),
    )
    of: int = Field(
        10_000,
        ge=1,
        le=100_000_000,
        description="So many records are counted, then the count begins anew. The worker stops as soon as the share can no longer be kept.",
        json_schema_extra=unit("records"),
    )
    in_a_row: int = Field(
        1_000,
        ge=1,
        le=1_000_000_000,
        description="So many records in a row of a partition may be refused, whatever the share.",
        json_schema_extra=unit("records"),
    )


class WrittenLimits(Written):
    """Sizes that nothing may outgrow."""

    identifiers_per_person: int = Field(
        1_000,
        ge=1,
        le=4_000,
        description="More identifiers than this are not united into one person: her golden profile must fit into a record.",
        json_schema_extra=unit("identifiers"),
    )
    merges_per_person: int = Field(
        10,
        ge=0,
        le=1_000_000,
        description="How many people with touchpoints of their own one person may absorb.",
        json_schema_extra=unit("people"),
    )
    touchpoints_per_day: int = Field(
        2_000,
        ge=1,
        le=1_000_000,
        description="Of more touchpoints than this with the same identifiers on one day (UTC) the first count, the others do not: "
        "a robot, or a device that sends every reading. Said as the identity change `limited`.",
        json_schema_extra=unit("touchpoints"),
    )
    profile: Size = quantity(
        "64KiB",
        "size",
        "Room for a person's attributes with their provenance, and as much for consents; what was last said longest ago is left out. "
        "At most 1MiB.",
    )
    record: Size = quantity("64KiB", "size", "A larger record becomes a dead letter. At most 1MiB.")
    dead_letters: WrittenDeadLetters = Field(
        WrittenDeadLetters(), description="How much of a channel may be unusable before the worker stops with a message."
    )


class WrittenChannel(Written):
    """A way on which customers and company meet, and the topic its touchpoints arrive on."""

    topic: TopicName | None = Field(None, description="The topic to read. Default: `touchpoints.<name>.v1`.")
    media: Media | None = Field(None, description="Owned, paid, earned or shared; counts where the touchpoint itself does not say.")
    aliases: list[Word] = Field([], description="Other words the producers have for this channel; renamed on the way in.")
    format: Literal["json", "avro"] = Field(
        "json", description="How the records are encoded: bare JSON, or Avro in Confluent's wire format."
    )


class WrittenGuard(Written):
    """How many others an identifier may meet before it is generic: it unites nobody any more, so that components stay small.

    It only guards the machine. Whether people share an identifier is decided by `persons`.
    """

    stronger: int = Field(
        20,
        ge=1,
        le=1_000_000,
        description="Stronger neighbours of one kind. At least persons x per_person of that kind.",
        json_schema_extra=unit("identifiers"),
    )
    weaker: int | None = Field(
        None,
        ge=1,
        le=100_000_000,
        description=f"Weaker neighbours. Default: {DEFAULT_GUARD_WEAKER}, of a unique kind {DEFAULT_GUARD_WEAKER_OF_UNIQUE}.",
        json_schema_extra=unit("identifiers"),
    )


class WrittenIdentifier(Written):
    """A kind of identifier. The order of the kinds is their rank: the first is the strongest."""

    unique: bool = Field(
        False, description="A person has at most one value of this kind: two values are two people, whatever else they share."
    )
    persons: int = Field(
        1,
        ge=1,
        le=1_000,
        description="How many people that are told apart by stronger identifiers one value may unite; with more it is shared "
        "and belongs to nobody. 1 unites nobody who is already somebody, the cautious choice.",
        json_schema_extra=unit("people"),
    )
    per_person: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="How many values of this kind one person may have. Default: no limit of its own (1 where unique).",
        json_schema_extra=unit("values"),
    )
    normalise: Normalise = Field(
        "none",
        description="The form in which values are compared: as given without blanks around, lower case, digits only, "
        "an e-mail address, a telephone number in international form.",
    )
    guard: WrittenGuard = Field(WrittenGuard(), description="How many others a value may meet before it is generic.")
    blocked: list[Blocked] = Field(
        [], description="Values of this kind that identify nobody: literally, or `/regular expression/`; case does not matter."
    )
    recycled: bool = Field(
        False,
        description="Values pass from person to person, such as telephone numbers: each customer's record also says from when until when they "
        "used a value that belongs to nobody now, so that it can be looked up as of a time.",
    )
    aliases: list[Word] = Field([], description="Other words the producers have for this kind; renamed on the way in.")


class WrittenType(Written):
    """A type of touchpoint. Types need no declaration; declared are those that producers call by several names."""

    aliases: list[Word] = Field([], description="Other words the producers have for this type; renamed on the way in.")


class WrittenWhen(WrittenSilence):
    """The touchpoints that make a rule fire. Without any key: all touchpoints."""

    count: int = Field(
        1,
        ge=1,
        le=1_000,
        description="So many of them are needed, the newest included. More than 1 needs `within`.",
        json_schema_extra=unit("touchpoints"),
    )
    within: Span | None = Field(
        None,
        description="The time that spans the counted touchpoints; with `count: 1`, how far back the one of `after` may lie.",
        json_schema_extra=unit("duration"),
    )
    after: Words | None = Field(None, description="A touchpoint of one of these types must have gone before.")


class WrittenRule(Written):
    """A rule that moves a person to a phase: because of a touchpoint (`when`), or of its absence (`without`, `for`, `from`).

    Rules are tried in the order of the file; the first that applies wins, and a touchpoint moves a journey at most once.
    """

    name: Name = Field(description="Its name in moments, metrics and explanations; once per journey. It is part of the moments' ids.")
    when: WrittenWhen | None = Field(None, description="The touchpoints that make it fire.")
    from_: Phases | None = Field(
        None,
        alias="from",
        description="Only from these phases; only so can a rule lead back. Default: from the start and every earlier phase, forward only.",
    )
    without: WrittenSilence | None = Field(
        None, description="An absence rule: it fires when none of these touchpoints came for the time of `for`."
    )
    for_: Span | None = Field(
        None,
        alias="for",
        description="How long the absence must last, from entering the phase or the last touchpoint of `without`.",
        json_schema_extra=unit("duration"),
    )
    to: Name = Field(description="The phase it leads to.")


class WrittenDormancy(Written):
    """When a person counts as asleep: a state beside the phases. The next touchpoint that fires a rule is a re-entry, and a new cycle."""

    after: Span = Field(description="So long without any touchpoint.", json_schema_extra=unit("duration"))


class WrittenDamping(Written):
    """How often the same step (from one phase to another) is taken before it is held back, so that somebody who goes to and fro a hundred
    times in a minute is told a few times. Until time has passed the person stays where she was last said to be; silence moves her as ever.
    """

    at_most: int = Field(ge=1, le=1_000, description="So many times.", json_schema_extra=unit("times"))
    within: Span = Field(description="In less than this time.", json_schema_extra=unit("duration"))


class WrittenJourney(Written):
    """Phases in order, and the rules that move people through them."""

    phases: list[Name] = Field(min_length=1, max_length=100, description="The phases, in the order in which people go forward.")
    rules: list[WrittenRule] = Field([], max_length=1_000, description="The rules; the first that applies wins.")
    dormant: WrittenDormancy | None = Field(None, description="When a person is dormant. Default: never.")
    damping: WrittenDamping | None = Field(None, description="How often the same step may be taken. Default: as often as rules lead there.")


class WrittenConsent(Written):
    """How statements about one purpose become a decision. A later statement of the same source replaces an earlier one that names an
    identifier which it names too; whatever else disagrees is a conflict.
    """

    on_conflict: Literal["most_restrictive", "most_recent"] = Field(
        "most_restrictive",
        description="Who is right where statements disagree: whoever denies, or whoever spoke last (at the same time: whoever denies).",
    )
    assumed: Literal["denied", "granted"] = Field("denied", description="What counts as long as nobody has said anything.")


class WrittenOutput(Written):
    """A further topic for some of the moments."""

    topic: TopicName = Field(description="The topic to write.")
    journeys: Names | None = Field(None, description="Only moments of these journeys. Default: all.")
    kinds: (
        Annotated[list[MomentKind], BeforeValidator(listed, json_schema_input_type=MomentKind | list[MomentKind]), Field(min_length=1)]
        | None
    ) = Field(None, description="Only moments of these kinds. Default: all.")
    phases: Names | None = Field(None, description="Only moments that lead to these phases. Default: all.")
    purpose: Word | None = Field(
        None,
        description="What the moments are used for, as `consents` of touchpoints name it: only those of people are carried who consented "
        "when it happened, and do now. Default: all.",
    )


class WrittenTopics(Written):
    """The topics that are no channel's."""

    moments: TopicName = Field("moments.v1", description="Moments of truth, their corrections and retractions.")
    customers: TopicName = Field("customers.v1", description="Golden profiles; compacted.")
    identities: TopicName = Field("identities.v1", description="Who turned out to be whom: linked, merged, split, shared.")
    deadletters: TopicName = Field(
        "deadletters.v1", description="Records that cannot be processed, with the reason and their original bytes."
    )
    commands: TopicName = Field("commands.v1", description="What stewards rule about who is who; read, and kept for ever.")
    reviews: TopicName = Field("reviews.v1", description="Pairs that look alike, but not enough to be one person; only with `matching`.")
    privacy: TopicName = Field("privacy.v1", description="What was forgotten, by keyed hashes; compacted, and kept for ever.")


class WrittenTopology(Written):
    """The whole file: channels, identifiers, types, journeys, outputs, limits."""

    version: int = Field(
        ge=1,
        le=2_147_483_647,
        description="The version of this content; raise it with every change. Moments carry it.",
        json_schema_extra=unit("number"),
    )
    name: Name = Field(description="The name of the topology.")
    lateness: Duration = quantity(
        "24h", "duration", "What arrives later after it happened still corrects the journeys, and is counted and flagged as late."
    )
    retention: Span = quantity(
        "3650d",
        "duration",
        "How long touchpoints count. Within it journeys are a function of the touchpoints, in whatever order they came; "
        "what arrives older is a dead letter.",
    )
    moments_retention: Span = quantity("400d", "duration", "How long the output topics keep moments.")
    skew: Duration = quantity("5m", "duration", "How far in the future a device's clock may be before the time of arrival counts instead.")
    clock: Literal["wall", "event"] = Field(
        "wall",
        description="What deadlines go by: `wall`, the broker's time of arrival; `event`, the touchpoints' `received_at` (history, demo, tests).",
    )
    partitions: int = Field(
        12,
        ge=1,
        le=10_000,
        description="Partitions of the internal and the output topics: the most workers that can share the work. "
        "Changing it moves the state, offline: `touchstone topics repartition`.",
        json_schema_extra=unit("partitions"),
    )
    limits: WrittenLimits = Field(WrittenLimits(), description="Sizes that nothing may outgrow.")
    blocked: list[Blocked] = Field(
        list(DEFAULT_BLOCKED),
        description="Values that identify nobody, whatever their kind: literally, or `/regular expression/`; case does not "
        "matter. A list of your own replaces the default.",
    )
    channels: dict[Name, WrittenChannel] = Field(description="The channels by name.")
    identifiers: dict[Name, WrittenIdentifier] = Field(description="The kinds of identifiers by name, strongest first.")
    types: dict[Word, WrittenType] = Field({}, description="Types of touchpoints that have several names. Other types need no entry.")
    journeys: dict[Name, WrittenJourney] = Field({}, description="The journeys by name.")
    attributes: Entries = Field(
        {}, description='The golden record: which value of an attribute survives, by name. `"*"` is all others; quote it.'
    )
    consent: dict[Word, WrittenConsent] = Field(
        {},
        description="The purposes for which consent is asked, by name. Where one is given, outputs name only these.",
    )
    matching: WrittenMatching | None = Field(
        None, description="Whose records are compared, on what, and how alike is alike enough. Default: nobody's."
    )
    outputs: dict[Name, WrittenOutput] = Field({}, description="Further topics for some of the moments, by name.")
    topics: WrittenTopics = Field(WrittenTopics(), description="The topics that are no channel's.")


def is_pattern(blocked: str) -> bool:
    """Whether an entry of `blocked` is a `/regular expression/` and not a literal value."""
    return len(blocked) > 1 and blocked.startswith("/") and blocked.endswith("/")

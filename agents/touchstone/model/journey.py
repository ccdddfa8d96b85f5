"""Where a person stands on one journey: the state of the fold."""

from msgspec import Struct, field


class Mark(Struct, frozen=True, array_like=True):
    """A touchpoint remembered: when, which (source/event_id), on what channel and medium."""

    at: int
    key: str
    channel: str
    media: str | None


class JourneyState(Struct, array_like=True):
    """The fold of some touchpoints. `phase` is None before the first transition.

    `matches`: rule index -> the newest matches, as many as the rule counts. `resets`: rule index -> what last prevented an absence.
    `recent`: type -> its newest touchpoint, for the types that some rule asks `after`. `steps`: "from>to" -> when it was last taken, the
    newest last, as often as damping allows.
    """

    phase: str | None = None
    since: int = 0
    cycle: int = 1
    is_dormant: bool = False
    entered: Mark | None = None
    last: Mark | None = None
    matches: dict[int, list[Mark]] = field(default_factory=dict)
    resets: dict[int, Mark] = field(default_factory=dict)
    recent: dict[str, Mark] = field(default_factory=dict)
    steps: dict[str, list[int]] = field(default_factory=dict)


class Draft(Struct, frozen=True, array_like=True):
    """A moment as the fold finds it, before it belongs to a customer. `deadline` where a silence caused it."""

    kind: str
    from_phase: str | None
    to_phase: str | None
    skipped: tuple[str, ...]
    cycle: int
    rule: str
    at: int
    triggers: tuple[str, ...]
    deadline: int | None
    channel: str
    media: str | None

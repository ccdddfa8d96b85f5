"""What is kept of a person's attributes where the topology says which value survives."""

from msgspec import Struct, field

Order = tuple[int, str, str]
"""Of a touchpoint: event time, source, event id."""


class Candidate(Struct, array_like=True):
    """A value (JSON text) that a source said on a channel: in how many touchpoints, and in which one last."""

    value: str
    channel: str
    last: Order
    count: int = 1


class Spell(Struct, array_like=True):
    """A time in which a value held: from when until when (None: still), which sources hold it, and where it was said last."""

    value: str
    since: int
    until: int | None
    holders: list[str]
    channel: str
    last: Order


class Derived(Struct, array_like=True):
    """A derived value (JSON text), and the touchpoint from which it follows last."""

    value: str
    channel: str
    last: Order


class Golden(Struct, array_like=True):
    """Of the attributes that have rules: what was said, when it held, what was collected (value -> where it was put in), what follows."""

    candidates: dict[str, list[Candidate]] = field(default_factory=dict)
    spells: dict[str, list[Spell]] = field(default_factory=dict)
    collected: dict[str, dict[str, tuple[Order, str]]] = field(default_factory=dict)
    derived: dict[str, Derived] = field(default_factory=dict)

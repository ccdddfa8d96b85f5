"""One partition of the journey stage over a store in memory, and shorthands for what it is told."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from touchstone.identity.ordering import Ordering, Readable
from touchstone.journey.agent import JourneyPartition
from touchstone.journey.component import Component
from touchstone.journey.policy import Journeys
from touchstone.journey.speaker import Speaker
from touchstone.model import message as m
from touchstone.model.component import JOURNEY_ROWS, Person
from touchstone.model.output import Customer, IdentityChange, Moment, Review
from touchstone.model.touchpoint import Touchpoint
from touchstone.state.memory import DictBackend
from touchstone.state.rows import RowStore
from touchstone.topology.compile import IdentifierKind, Journey, Rule, Topology
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.topology.match import Match

HOUR = 3_600_000
NOON = 1_718_020_800_000
"""2024-06-10T12:00:00Z."""

REFERENCE = load_topology(default_topology_path())
KINDS = ("user_id", "loyalty_id", "email", "phone", "device_id", "cookie")


def kind(name: str, **limits: Any) -> IdentifierKind:
    """A kind of identifier, strongest first in KINDS, without limits but those given."""
    values: dict[str, Any] = {"unique": False, "persons": 2, "per_person": None, "guard_stronger": 20, "guard_weaker": 1000}
    if name in {"user_id", "loyalty_id"}:
        values |= {"unique": True, "persons": 1, "per_person": 1, "guard_weaker": None}
    return IdentifierKind(name=name, rank=KINDS.index(name), normalise="none", **(values | limits))


def kinds(**limits: Mapping[str, Any]) -> dict[str, IdentifierKind]:
    """All kinds, with limits for some."""
    return {name: kind(name, **limits.get(name, {})) for name in KINDS}


def rule(name: str, to: str, types: str | None, **more: Any) -> Rule:
    """A rule about touchpoints of these types (several with a space between); None is any type."""
    return Rule(name, 0, Match(None if types is None else frozenset(types.split())), to, **more)


def journey(*rules: Rule, phases: str = "interest decision purchase", dormant_ms: int | None = None) -> Journey:
    """A journey of these rules in their order."""
    names = tuple(phases.split())
    numbered = tuple(replace(one, index=n) for n, one in enumerate(rules))
    return Journey("purchase", names, numbered, dormant_ms, {phase: n for n, phase in enumerate(names)})


def topology(*journeys: Journey, **changes: Any) -> Topology:
    """The reference topology with these journeys."""
    values: dict[str, Any] = {"kinds": kinds(), "lateness_ms": 24 * HOUR, "retention_ms": 1000 * HOUR}
    return replace(REFERENCE, journeys=journeys, **(values | changes))


def touchpoint(at: float, kind_of_contact: str = "search", *identifiers: str, event_id: str | None = None, **more: Any) -> Touchpoint:
    """A touchpoint `at` hours after noon; `identifiers` as kind:value, a cookie if none is given."""
    keys = tuple(f"default/{x}" for x in identifiers or ("cookie:c",))
    occurred_at = NOON + int(at * HOUR)
    said = f"{kind_of_contact} {at} {keys} {sorted(more.items())}"
    values: dict[str, Any] = {"channel": "web", "received_at": occurred_at, "content": Ordering({}).digest(said).hex()[:16]} | more
    return Touchpoint(
        tenant="default",
        source="web",
        event_id=event_id or f"{kind_of_contact}@{at:g}",
        type=kind_of_contact,
        occurred_at=occurred_at,
        identifiers=keys,
        **values,
    )


class Desk:
    """A partition that keeps what it says; `tell` is one transaction."""

    def __init__(self, topology: Topology, store: RowStore | None = None) -> None:
        self.journeys = Journeys(topology, Readable(topology.kinds))
        self.store = store or RowStore(DictBackend(), JOURNEY_ROWS)
        self.partition = JourneyPartition(self.store, self.journeys)
        self.sent: list[Any] = []
        self.wall = 0

    def begin(self) -> tuple[Speaker, list[Moment | Customer | IdentityChange | Review]]:
        """A transaction: who speaks in it, and what is said."""
        self.wall += 1
        said: list[Moment | Customer | IdentityChange | Review] = []
        return Speaker(self.journeys, said.append, self.wall), said

    def tell(
        self, *messages: m.JourneyMessage, now: float | None = None, now_ms: int | None = None
    ) -> list[Moment | Customer | IdentityChange | Review]:
        """Handle messages, after the clock has moved to `now` (hours after noon), and commit. Returns what was said."""
        speaker, said = self.begin()
        if now is not None:
            now_ms = NOON + int(now * HOUR)
        if now_ms is not None:
            self.partition.advance(now_ms, speaker)
        for message in messages:
            self.partition.handle(message, self.sent.append, speaker)
        while self.partition.settle(self.sent.append, speaker):
            pass
        self.partition.conclude(speaker)
        self.store.seal()
        self.store.commit(self.store.offset + 1)
        return said

    def meet(self, root: str, *touchpoints: Touchpoint, now: float | None = None) -> list[Moment | Customer | IdentityChange | Review]:
        """Touchpoints arrive at a component, with the evidence that comes with them."""
        return self.tell(*(message for t in touchpoints for message in evidence(root, t)), now=now)

    def component(self, root: str) -> Component:
        """The rows of a component."""
        return Component(self.store, root)

    def people(self, root: str) -> dict[str, Person]:
        """The people of a component by customer id."""
        return {name[1:]: person for name, person in self.component(root).rows("p")}

    def timers(self) -> list[tuple[float, str]]:
        """All timers, as hours after noon."""
        return [((at - NOON) / HOUR, root) for at, root in self.store.due(1 << 62, 1000)]


def evidence(root: str, t: Touchpoint) -> list[m.JourneyMessage]:
    """What identity says of a touchpoint to the component with this root."""
    at = t.occurred_at
    return [
        *(m.AddSeen(root, x, at) for x in t.identifiers),
        *(m.AddEdge(root, weak, strong, at, at) for n, weak in enumerate(t.identifiers) for strong in t.identifiers[:n]),
        m.AddTouchpoint(root, 0, t),
    ]


def moments(said: list[Moment | Customer | IdentityChange | Review]) -> list[tuple[str, str | None, str | None, float]]:
    """The moments among what was said: action, phases, hours after noon."""
    return [(one.action, one.from_phase, one.to_phase, (one.occurred_at - NOON) / HOUR) for one in said if isinstance(one, Moment)]


def changes(said: list[Moment | Customer | IdentityChange | Review]) -> list[str]:
    """The kinds of identity changes among what was said."""
    return [one.kind for one in said if isinstance(one, IdentityChange)]

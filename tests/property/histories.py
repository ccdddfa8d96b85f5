"""Histories for the law of convergence: what happened, to whom, under which topology, and how unkind the world was meanwhile.

A history is drawn from one source of chance, so that hypothesis can shrink it and the explorer can name it by a number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests.property.actors import World
from touchstone.identity.ordering import Readable
from touchstone.model.identifier import kind_of, value_of
from touchstone.model.touchpoint import Touchpoint
from touchstone.testing.oracle import Erasure, Fact, Withdrawal, Word
from touchstone.topology.attributes import attributes_of
from touchstone.topology.compile import Consent, Damping, Journey, Matching, Output, Rule, Topology
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.topology.match import Match
from touchstone.topology.model_attributes import WrittenAttribute
from touchstone.topology.roles import Role

HOUR = 3_600_000
START = 1_700_000_000_000
KINDS = ("user_id", "email", "phone", "device_id", "cookie")
TYPES = ("ad_view", "search", "product_view", "cart_add", "order_paid", "delivered", "refund", "page_view")
CHANNELS = ("web", "web", "store")
_REFERENCE = load_topology(default_topology_path())


@dataclass(frozen=True)
class History:
    """Facts in the order in which they happened, and the world in which they become known."""

    setting: str
    facts: tuple[Fact, ...]
    end: int
    world: World
    seed: int

    @property
    def topology(self) -> Topology:
        """The topology of the setting."""
        return SETTINGS[self.setting]


def small(topology: Topology, guards: dict[str, tuple[int, int]]) -> Topology:
    """A topology with limits so small that a short history meets all of them."""
    kinds = {
        name: replace(kind, guard_stronger=guards[name][0], guard_weaker=guards[name][1]) if name in guards else kind
        for name, kind in topology.kinds.items()
    }
    kinds["email"] = replace(kinds["email"], per_person=2)
    journeys = tuple(
        replace(
            journey,
            dormant_ms=11 * HOUR,
            rules=tuple(replace(rule, absence_ms=6 * HOUR) if rule.absence_ms is not None else rule for rule in journey.rules),
        )
        for journey in topology.journeys
    )
    return replace(
        topology,
        kinds=kinds,
        journeys=journeys,
        lateness_ms=5 * HOUR,
        retention_ms=40 * HOUR,
        merges_per_person=4,
        identifiers_per_person=7,
    )


def _silences() -> Journey:
    """A journey that silence moves through all its phases, again after each contact, with deadlines that coincide with others."""

    def silent(index: int, here: str, there: str, hours: int, without: str | None = None) -> Rule:
        match = Match(frozenset({without}) if without else frozenset())
        return Rule(f"silent_{here}", index, match, there, from_phases=frozenset({here}), absence_ms=hours * HOUR)

    rules = (
        Rule("asked", 0, Match(frozenset({"search"})), "warm", from_phases=frozenset({"cool", "cold"})),
        Rule("seen", 1, Match(frozenset({"ad_view", "page_view"})), "warm"),
        silent(2, "warm", "cool", 4, "page_view"),
        silent(3, "cool", "cold", 4, "search"),
        Rule("twice", 4, Match(frozenset({"page_view"})), "hot", count=2, within_ms=4 * HOUR),
        Rule("bought", 5, Match(frozenset({"order_paid"}), frozenset({"web"})), "hot", after=frozenset({"search"}), within_ms=8 * HOUR),
        silent(6, "hot", "warm", 8),
    )
    phases = "cold", "cool", "warm", "hot"
    return Journey("attention", phases, rules, None, {phase: n for n, phase in enumerate(phases)}, Damping(1, 9 * HOUR))


def _settings() -> dict[str, Topology]:
    usual = small(_REFERENCE, {"email": (4, 4), "phone": (3, 4), "device_id": (3, 4), "cookie": (3, 4)})
    tight = small(_REFERENCE, {"email": (2, 3), "phone": (1, 2), "device_id": (1, 2), "cookie": (1, 1)})
    wide = small(_REFERENCE, dict.fromkeys(("email", "phone", "device_id", "cookie"), (20, 1000)))
    marketing = Output("marketing", "marketing", None, None, None, "marketing")
    service = Output("service", "service", None, frozenset({"transition", "timeout"}), None, "service")
    usual = replace(
        usual, outputs=(marketing, service), consents={"marketing": Consent(), "service": Consent(denial_wins=False, assumed=True)}
    )
    wide = replace(wide, outputs=(marketing, service), consents={"marketing": Consent(assumed=True), "service": Consent(denial_wins=False)})
    # Where there is little room, denials stay that the perfect observer would see replaced: no outputs there, but the folds are compared.
    return {
        "usual": usual,
        "wide": wide,
        "tight": replace(tight, merges_per_person=1, identifiers_per_person=3, retention_ms=12 * HOUR),
        "silences": replace(usual, journeys=(*usual.journeys, _silences()), retention_ms=15 * HOUR),
        "crowded": replace(usual, outputs=(), touchpoints_per_day=2, profile_bytes=100, retention_ms=20_000 * HOUR),
        "two values": replace(usual, kinds={**usual.kinds, "cookie": replace(usual.kinds["cookie"], per_person=1)}, merges_per_person=2),
        "golden": _golden(replace(usual, outputs=(), profile_bytes=400)),
        "golden, long kept": _golden(replace(usual, retention_ms=20_000 * HOUR)),
        "alike": replace(usual, matching=_matching(limit=6)),
        "alike, small blocks": replace(wide, matching=_matching(limit=3), merges_per_person=10, identifiers_per_person=20),
    }


def _matching(limit: int) -> Matching:
    """Likeness by name and birth date, in blocks so small that they are closed now and then."""
    roles: dict[str, Role] = {"full": "full_name", "born": "birth_date", "town": "city", "street": "street"}
    blocks = ("birth_date",), ("names",), ("name", "city")
    return Matching(roles, {"email": "email"}, blocks, limit, 0.9, 0.2, 3, None)


def _golden(topology: Topology) -> Topology:
    """Rules for the golden record of every kind, with birthdays inside the histories."""
    attributes = attributes_of(
        {
            "*": WrittenAttribute.model_validate({"by": ["longest", "most_frequent"]}),
            "city": WrittenAttribute.model_validate({"by": [{"source": ["crm", "shop"]}, "most_recent"]}),
            "name": WrittenAttribute.model_validate({"by": ["most_frequent", {"channel": ["store"]}]}),
            "phone": WrittenAttribute.model_validate({"multi": True, "by": [{"source": ["shop"]}]}),
            "birth": WrittenAttribute.model_validate({}),
            "age": WrittenAttribute.model_validate({"derive": {"age_of": "birth", "bands": {"young": 0, "old": 20}}}),
            "owns": WrittenAttribute.model_validate(
                {"derive": {"collect": "product", "add": {"type": "order_paid"}, "remove": {"type": "refund"}}}
            ),
            "segment": WrittenAttribute.model_validate(
                {"derive": {"cases": {"a": {"age": "old", "city": "Bonn"}, "b": {"owns": "pan"}, "c": {"age": {"exists": False}}}}}
            ),
        },
        {},
        {},
    )
    return replace(topology, attributes=attributes, recycled=frozenset({"phone", "cookie", "user_id"}))


_DESCRIPTIONS: tuple[dict[str, Any], ...] = (
    {"full": "Wilhelmina Quackenbush", "born": "1961-03-09", "town": "Ulm", "street": "Hafenweg 3"},
    {"full": "Wilhelmina Quakenbush", "born": "1961-03-09", "town": "Ulm"},
    {"full": "Quackenbush Wilhelmina", "born": "1961-09-03"},
    {"full": "Wilhelmina Quackenbush", "town": "Ulm", "street": "Hafenweg 3"},
    {"full": "W. Quackenbush", "born": "1961-03-09"},
    {"full": "Theodor Quackenbush", "born": "1988-11-30", "town": "Ulm", "street": "Hafenweg 3"},
    {"full": "Theo Quackenbush", "born": "1988-11-30", "town": "Ulm", "street": "Hafenweg 3"},
    {"full": "Ada King", "born": "1961-03-09", "town": "Bonn"},
    {"full": "", "born": "", "town": ""},
)
"""Three people and nobody: some look alike, some share a day or a house."""
SETTINGS = _settings()
ORDERING = Readable(_REFERENCE.kinds)


class _Author:
    """Makes one history up."""

    def __init__(self, random: Random, *, is_crowded: bool = False, is_golden: bool = False, is_alike: bool = False) -> None:
        self._random = random
        self._is_alike = is_alike
        self._is_golden = is_golden
        self._kinds = ("user_id", "phone") if is_crowded else KINDS
        self._names = ("city", "name", "mood") if is_crowded else ("city",)
        self._most = 2 if is_crowded else 3
        self._tenants = ("default",) if random.random() < 0.8 else ("default", "other")
        self._start = random.choice([START, START, -3 * HOUR])
        self._gaps = random.choice([(1,), (4,), (0, 1, 4), (0, 2, 4, 6, 8, 11), (1, 12)])
        self._delays = random.choice([(0, 0, 1, 8), (0,), (-3, 0, 8, 30)])
        self._values = 1 if is_crowded else random.choice([2, 3, 3, 5])
        self._touchpoints: list[Touchpoint] = []
        # The match stage keeps records in its blocks, which is not told yet of what is forgotten.
        # Where erasures cut a day in two, what a full day or a used key has turned away before would have counted after it (decision 0026).
        self._erasures = 0 if is_crowded else random.choice([0, 0, 0.05, 0.15])
        # Of few identifiers, or no two words would ever speak of one pair.
        self._words = random.choice([0.1, 0.2, 0.3] if is_alike else [0.04, 0.04, 0.1, 0.3])
        self._ruled = random.sample([f"{kind}:{i}" for kind in KINDS for i in range(2)], 4)

    def facts(self) -> tuple[Fact, ...]:
        """At least one."""
        random, at = self._random, self._start
        facts: list[Fact] = []
        for n in range(1 + random.randrange(random.choice([4, 8, 22, 22, 50]))):
            at += random.choice(self._gaps) * HOUR
            facts.append(self._fact(n, at))
        return tuple(facts)

    def _fact(self, n: int, at: int) -> Fact:
        random = self._random
        tenant, luck = random.choice(self._tenants), random.random()
        if luck < self._words:
            return self._word(at, tenant)
        if luck > 1 - self._erasures:
            return Erasure(f"x{n}", self._identifier(tenant), at)
        if luck < 0.06 + self._words and self._touchpoints:
            return self._again(random.choice(self._touchpoints))
        touchpoint = self._touchpoint(n, at, tenant)
        self._touchpoints.append(touchpoint)
        return touchpoint

    def _some(self, tenant: str) -> list[str]:
        """Identifiers that are likely to occur, all in one order."""
        return [f"{tenant}/{kind}:{i}" for kind in KINDS for i in range(3)]

    def _word(self, at: int, tenant: str) -> Fact:
        """What a steward rules, or takes back; two of them sometimes give one id, or one time, to different commands."""
        random, command = self._random, f"s{self._random.randrange(6)}"
        if random.random() < 0.25:
            return Withdrawal(f"w{random.randrange(3)}", command, at, tenant)
        drawn = random.sample([f"{tenant}/{name}" for name in self._ruled], random.choice([2, 2, 3, 4]))
        left, right = drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :]
        action = random.choice(["split", "forbid", "reject", "join", "join", "accept"])
        return Word(command, action, at, frozenset(frozenset((x, y)) for x in left for y in right), tenant)

    def _again(self, touchpoint: Touchpoint) -> Touchpoint:
        """The same statement, sent again: received at another time, and therefore corrected otherwise for the skew of the clock."""
        earlier = self._random.choice([0, 0, HOUR // 2])
        received = touchpoint.received_at + self._random.choice([-1, 1, 6]) * HOUR
        return replace_touchpoint(touchpoint, occurred_at=touchpoint.occurred_at - earlier, received_at=received)

    def _touchpoint(self, n: int, at: int, tenant: str) -> Touchpoint:
        random = self._random
        identifiers = {self._identifier(tenant) for _ in range(random.randrange(1, 1 + self._most))}
        users = sorted(x for x in identifiers if kind_of(x) == "user_id")
        identifiers -= set(users[1:])  # two would be a dead letter
        shared = None if self._erasures else random.choice([None, None, None, random.randrange(4)])
        city = random.choice([None, "Bonn", "Kiel"])
        consents = {purpose: random.random() < 0.5 for purpose in ("marketing", "service") if random.random() < 0.3}
        keys = tuple(sorted(identifiers, key=ORDERING.strength))
        channel, what = random.choice(CHANNELS), random.choice(TYPES)
        profile: dict[str, Any] = {self._names[n % len(self._names)]: city} if city else {}
        source, properties = random.choice(("web", "web", "crm")), dict[str, Any]()
        if self._is_golden:
            profile, source = self._golden_profile(), random.choice(["web", "crm", "shop"])
            what, properties = random.choice([what, "order_paid", "refund"]), {"product": random.choice(["pan", "pot", ["pan", "lid"]])}
        if self._is_alike and random.random() < 0.7:
            profile = random.choice(_DESCRIPTIONS)
        return Touchpoint(
            tenant=tenant,
            source=source,
            event_id=f"e{n}" if shared is None else f"k{shared}",
            channel=channel,
            type=what,
            occurred_at=at,
            received_at=at + random.choice(self._delays) * HOUR,
            identifiers=keys,
            content=ORDERING.digest(f"{at} {channel} {what} {keys} {profile} {properties} {consents}").hex()[:16],
            profile=profile,
            properties=properties,
            consents=consents,
            values=tuple(map(value_of, keys)),
        )

    def _golden_profile(self) -> dict[str, Any]:
        """Values of every kind, few of each, so that they win, tie and come back."""
        random = self._random
        said = {
            "city": random.choice(["Bonn", "Kiel", "Ulm"]),
            "name": random.choice(["Ann", "Anna", "A."]),
            "phone": random.choice(["1", "2", ["1", "3"], ["2", None], []]),
            "birth": random.choice(["2003-11-15", "2003-11-16", "1950-01-01", "unknown"]),
            "age": "stated",
            "mood": random.choice(["good", "bad", 3, None]),
        }
        return {name: said[name] for name in random.sample(list(said), random.randrange(4))}

    def _identifier(self, tenant: str) -> str:
        random = self._random
        return f"{tenant}/{random.choice(self._kinds)}:{random.randrange(8 if random.random() < 0.3 else self._values)}"


def replace_touchpoint(touchpoint: Touchpoint, *, occurred_at: int, received_at: int) -> Touchpoint:
    """Another sighting of the same statement."""
    values = {name: getattr(touchpoint, name) for name in touchpoint.__struct_fields__}
    return Touchpoint(**(values | {"occurred_at": occurred_at, "received_at": received_at}))


def time_of(fact: Fact) -> int:
    """When it happened."""
    return fact.occurred_at if isinstance(fact, Touchpoint) else fact.at


def draw_history(random: Random, settings: Sequence[str] = tuple(SETTINGS)) -> History:
    """Make up a history."""
    setting = random.choice(settings)
    facts = _Author(
        random, is_crowded=setting == "crowded", is_golden=setting.startswith("golden"), is_alike=setting.startswith("alike")
    ).facts()
    end = max(map(time_of, facts)) + random.choice([0, 1, 3, 11, 30, 60]) * HOUR
    world = World(
        partitions=random.choice([1, 2, 3, 5, 12]),
        replay=random.choice([0, 0, 0, 0.2]),
        crash=random.choice([0, 0, 0.2]),
        is_overtaking=random.random() < 0.5,
        local=random.choice(["none", "own", "some"]),
        piece_bytes=random.choice([1, 1, 400, 200_000]),
        hot_rows=random.choice([0, 5, 1000]),
        restart=random.choice([0, 0.1]),
        is_told_after_restart=random.random() < 0.7,
        loses_state=random.random() < 0.25,
        moves_to=random.choice([0, 0, 0, 1, 3, 4, 12]),
        recall_held=random.random() < 0.7,
        recall_first=random.random() < 0.7,
    )
    return History(setting, facts, end, world, random.randrange(1 << 30))

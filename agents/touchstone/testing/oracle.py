"""A perfect observer: all facts at once, no partitions, no messages, no order of arrival.

It shares `resolve` and the fold with the product and nothing else: no union-find, no components, no store, no short way; of consent not
even the fold, but its definition (consent.py beside). Where the live stages end elsewhere, one of the two is wrong.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from touchstone.identity.ordering import Ordering
from touchstone.identity.resolve import Evidence, People, resolve
from touchstone.identity.sharing import is_generic
from touchstone.journey.fold import winners
from touchstone.journey.policy import Journeys, customer_id_of
from touchstone.journey.recycled import tell as tell_uses
from touchstone.journey.retention import Group, expired, group_of, surplus
from touchstone.journey.settle import refold
from touchstone.model.component import NEVER, Person
from touchstone.model.identifier import kind_of, tenant_of
from touchstone.model.output import MomentContent
from touchstone.model.touchpoint import Touchpoint
from touchstone.testing.consent import Witness
from touchstone.topology.compile import Topology


@dataclass(frozen=True)
class Likeness:
    """A fact: two records look alike."""

    pair: frozenset[str]
    at: int


@dataclass(frozen=True)
class Word:
    """A fact: a steward keeps the identifiers of two groups apart (`split`, `forbid`), or says that they are one (`join`)."""

    command: str
    action: str
    at: int
    pairs: frozenset[frozenset[str]]
    tenant: str = "default"

    @property
    def content(self) -> str:
        """Tells two words apart that were given the same id."""
        return f"{self.action} {self.at} {sorted(map(sorted, self.pairs))}"


@dataclass(frozen=True)
class Withdrawal:
    """A fact: a steward takes a word back, whenever that was said, and whichever comes first."""

    command: str
    undoes: str
    at: int
    tenant: str = "default"


@dataclass(frozen=True)
class Erasure:
    """A fact: whoever has this identifier asks to be forgotten, as of then."""

    command: str
    identifier: str
    at: int


Fact = Touchpoint | Likeness | Word | Withdrawal | Erasure
Epochs = Mapping[str, int]
"""Identifier -> up to when it is forgotten."""


@dataclass
class Truth:
    """What is true at one time: people by customer id, their folds, and their moments inside the horizon; `carried`: those of them that
    each output may carry which asks for consent.
    """

    people: dict[str, frozenset[str]] = field(default_factory=dict)
    persons: dict[str, Person] = field(default_factory=dict)
    moments: dict[str, MomentContent] = field(default_factory=dict)
    carried: dict[str, dict[str, MomentContent]] = field(default_factory=dict)
    customer_ids: dict[str, str] = field(default_factory=dict)
    nobody: Mapping[str, str] = field(default_factory=dict)


def tell(facts: Iterable[Fact], topology: Topology, ordering: Ordering, as_of: int, decided: Epochs | None = None) -> Truth:
    """The truth about these facts at `as_of` (milliseconds). `decided`: what the privacy log says is forgotten.

    A decision is a fact of its own: when it was taken, other things were known than now.
    """
    journeys = Journeys(topology, ordering)
    facts = list(facts)
    touchpoints = _sightings([fact for fact in facts if isinstance(fact, Touchpoint)])
    for _, *excess in surplus(touchpoints, topology.touchpoints_per_day):
        touchpoints = [t for t in touchpoints if t not in excess]
    since, sure, generic = _gather(facts, topology)
    likely = _likely(facts, ordering)
    epochs = epochs_of(facts, decided or {})
    apart, joined = _words(facts)
    held = {(t.key, t.content, t.tenant): _anchor(t, generic) for t in touchpoints}
    horizon = as_of - topology.retention_ms
    gone = expired(touchpoints, horizon, topology.keep)
    touchpoints = [t for t in touchpoints if t not in gone and not _is_erased(t, held[t.key, t.content, t.tenant], epochs)]
    anchors = {t.identifiers[held[t.key, t.content, t.tenant]] for t in touchpoints}
    times = _last_times(facts, ordering)
    seen = {x for x in since if times[x, x] > _epoch(epochs, x)}
    known = {(x, y) for x, y in sure if times[x, y] > max(_epoch(epochs, x), _epoch(epochs, y))}
    ghosts = Counter(x for x, y in sure if _epoch(epochs, x) < times[x, y] <= _epoch(epochs, y) and y not in generic)
    likely = {(x, y) for x, y in likely if times["likely", x, y] > max(_epoch(epochs, x), _epoch(epochs, y))}
    people = resolve(Evidence(seen, known, likely, generic, apart, anchors, joined, ghosts), journeys.limits)
    return _view(people, since, touchpoints, held, journeys, as_of, epochs)


def reached_by(erasure: Erasure, facts: Iterable[Fact], topology: Topology, ordering: Ordering, as_of: int) -> frozenset[str]:
    """Whom the request of somebody reaches: all that belonged to that person by what is known now of the time up to then."""
    facts, until = list(facts), erasure.at
    touchpoints = _sightings([fact for fact in facts if isinstance(fact, Touchpoint)])
    since, _, generic = _gather(facts, topology)
    before: list[Fact] = [fact for fact in facts if isinstance(fact, Touchpoint | Likeness) and _time(fact) <= until]
    _, sure, _ = _gather(before, topology)
    horizon = as_of - topology.retention_ms
    gone = expired(touchpoints, horizon, topology.keep)
    anchors = {t.identifiers[_anchor(t, generic)] for t in touchpoints if t not in gone}
    joins = [fact for fact in facts if not isinstance(fact, Word) or fact.action != "join" or fact.at <= until]
    apart, joined = _words(facts)[0], _words(joins)[1]
    evidence = Evidence(since.keys(), sure, _likely(before, ordering), generic, apart, anchors, joined)
    people = resolve(evidence, Journeys(topology, ordering).limits)
    return next((group for group in people.groups if erasure.identifier in group), frozenset({erasure.identifier}))


def epochs_of(facts: Iterable[Fact], decided: Epochs) -> dict[str, int]:
    """Up to when each identifier is forgotten: whoever asked, and whom the decisions name."""
    epochs = dict(decided)
    for fact in facts:
        if isinstance(fact, Erasure):
            epochs[fact.identifier] = max(fact.at, _epoch(epochs, fact.identifier))
    return epochs


def _epoch(epochs: Epochs, x: str) -> int:
    return epochs.get(x, NEVER)


def _is_erased(touchpoint: Touchpoint, index: int, epochs: Epochs) -> bool:
    return any(_epoch(epochs, x) >= touchpoint.occurred_at for x in touchpoint.identifiers[: index + 1])


def _time(fact: Touchpoint | Likeness) -> int:
    return fact.occurred_at if isinstance(fact, Touchpoint) else fact.at


def _last_times(facts: list[Fact], ordering: Ordering) -> dict[tuple[str, ...], int]:
    """When each identifier was last seen (x, x), each pair together (weak, strong), or found alike (likely, weak, strong)."""
    times: dict[tuple[str, ...], int] = {}
    for fact in facts:
        pairs: list[tuple[str, ...]] = []
        if isinstance(fact, Touchpoint):
            pairs = [(x, y) for n, x in enumerate(fact.identifiers) for y in fact.identifiers[: n + 1]]
        elif isinstance(fact, Likeness):
            strong, weak = sorted(fact.pair, key=ordering.strength)
            pairs = [(strong, strong), (weak, weak), ("likely", weak, strong)]
        else:
            continue
        for pair in pairs:
            times[pair] = max(times.get(pair, NEVER), _time(fact))
    return times


def _sightings(touchpoints: list[Touchpoint]) -> list[Touchpoint]:
    """Of statements under one key about the same identifiers on one day the one that counts; of equal ones the earliest sighting."""
    best: dict[tuple[str, str, Group], Touchpoint] = {}
    for t in sorted(touchpoints, key=lambda t: (t.occurred_at, t.content, t.received_at)):
        best.setdefault((t.tenant, t.key, group_of(t)), t)
    return list(best.values())


def _gather(facts: list[Fact], topology: Topology) -> tuple[dict[str, int], set[tuple[str, str]], set[str]]:
    since: dict[str, int] = {}
    up: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    down: dict[str, set[str]] = defaultdict(set)
    sure: set[tuple[str, str]] = set()
    for fact in facts:
        names = fact.identifiers if isinstance(fact, Touchpoint) else tuple(fact.pair) if isinstance(fact, Likeness) else ()
        for n, x in enumerate(names):
            known = max(fact.occurred_at, fact.received_at - topology.lateness_ms) if isinstance(fact, Touchpoint) else fact.at
            since[x] = min(since.get(x, known), known)
            for strong in names[:n] if isinstance(fact, Touchpoint) else ():
                sure.add((x, strong))
                up[x][kind_of(strong)].add(strong)
                down[strong].add(x)
    counts = {x: {kind: len(met) for kind, met in up[x].items()} for x in since}
    return since, sure, {x for x in since if is_generic(topology.kinds[kind_of(x)], counts[x], len(down[x]))}


def _likely(facts: list[Fact], ordering: Ordering) -> set[tuple[str, str]]:
    pairs = [sorted(fact.pair, key=ordering.strength) for fact in facts if isinstance(fact, Likeness)]
    return {(weak, strong) for strong, weak in pairs}


def _words(facts: list[Fact]) -> tuple[set[frozenset[str]], set[frozenset[str]]]:
    """Who is kept apart, and who is joined: the last word about each pair that was not taken back."""
    withdrawn = {(fact.tenant, fact.undoes) for fact in facts if isinstance(fact, Withdrawal)}
    words = [fact for fact in facts if isinstance(fact, Word) and (fact.tenant, fact.command) not in withdrawn]
    last: dict[frozenset[str], str] = {}
    for word in sorted(words, key=lambda word: (word.at, word.command, word.content)):
        last.update(dict.fromkeys(word.pairs, word.action))
    return {pair for pair, action in last.items() if action != "join"}, {pair for pair, action in last.items() if action == "join"}


def _anchor(touchpoint: Touchpoint, generic: set[str]) -> int:
    usable = (n for n, x in enumerate(touchpoint.identifiers) if x not in generic)
    return next(usable, len(touchpoint.identifiers) - 1)


def _view(
    people: People,
    since: dict[str, int],
    touchpoints: list[Touchpoint],
    held: dict[tuple[str, str, str], int],
    journeys: Journeys,
    as_of: int,
    epochs: Epochs,
) -> Truth:
    truth = Truth(nobody=people.nobody)
    for group in people.groups:
        oldest = min(group, key=lambda x: (max(since[x], _epoch(epochs, x)), journeys.ordering.strength(x)))
        customer_id = customer_id_of(journeys.ordering, oldest, is_nobody=oldest in people.nobody, epoch=epochs.get(oldest))
        truth.people[customer_id] = group
        truth.customer_ids.update(dict.fromkeys(group, customer_id))
    owned: dict[str, list[Touchpoint]] = defaultdict(list)
    for t in touchpoints:
        usable = t.identifiers[held[t.key, t.content, t.tenant] :]
        alive = (x for x in usable if x in truth.customer_ids and x not in people.nobody and _epoch(epochs, x) < t.occurred_at)
        owner = next(alive, usable[0])
        if owner in truth.customer_ids:
            owned[truth.customer_ids[owner]].append(t)
    horizon = as_of - journeys.topology.retention_ms
    for customer_id, group in truth.people.items():
        is_nobody = not group.isdisjoint(people.nobody)
        tenant = tenant_of(min(group))
        person, moments = refold(journeys, tenant, customer_id, group, owned[customer_id], as_of, is_nobody=is_nobody)
        truth.persons[customer_id] = person
        moments = {name: content for name, content in moments.items() if content.occurred_at >= horizon}
        truth.moments.update(moments)
        for output in journeys.topology.asking:
            witness = Witness(winners(owned[customer_id]), group, output.purpose or "", journeys.topology.consents[output.purpose or ""])
            carried = {name: c for name, c in moments.items() if output.wants(c) and witness.agrees(c.occurred_at)}
            truth.carried.setdefault(output.name, {}).update(carried)
    if journeys.recycled:
        deque(tell_uses(truth.persons, people.nobody), maxlen=0)
    return truth

"""A perfect observer: all facts at once, no partitions, no messages, no order of arrival.

It shares `resolve` and the fold with the product and nothing else: no union-find, no components, no store, no short way; of consent not
even the fold, but its definition (consent.py beside). Where the live stages end elsewhere, one of the two is wrong.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from touchstone.identity.ordering import Ordering
from touchstone.identity.resolve import Evidence, Likely, People, resolve
from touchstone.identity.sharing import is_generic
from touchstone.intake.describe import Describer
from touchstone.journey.fold import winners
from touchstone.journey.policy import Journeys, customer_id_of
from touchstone.journey.recycled import tell as tell_uses
from touchstone.journey.refold import refold
from touchstone.journey.retention import Group, expired, group_of, surplus
from touchstone.matching.judge import judge_of
from touchstone.matching.records import Record
from touchstone.model.command import joins as says_one
from touchstone.model.component import NEVER, Person
from touchstone.model.identifier import kind_of
from touchstone.model.output import MomentContent
from touchstone.model.touchpoint import Touchpoint
from touchstone.testing.consent import Witness
from touchstone.topology.compile import Topology


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


Fact = Touchpoint | Word | Withdrawal | Erasure
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
    reviews: dict[tuple[str, ...], tuple[str, str]] = field(default_factory=dict)
    """(weaker, stronger identifier) -> status and why, of those that wait for a steward or were decided by one."""


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
    epochs = epochs_of(facts, decided or {})
    found = _alike(facts, topology, ordering, epochs)
    likely, records = found.accepted, found.records
    apart, joined = _words(facts)
    held = {(t.key, t.content, t.tenant): _anchor(t, generic) for t in touchpoints}
    horizon = as_of - topology.retention_ms
    gone = expired(touchpoints, horizon, topology.keep)
    touchpoints = [t for t in touchpoints if t not in gone and not _is_erased(t, held[t.key, t.content, t.tenant], epochs)]
    anchors = {t.identifiers[held[t.key, t.content, t.tenant]] for t in touchpoints}
    times = _last_times(facts)
    seen = {x for x in since if times[x, x] > _epoch(epochs, x)}
    known = {(x, y) for x, y in sure if times[x, y] > max(_epoch(epochs, x), _epoch(epochs, y))}
    ghosts = Counter(x for x, y in sure if _epoch(epochs, x) < times[x, y] <= _epoch(epochs, y) and y not in generic)
    people = resolve(Evidence(seen, known, likely, generic, apart, anchors, joined, records, ghosts), journeys.limits)
    truth = _view(people, since, touchpoints, held, journeys, as_of, epochs)
    truth.reviews = _reviews(found, people, truth.customer_ids, apart, joined)
    return truth


def reached_by(erasure: Erasure, facts: Iterable[Fact], topology: Topology, ordering: Ordering, as_of: int) -> frozenset[str]:
    """Whom the request of somebody reaches: all that belonged to that person by what is known now of the time up to then."""
    facts, until = list(facts), erasure.at
    touchpoints = _sightings([fact for fact in facts if isinstance(fact, Touchpoint)])
    since, _, generic = _gather(facts, topology)
    _, sure, _ = _gather([fact for fact in facts if isinstance(fact, Touchpoint) and fact.occurred_at <= until], topology)
    horizon = as_of - topology.retention_ms
    gone = expired(touchpoints, horizon, topology.keep)
    anchors = {t.identifiers[_anchor(t, generic)] for t in touchpoints if t not in gone}
    joins = [fact for fact in facts if not isinstance(fact, Word) or not says_one(fact.action) or fact.at <= until]
    apart, joined = _words(facts)[0], _words(joins)[1]
    evidence = Evidence(since.keys(), sure, (), generic, apart, anchors, joined)
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


def _last_times(facts: list[Fact]) -> dict[tuple[str, str], int]:
    """When each identifier was last seen (x, x), and each pair together (weak, strong)."""
    times: dict[tuple[str, str], int] = {}
    for fact in facts:
        names = fact.identifiers if isinstance(fact, Touchpoint) else ()
        for pair in ((x, y) for n, x in enumerate(names) for y in names[: n + 1]):
            times[pair] = max(times.get(pair, NEVER), fact.occurred_at) if isinstance(fact, Touchpoint) else NEVER
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
        if not isinstance(fact, Touchpoint):
            continue
        for n, x in enumerate(fact.identifiers):
            known = max(fact.occurred_at, fact.received_at - topology.lateness_ms)
            since[x] = min(since.get(x, known), known)
            for strong in fact.identifiers[:n]:
                sure.add((x, strong))
                up[x][kind_of(strong)].add(strong)
                down[strong].add(x)
    counts = {x: {kind: len(met) for kind, met in up[x].items()} for x in since}
    return since, sure, {x for x in since if is_generic(topology.kinds[kind_of(x)], counts[x], len(down[x]))}


@dataclass
class _Found:
    """What looks alike: `accepted` enough to count, with the records that it goes by; `best`: of every pair the best score."""

    accepted: list[Likely] = field(default_factory=list)
    records: dict[str, dict[str, Mapping[str, str]]] = field(default_factory=lambda: defaultdict(dict))
    best: dict[tuple[str, str], float] = field(default_factory=dict)
    accept: float = 0.0


def _alike(facts: list[Fact], topology: Topology, ordering: Ordering, epochs: Epochs) -> _Found:
    """All pairs of records that meet in a block of bearable size and look alike."""
    found = _Found()
    if topology.matching is None:
        return found
    alike, describer = judge_of(topology.matching), Describer(topology.matching, ordering.digest)
    found.accept = alike.accept
    blocks: dict[str, dict[tuple[str, str], Record]] = defaultdict(dict)
    alive: set[tuple[str, str]] = set()
    for fact in facts:
        said = describer.describe_anew(fact, lambda _: False) if isinstance(fact, Touchpoint) else None
        if said is None:
            continue
        described = said.described
        for block in said.blocks:
            blocks[block][described.identifier, described.record] = Record(described.record, described.values)
        if all(_epoch(epochs, x) < described.at for x in (said.to, *said.lenders)):
            alive.add((described.identifier, described.record))
    pairs = {
        (weak, strong): (inside[weak], inside[strong])
        for inside in blocks.values()
        for strong, weak in combinations(sorted(inside, key=lambda name: (ordering.strength(name[0]), name)), 2)
        if len(inside) <= topology.matching.limit
        and weak[0] != strong[0]
        and {weak, strong} <= alive
        and not (topology.kinds[kind_of(weak[0])].unique and kind_of(weak[0]) == kind_of(strong[0]))
    }
    for (weak, strong), couple in pairs.items():
        score = alike.score_pair(*couple)
        if score < alike.review:
            continue
        pair = weak[0], strong[0]
        found.best[pair] = max(score, found.best.get(pair, score))
        if score >= alike.accept:
            found.accepted.append(Likely(*pair, score, (weak[1], strong[1])))
            for (x, name), record in zip((weak, strong), couple, strict=True):
                found.records[x][name] = record.values
    return found


def _reviews(
    found: _Found, people: People, home: Mapping[str, str], apart: set[frozenset[str]], joined: set[frozenset[str]]
) -> dict[tuple[str, ...], tuple[str, str]]:
    """Who waits for a steward, and what she has decided."""
    reviews: dict[tuple[str, ...], tuple[str, str]] = {}
    for pair, score in found.best.items():
        why = "score" if score < found.accept else people.unlikely.get(pair, "")
        if frozenset(pair) in apart | joined:
            reviews[pair] = "rejected" if frozenset(pair) in apart else "accepted", why
        elif home.get(pair[0]) != home.get(pair[1]) and why in {"score", "support", "ambiguous", "neighbours"}:
            reviews[pair] = "open", why
    return reviews


def _words(facts: list[Fact]) -> tuple[set[frozenset[str]], set[frozenset[str]]]:
    """Who is kept apart, and who is joined: the last word about each pair that was not taken back."""
    withdrawn = {(fact.tenant, fact.undoes) for fact in facts if isinstance(fact, Withdrawal)}
    words = [fact for fact in facts if isinstance(fact, Word) and (fact.tenant, fact.command) not in withdrawn]
    last: dict[frozenset[str], str] = {}
    for word in sorted(words, key=lambda word: (word.at, word.command, word.content)):
        last.update(dict.fromkeys(word.pairs, word.action))
    joined = {pair for pair, action in last.items() if action in {"join", "accept"}}
    return last.keys() - joined, joined


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
    origins: dict[str, str] = {}
    for group in people.groups:
        oldest = min(group, key=lambda x: (max(since[x], _epoch(epochs, x)), journeys.ordering.strength(x)))
        customer_id = customer_id_of(journeys.ordering, oldest, is_nobody=oldest in people.nobody, epoch=epochs.get(oldest))
        truth.people[customer_id] = group
        origins[customer_id] = oldest
        truth.customer_ids.update(dict.fromkeys(group, customer_id))
    owned: dict[str, list[Touchpoint]] = defaultdict(list)
    owned_by: dict[int, str] = {}
    for t in touchpoints:
        usable = t.identifiers[held[t.key, t.content, t.tenant] :]
        alive = (x for x in usable if x in truth.customer_ids and x not in people.nobody and _epoch(epochs, x) < t.occurred_at)
        owner = next(alive, usable[0])
        if owner in truth.customer_ids:
            owned[truth.customer_ids[owner]].append(t)
        owned_by[id(t)] = owner
    horizon = as_of - journeys.topology.retention_ms
    for customer_id, group in truth.people.items():
        is_nobody = not group.isdisjoint(people.nobody)
        core = people.surely.get(origins[customer_id], frozenset())
        surely = [t for t in owned[customer_id] if owned_by[id(t)] in core]
        person, moments = refold(journeys, customer_id, group, owned[customer_id], as_of, is_nobody=is_nobody, core=core, surely=surely)
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

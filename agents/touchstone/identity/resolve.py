"""Evidence of a component -> people. Pure: the same evidence gives the same people, whatever the order in which it came.

Strongest identifier first: people exist before the weak ask to join them. An identifier that meets more people than its kind may
unite, or that would break a limit, belongs to nobody: not to the first comer. Correlation clustering with a fixed vertex order is the
nearest relative (Ailon, Charikar, Newman 2008: pivot by a random order); the limits are ours.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from touchstone.identity.ordering import Strength
from touchstone.model.identifier import kind_of
from touchstone.topology.compile import IdentifierKind

GENERIC = "generic"
PERSONS = "persons"
MERGE_LIMIT = "merge_limit"
APART = "apart"
"""An identifier met people whom a steward keeps apart from each other: it belongs to none of them."""
REFUSED_APART = "forbid"
"""A steward keeps the identifier itself from people whom it met: it stays with whom else it belongs to, or alone."""


class Likely(NamedTuple):
    """Two identifiers whose records look alike enough to be one person's: by so many bits, and by which record of each."""

    weak: str
    strong: str
    score: float
    records: tuple[str, str]


@dataclass(slots=True)
class Evidence:
    """What is known about identifiers: who was seen, who belongs with whom (weak, strong), who unites nobody, who is kept apart.

    `anchors` are the identifiers that hold touchpoints: the people whose number the merge limit counts. `joined` are the pairs of which a
    steward says that they are one person. `ghosts`: how many others, forgotten since, an identifier has met: they still count where it is
    judged whether it is shared.
    """

    seen: AbstractSet[str]
    sure: AbstractSet[tuple[str, str]] = field(default_factory=set)
    likely: Collection[Likely] = ()
    generic: AbstractSet[str] = field(default_factory=set)
    apart: AbstractSet[frozenset[str]] = field(default_factory=set)
    anchors: AbstractSet[str] = field(default_factory=set)
    joined: AbstractSet[frozenset[str]] = field(default_factory=set)
    records: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    ghosts: Mapping[str, int] = field(default_factory=dict)


class Protection(Protocol):
    """What keeps people apart whom a likeness alone would unite."""

    def why_not(self, likely: Likely, ones: AbstractSet[str], others: AbstractSet[str]) -> str | None:
        """The rule that forbids to unite the identifiers `ones` (of `likely.weak`) and `others`, or None."""
        ...

    def take(self, likely: Likely) -> None:
        """The likeness counts."""
        ...


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits of a person, from the topology. `protect`: what asks more of a likeness than its score."""

    kinds: Mapping[str, IdentifierKind]
    identifiers_per_person: int
    merges_per_person: int
    strength: Callable[[str], Strength]
    protect: Callable[[Evidence], Protection] | None = None


@dataclass(frozen=True, slots=True)
class People:
    """`groups`: the people. `nobody`: identifiers that belong to nobody, each alone in its group, with the reason.

    `refused`: identifiers that stayed what they were because a limit or a steward forbade a merge. `met`: of these and those, whom else
    they met, one identifier of each person. `unjoined`: pairs that a steward joined all the same in vain, with the rule that forbids it.
    `unlikely`: pairs that look alike and are not united, with the rule. `surely`: identifiers whose person was united by likeness -> who
    would be that person without.
    """

    groups: tuple[frozenset[str], ...]
    nobody: Mapping[str, str]
    refused: Mapping[str, str]
    met: Mapping[str, tuple[str, ...]]
    unjoined: Mapping[frozenset[str], str] = field(default_factory=dict)
    unlikely: Mapping[tuple[str, str], str] = field(default_factory=dict)
    surely: Mapping[str, frozenset[str]] = field(default_factory=dict)


def resolve(evidence: Evidence, policy: Policy) -> People:
    """Tell the people of a component."""
    return _Resolution(evidence, policy).people()


class _Group:
    """Identifiers that are one person so far, with what the limits ask of them, so that uniting two costs what the smaller one holds."""

    __slots__ = ("anchors", "kept_apart", "kinds", "members", "pardoned")

    def __init__(self, x: str, *, is_anchor: bool, is_kept_apart: bool) -> None:
        self.members = {x}
        self.kinds = {kind_of(x): 1}
        self.anchors = int(is_anchor)
        self.pardoned = 0
        self.kept_apart = {x} if is_kept_apart else set[str]()

    def take_in(self, other: "_Group") -> None:
        self.members |= other.members
        for kind, number in other.kinds.items():
            self.kinds[kind] = self.kinds.get(kind, 0) + number
        self.anchors += other.anchors
        self.pardoned += other.pardoned
        self.kept_apart |= other.kept_apart


class _Resolution:
    """One run of resolve: who is together so far, and who was refused."""

    def __init__(self, evidence: Evidence, policy: Policy) -> None:
        self._evidence = evidence
        self._policy = policy
        self._group: dict[str, _Group] = {}
        self._nobody: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._met: dict[str, tuple[str, ...]] = {}
        self._unjoined: dict[frozenset[str], str] = {}
        self._unlikely: dict[tuple[str, str], str] = {}
        self._surely: dict[str, frozenset[str]] = {}
        self._apart: dict[str, set[str]] = defaultdict(set)
        for pair in evidence.apart:
            for x in pair:
                self._apart[x] |= pair - {x}

    def people(self) -> People:
        evidence, strength = self._evidence, self._policy.strength
        stronger: dict[str, list[str]] = defaultdict(list)
        for weak, strong in evidence.sure:
            if strong not in evidence.generic:
                stronger[weak].append(strong)
        joined: dict[str, list[str]] = defaultdict(list)
        for strong, weak in (sorted(pair, key=strength) for pair in evidence.joined):
            joined[weak].append(strong)
        for x in sorted(evidence.seen, key=strength):
            self._join(x, stronger.get(x, ()))
            for strong in sorted(joined.get(x, ()), key=strength):
                self._join_by_word(x, strong)
        if evidence.likely:
            self._join_all_likely()
        groups = tuple(frozenset(group.members) for group in dict.fromkeys(self._group.values()))
        return People(groups, self._nobody, self._refused, self._met, self._unjoined, self._unlikely, self._surely)

    def _join(self, x: str, stronger: list[str] | tuple[str, ...]) -> None:
        alone = self._group[x] = _Group(x, is_anchor=x in self._evidence.anchors, is_kept_apart=x in self._apart)
        if x in self._evidence.generic:
            self._nobody[x] = GENERIC
            return
        met = {self._group[y] for y in stronger if y in self._group and y not in self._nobody}
        # Where a steward keeps x itself from somebody, its claim to her counts no more; it may still belong to the others whom it met.
        overruled = {self._group[y] for y in self._apart.get(x, ()) if y in self._group} & met
        if overruled:
            self._refused[x] = REFUSED_APART
            self._met[x] = tuple(sorted(min(group.members) for group in overruled))
        met -= overruled
        is_shared = len(met) + self._evidence.ghosts.get(x, 0) > self._policy.kinds[kind_of(x)].persons
        if not met:
            if is_shared:
                self._refused.pop(x, None)
                self._nobody[x] = PERSONS
            return
        why = PERSONS if is_shared else self._forbidden({alone, *met})
        if why is None:
            self._unite({alone, *met})
            return
        self._met[x] = tuple(sorted(min(group.members) for group in met))
        if why == MERGE_LIMIT:
            self._refused[x] = why
        else:
            self._refused.pop(x, None)
            self._nobody[x] = why

    def _join_by_word(self, x: str, strong: str) -> None:
        """A steward's word outweighs how many people an identifier may unite, and is no merge that the limit counts; all else holds."""
        if strong not in self._group:
            return
        why = self._nobody.get(strong) or (GENERIC if x in self._evidence.generic else None)
        groups = {self._group[x], self._group[strong]}
        if why is None and len(groups) > 1:
            why = self._forbidden(groups, is_by_word=True)
        if why is not None:
            self._unjoined[frozenset((x, strong))] = why
            return
        self._unite(groups)
        home = self._group[x]
        home.pardoned += sum(group.anchors > 0 for group in groups) - 1 if len(groups) > 1 else 0
        if self._nobody.pop(x, None) or self._refused.get(x) == MERGE_LIMIT:
            self._refused.pop(x, None)
            self._met.pop(x, None)

    def _join_all_likely(self) -> None:
        """Best score first: what looks most alike is united before anything else can speak against it."""
        policy, strength = self._policy, self._policy.strength
        protection = None if policy.protect is None else policy.protect(self._evidence)
        ordered = sorted(self._evidence.likely, key=lambda one: (-one.score, strength(one.strong), strength(one.weak), one.records))
        for likely in ordered:
            why = self._join_likely(likely, protection)
            if why is not None:
                self._unlikely.setdefault((likely.weak, likely.strong), why)
        for pair in [pair for pair in self._unlikely if self._group.get(pair[0]) is self._group.get(pair[1])]:
            del self._unlikely[pair]  # others have united them

    def _join_likely(self, likely: Likely, protection: Protection | None) -> str | None:
        weak, strong = likely.weak, likely.strong
        if weak not in self._group or strong not in self._group:
            return None
        why = self._nobody.get(weak) or self._nobody.get(strong)
        if why is not None:
            return why
        ones, others = self._group[weak], self._group[strong]
        if ones is not others:
            why = self._forbidden({ones, others})
            if why is None and protection is not None:
                why = protection.why_not(likely, ones.members, others.members)
            if why is not None:
                return why
            for group in (ones, others):
                if next(iter(group.members)) not in self._surely:
                    members = frozenset(group.members)
                    self._surely.update(dict.fromkeys(members, members))
            self._unite({ones, others})
        if protection is not None:
            protection.take(likely)
        return None

    def _unite(self, groups: set[_Group]) -> None:
        largest = max(groups, key=lambda group: len(group.members))
        for group in groups - {largest}:
            largest.take_in(group)
            self._group.update(dict.fromkeys(group.members, largest))

    def _forbidden(self, groups: set[_Group], *, is_by_word: bool = False) -> str | None:
        """The rule that keeps these from being one person, or None."""
        policy = self._policy
        for kind, limits in policy.kinds.items():
            number = sum(group.kinds.get(kind, 0) for group in groups)
            if limits.unique and number > 1:
                return "unique:" + kind
            if limits.per_person is not None and number > limits.per_person:
                return "per_person:" + kind
        if sum(len(group.members) for group in groups) > policy.identifiers_per_person:
            return "identifiers_per_person"
        if any(self._group.get(y) in groups for group in groups for x in group.kept_apart for y in self._apart[x]):
            return APART
        if not is_by_word and sum(group.anchors - group.pardoned for group in groups) - 1 > policy.merges_per_person:
            return MERGE_LIMIT
        return None

"""Evidence of a component -> people. Pure: the same evidence gives the same people, whatever the order in which it came.

Strongest identifier first: people exist before the weak ask to join them. An identifier that meets more people than its kind may
unite, or that would break a limit, belongs to nobody: not to the first comer. Correlation clustering with a fixed vertex order is the
nearest relative (Ailon, Charikar, Newman 2008: pivot by a random order); the limits are ours.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from touchstone.identity.ordering import Strength
from touchstone.model.identifier import kind_of
from touchstone.topology.compile import IdentifierKind

GENERIC = "generic"
PERSONS = "persons"
MERGE_LIMIT = "merge_limit"


@dataclass(slots=True)
class Evidence:
    """What is known about identifiers: who was seen, who belongs with whom (weak, strong), who unites nobody, who is kept apart.

    `anchors` are the identifiers that hold touchpoints: the people whose number the merge limit counts.
    """

    seen: AbstractSet[str]
    sure: AbstractSet[tuple[str, str]] = field(default_factory=set)
    likely: AbstractSet[tuple[str, str]] = field(default_factory=set)
    generic: AbstractSet[str] = field(default_factory=set)
    apart: AbstractSet[frozenset[str]] = field(default_factory=set)
    anchors: AbstractSet[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits of a person, from the topology."""

    kinds: Mapping[str, IdentifierKind]
    identifiers_per_person: int
    merges_per_person: int
    strength: Callable[[str], Strength]


@dataclass(frozen=True, slots=True)
class People:
    """`groups`: the people. `nobody`: identifiers that belong to nobody, each alone in its group, with the reason.

    `refused`: identifiers that stayed what they were because a limit forbade a merge. `met`: of these and those, whom else they met,
    one identifier of each person.
    """

    groups: tuple[frozenset[str], ...]
    nobody: Mapping[str, str]
    refused: Mapping[str, str]
    met: Mapping[str, tuple[str, ...]]


def resolve(evidence: Evidence, policy: Policy) -> People:
    """Tell the people of a component."""
    return _Resolution(evidence, policy).people()


class _Resolution:
    """One run of resolve: who is together so far, and who was refused."""

    def __init__(self, evidence: Evidence, policy: Policy) -> None:
        self._evidence = evidence
        self._policy = policy
        self._person: dict[str, frozenset[str]] = {}
        self._nobody: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._met: dict[str, tuple[str, ...]] = {}
        self._apart_of: dict[str, list[frozenset[str]]] = defaultdict(list)
        for pair in evidence.apart:
            for x in pair:
                self._apart_of[x].append(pair)

    def people(self) -> People:
        evidence, strength = self._evidence, self._policy.strength
        stronger: dict[str, list[str]] = defaultdict(list)
        for weak, strong in evidence.sure:
            if strong not in evidence.generic:
                stronger[weak].append(strong)
        for x in sorted(evidence.seen, key=strength):
            self._join(x, stronger.get(x, ()))
        for weak, strong in sorted(evidence.likely, key=lambda pair: (strength(pair[1]), strength(pair[0]))):
            self._join_likely(weak, strong)
        return People(tuple(dict.fromkeys(self._person.values())), self._nobody, self._refused, self._met)

    def _join(self, x: str, stronger: list[str] | tuple[str, ...]) -> None:
        alone = frozenset((x,))
        self._person[x] = alone
        if x in self._evidence.generic:
            self._nobody[x] = GENERIC
            return
        met = {self._person[y] for y in stronger if y in self._person and y not in self._nobody}
        if not met:
            return
        members = alone.union(*met)
        why = PERSONS if len(met) > self._policy.kinds[kind_of(x)].persons else self._forbidden(members)
        if why is None:
            self._unite(members)
            return
        self._met[x] = tuple(min(person) for person in met)
        if why == MERGE_LIMIT:
            self._refused[x] = why
        else:
            self._nobody[x] = why

    def _join_likely(self, weak: str, strong: str) -> None:
        if weak not in self._person or strong not in self._person or weak in self._nobody or strong in self._nobody:
            return
        members = self._person[weak] | self._person[strong]
        if len(members) > len(self._person[weak]) and not self._forbidden(members):
            self._unite(members)

    def _unite(self, members: frozenset[str]) -> None:
        for x in members:
            self._person[x] = members

    def _forbidden(self, members: frozenset[str]) -> str | None:
        """The rule that keeps these identifiers from being one person, or None."""
        policy, count = self._policy, defaultdict[str, int](int)
        for x in members:
            count[kind_of(x)] += 1
        for kind, number in count.items():
            limits = policy.kinds[kind]
            if limits.unique and number > 1:
                return "unique:" + kind
            if limits.per_person is not None and number > limits.per_person:
                return "per_person:" + kind
        if len(members) > policy.identifiers_per_person:
            return "identifiers_per_person"
        if self._apart_of and any(pair <= members for x in members for pair in self._apart_of.get(x, ())):
            return "apart"
        if (
            len(self._evidence.anchors) > policy.merges_per_person
            and sum(x in self._evidence.anchors for x in members) - 1 > policy.merges_per_person
        ):
            return MERGE_LIMIT
        return None

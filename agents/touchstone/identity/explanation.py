"""Why two identifiers are one person, or why not: the path of evidence between them, and what was refused. Pure.

It asks `resolve` and shows what that went by; it decides nothing itself.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from touchstone.identity.evidence import NO_LIKENESSES, Likenesses
from touchstone.identity.resolve import Evidence, People, Policy, resolve
from touchstone.model.command import JOIN, joins, pair_of
from touchstone.model.component import Edge, Likeness, Ruling

SCORE = "score"
"""They look alike, but less than acceptance asks for."""
NEIGHBOURS = "neighbours"
"""One of the two resembles everybody."""
CLOSED = "closed"
"""They met only in blocks that are closed now: so many share what they share that it says nothing."""


@dataclass(frozen=True)
class Resemblance:
    """How alike two are, in bits, and by which record of each: its values, empty where it is gone."""

    score: float
    values: tuple[Mapping[str, str], Mapping[str, str]]

    def turned(self) -> "Resemblance":
        """The same, seen from the other."""
        return Resemblance(self.score, (self.values[1], self.values[0]))


@dataclass(frozen=True)
class Step:
    """One claim on a path, from `left` to `right`. `by`: sure (seen together), likely (alike), join or accept (a steward's command).

    `first` and `last`: when they were seen together (milliseconds). `touchpoint`: the last held that names both, `command`: that of a
    join. `refused`: the rule because of which it unites nobody; None where it counts. `alike`: of a likely one, how much and by what.
    """

    left: str
    right: str
    by: str
    first: int
    last: int
    touchpoint: str | None
    command: str | None
    refused: str | None
    alike: Resemblance | None = None


@dataclass(frozen=True)
class Explanation:
    """`verdict`: one (they are one person), two (they are not), unrelated (nothing leads from one to the other), unknown (one was never seen).

    `path`: from the first to the second, over claims that count where they are one. `kept_apart`: standing rulings between the two people.
    `nobody`: identifiers on the path that belong to nobody, with the rule.
    """

    first: str
    second: str
    verdict: str
    path: tuple[Step, ...] = ()
    kept_apart: tuple[Ruling, ...] = ()
    nobody: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Known:
    """What a component knows: its evidence, the claims with their times, who named which pair, which rulings stand, who looks alike.

    `accept`: from so many bits on a likeness counts.
    """

    evidence: Evidence
    policy: Policy
    edges: tuple[Edge, ...]
    rulings: tuple[Ruling, ...]
    named_by: Mapping[tuple[str, str], str]
    likenesses: Likenesses = NO_LIKENESSES
    accept: float = 0.0

    def people(self) -> People:
        """As they are."""
        return resolve(self.evidence, self.policy)


def explain(known: Known, first: str, second: str) -> Explanation:
    """Why these two are one person, or why not."""
    people = known.people()
    home = {x: number for number, group in enumerate(people.groups) for x in group}
    if first not in home or second not in home:
        return Explanation(first, second, "unknown")
    steps = _steps(known, people, home)
    is_one = home[first] == home[second]
    path = _shortest(first, second, [step for step in steps if step.refused is None] if is_one else steps)
    if is_one:
        return Explanation(first, second, "one", path)
    sides = home[first], home[second]
    apart = tuple(r for r in known.rulings if not joins(r.action) and {home.get(x) for x in r.pair} == set(sides))
    on_path = {x for step in path for x in (step.left, step.right)} | {first, second}
    nobody = {x: why for x, why in sorted(people.nobody.items()) if x in on_path}
    return Explanation(first, second, "two" if path or apart else "unrelated", path, apart, nobody)


def members(known: Known, identifier: str) -> list[str]:
    """Who is the same person as this identifier, itself first, then from strong to weak; empty where it was never seen."""
    group = next((group for group in known.people().groups if identifier in group), frozenset[str]())
    return sorted(group, key=lambda x: (x != identifier, known.policy.strength(x)))


def refused(known: Known, identifier: str) -> list[Step]:
    """The claims by which somebody else would be the same person, had no rule refused it."""
    people = known.people()
    home = {x: number for number, group in enumerate(people.groups) for x in group}
    here = home.get(identifier)
    return [step for step in _steps(known, people, home) if step.refused is not None and here in (home[step.left], home[step.right])]


def _steps(known: Known, people: People, home: Mapping[str, int]) -> list[Step]:
    """Every claim of the component: which count, and why the others do not."""
    found = []
    for edge in known.edges:
        if edge.weak in home and edge.strong in home:
            named = known.named_by.get(pair_of(edge.weak, edge.strong))
            why = _why_not(edge.weak, edge.strong, people, home)
            found.append(Step(edge.weak, edge.strong, "sure", edge.first, edge.last, named, None, why))
    found += _likely_steps(known, people, home)
    for ruling in known.rulings:
        x, y = ruling.pair
        if joins(ruling.action) and x in home and y in home:
            why = people.unjoined.get(frozenset(ruling.pair))
            found.append(Step(x, y, ruling.action, ruling.at, ruling.at, None, ruling.command, why))
    return found


def _likely_steps(known: Known, people: People, home: Mapping[str, int]) -> Iterable[Step]:
    """Of every pair that looks alike the likeliest records; what does not count is a step only where it would unite two people."""
    best: dict[tuple[str, str], Likeness] = {}
    for one in known.likenesses.found:
        pair = one.weak, one.strong
        if one.weak in home and one.strong in home and (pair not in best or _rank(known, best[pair]) < _rank(known, one)):
            best[pair] = one
    values = {(one.identifier, one.record): one.values for one in known.likenesses.described}
    for (weak, strong), one in best.items():
        why = _why_unlikely(known, one)
        if home[weak] != home[strong]:
            why = why or people.unlikely.get((weak, strong)) or _why_not(weak, strong, people, home)
        elif why is not None:
            continue
        records = tuple(values.get(name, {}) for name in zip((weak, strong), one.records, strict=True))
        yield Step(weak, strong, "likely", one.at, one.at, None, None, why, Resemblance(one.score, (records[0], records[1])))


def _rank(known: Known, one: Likeness) -> tuple[bool, float, tuple[str, str]]:
    return not known.likenesses.closed.issuperset(one.blocks), one.score, one.records


def _why_unlikely(known: Known, one: Likeness) -> str | None:
    """Why a likeness does not count whoever the two are."""
    closed = known.likenesses.closed
    if closed.issuperset(one.blocks):
        return CLOSED
    if one.weak in closed or one.strong in closed:
        return NEIGHBOURS
    return SCORE if one.score < known.accept else None


def _why_not(weak: str, strong: str, people: People, home: Mapping[str, int]) -> str | None:
    if home[weak] == home[strong]:
        return None
    why = people.nobody.get(weak) or people.refused.get(weak) or people.nobody.get(strong) or people.refused.get(strong)
    return why or JOIN  # a steward gave the weaker one to somebody else


def _shortest(first: str, second: str, steps: Iterable[Step]) -> tuple[Step, ...]:
    """A shortest way over the steps, each turned the way it is gone; claims that count and sure ones before others."""
    ways: dict[str, list[tuple[str, Step]]] = defaultdict(list)
    for step in sorted(steps, key=lambda step: (step.refused is not None, step.by != "sure", step.left, step.right)):
        ways[step.left].append((step.right, step))
        ways[step.right].append((step.left, step))
    came: dict[str, tuple[str, Step] | None] = {first: None}
    waiting = deque([first])
    while waiting and second not in came:
        here = waiting.popleft()
        for there, step in ways[here]:
            if there not in came:
                came[there] = here, step
                waiting.append(there)
    path: list[Step] = []
    at = second
    while (back := came.get(at)) is not None:
        before, step = back
        alike = step.alike if step.alike is None or before == step.left else step.alike.turned()
        path.append(replace(step, left=before, right=at, alike=alike))
        at = before
    return tuple(reversed(path))

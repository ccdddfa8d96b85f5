"""Why two identifiers are one person, or why not: the path of evidence between them, and what was refused. Pure.

It asks `resolve` and shows what that went by; it decides nothing itself.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from touchstone.identity.resolve import Evidence, People, Policy, resolve
from touchstone.model.command import JOIN, joins, pair_of
from touchstone.model.component import Edge, Ruling


@dataclass(frozen=True)
class Step:
    """One claim on a path, from `left` to `right`. `by`: sure (seen together), likely (alike), join or accept (a steward's command).

    `first` and `last`: when they were seen together (milliseconds). `touchpoint`: the last held that names both, `command`: that of a
    join. `refused`: the rule because of which it unites nobody; None where it counts.
    """

    left: str
    right: str
    by: str
    first: int
    last: int
    touchpoint: str | None
    command: str | None
    refused: str | None


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
    """What a component knows: its evidence, the claims with their times, who named which pair, which rulings stand."""

    evidence: Evidence
    policy: Policy
    edges: tuple[Edge, ...]
    rulings: tuple[Ruling, ...]
    named_by: Mapping[tuple[str, str], str]

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
    for ruling in known.rulings:
        x, y = ruling.pair
        if joins(ruling.action) and x in home and y in home:
            why = people.unjoined.get(frozenset(ruling.pair))
            found.append(Step(x, y, ruling.action, ruling.at, ruling.at, None, ruling.command, why))
    return found


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
        path.append(Step(before, at, step.by, step.first, step.last, step.touchpoint, step.command, step.refused))
        at = before
    return tuple(reversed(path))

"""Whom a component forgets: every alias that the evidence gives to somebody who asked, and what is dropped with it."""

from collections.abc import Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from msgspec.structs import replace

from touchstone.identity.evidence import NO_LIKENESSES, Likenesses, evidence_before
from touchstone.identity.resolve import Policy, resolve
from touchstone.journey.component import Component
from touchstone.journey.policy import Journeys
from touchstone.model.component import NEVER, Edge, Held, Node, Request, Ruling, SaidMoment
from touchstone.model.erasure import Forgotten, ForgottenTable
from touchstone.model.message import Describe
from touchstone.model.touchpoint import Touchpoint


class Reach(NamedTuple):
    """What a request reaches: up to when an identifier is forgotten, and by which command."""

    until: int
    command: str


def reach(
    requests: Mapping[str, Request],
    nodes: Mapping[str, Node],
    edges: Iterable[Edge],
    rulings: Iterable[Ruling],
    anchors: AbstractSet[str],
    policy: Policy,
    likenesses: Likenesses = NO_LIKENESSES,
    accept: float = 0.0,
) -> dict[str, Reach]:
    """Identifier -> how far it is forgotten: who asks, and all that belonged to that person by the evidence up to then.

    `anchors`: identifiers that hold touchpoints, or held some that were forgotten.
    """
    edges, rulings = list(edges), list(rulings)
    found: dict[str, Reach] = {}
    for who, request in requests.items():
        people = resolve(evidence_before(nodes, edges, rulings, anchors, request.until, likenesses, accept), policy)
        group = next((group for group in people.groups if who in group), frozenset[str]())
        for x in {who, *group}:
            found[x] = max(found.get(x, Reach(NEVER, "")), Reach(request.until, request.command))
    return found


def forget(
    component: Component,
    nodes: dict[str, Node],
    held: Mapping[str, Held],
    rulings: Iterable[Ruling],
    journeys: Journeys,
    table: ForgottenTable,
    decided_at: int,
) -> list[Forgotten]:
    """Raise what is forgotten of the component's identifiers, by the requests made to it and by what others have decided.

    Returns the decisions that nobody has heard of. `nodes` are those of the component; an identifier that nobody has seen yet comes in.
    """
    for x in nodes:
        if x in table:
            component.add_forgotten(x, table.until(x))
    requests: dict[str, Request] = {name[1:]: row for name, row in component.rows("q")}
    decided: list[Forgotten] = []
    if requests:
        variants = [row.variant for row in held.values() if row.variant is not None]
        anchors = {v.touchpoint.identifiers[v.index] for v in variants} | {x for x, node in nodes.items() if node.was_anchor}
        likenesses, accept = (NO_LIKENESSES, 0.0) if journeys.alike is None else (component.likenesses(), journeys.alike.accept)
        edges = (edge for _, edge in component.rows("e"))
        reached = reach(requests, nodes, edges, rulings, anchors, journeys.limits, likenesses, accept)
        for x, (until, command) in sorted(reached.items()):
            before = nodes[x].until if x in nodes else None
            if component.add_forgotten(x, until):
                decided.append(Forgotten(x, until, command, decided_at, () if before is None else (before,)))
    nodes.update((name[1:], node) for name, node in component.rows("n"))
    told = {fact.identifier for fact in decided}
    for n, fact in enumerate(decided):
        if nodes[fact.identifier].is_generic:
            decided[n] = replace(fact, is_generic=True)
    for x, node in nodes.items():  # it turned out to be generic after it was forgotten: then touchpoints that name it lie elsewhere
        if node.is_generic and node.until is not None and x not in told and not _is_told(table, x, node.until):
            decided.append(Forgotten(x, node.until, table[x].command if x in table else "", decided_at, (), is_generic=True))
    return decided


def _is_told(table: ForgottenTable, x: str, until: int) -> bool:
    return x in table and table[x].is_generic and table.until(x) >= until


class Memory:
    """What is forgotten, as one component sees it: of its own identifiers by its rows, of others by the table."""

    def __init__(self, nodes: Mapping[str, Node], table: ForgottenTable) -> None:
        self._nodes, self._table = nodes, table

    def epoch(self, x: str) -> int:
        """Up to when the identifier is forgotten; `NEVER` where it is not."""
        node = self._nodes.get(x)
        own = NEVER if node is None or node.until is None else node.until
        return max(own, self._table.until(x)) if self._table else own

    def is_gone(self, touchpoint: Touchpoint, index: int) -> bool:
        """Whether a touchpoint held at this identifier is forgotten: by it, or by a stronger one."""
        return any(self.epoch(x) >= touchpoint.occurred_at for x in touchpoint.identifiers[: index + 1])

    def seen_again(self, touchpoint: Touchpoint) -> Iterator[tuple[str, str | None]]:
        """Identifiers of other components, forgotten and seen again since: those must be told, which do not hold this touchpoint."""
        for n, x in enumerate(touchpoint.identifiers if self._table else ()):
            if x not in self._nodes and x in self._table and self._table.until(x) < touchpoint.occurred_at:
                yield x, touchpoint.values[n] if touchpoint.values else None

    def without_values(self, touchpoint: Touchpoint) -> Touchpoint:
        """The touchpoint without the values of other identifiers that are forgotten; itself where there are none."""
        at = touchpoint.occurred_at
        values = tuple(
            None if value is not None and self.epoch(x) >= at else value
            for x, value in zip(touchpoint.identifiers, touchpoint.values, strict=False)
        )
        return touchpoint if values == touchpoint.values else replace(touchpoint, values=values)


def redacted(said: SaidMoment) -> SaidMoment:
    """What the book keeps of a moment of somebody who was forgotten: that it was taken back, and not what had caused it."""
    return SaidMoment(said.revision, replace(said.content, touchpoints=()), said.stands, said.must_repeat)


def drop_likenesses(component: Component, nodes: Mapping[str, Node]) -> None:
    """Records of who was forgotten go, with what was found by them."""
    epochs = {x: node.until for x, node in nodes.items() if node.until is not None}
    if epochs:
        component.drop_likenesses(lambda x, _: epochs.get(x, NEVER))


def described_again(touchpoints: Iterable[Touchpoint], journeys: Journeys, memory: Memory) -> Iterator[Describe]:
    """How those describe themselves whose touchpoints are held: intake has left out what it had said before, and that may be forgotten."""
    for touchpoint in touchpoints if journeys.describer is not None else ():
        gone = {x for x in touchpoint.identifiers if memory.epoch(x) >= touchpoint.occurred_at}
        described = journeys.describer.describe_anew(touchpoint, gone.__contains__)  # type: ignore[union-attr]  # asked for above
        if described is not None and described.described.values:
            yield described


def keep_values(component: Component, nodes: Mapping[str, Node], known: Container[str], touchpoints: Iterable[Touchpoint]) -> None:
    """Whoever was forgotten and is not known again has no value any more; who came back has the one that touchpoints say."""
    erased = {x: node for x, node in nodes.items() if node.until is not None}
    if not erased:
        return
    named = {x: value for touchpoint in touchpoints for x, value in touchpoint.named if x in erased}
    for x, node in erased.items():
        value = (node.value or named.get(x)) if x in known else None
        full = {group: last for group, last in node.full.items() if last[0] > epoch_of(node)}
        if (value, full) != (node.value, node.full):
            node.value, node.full = value, full
            component.put_node(x, node)


def epoch_of(node: Node) -> int:
    """Up to when what an identifier did is forgotten."""
    return NEVER if node.until is None else node.until


def counts_since(node: Node) -> int:
    """From when an identifier counts as known: who was forgotten and comes back is new."""
    return max(node.since or 0, epoch_of(node)) if node.until is not None else node.since or 0

"""The rows of a component -> the evidence that `resolve` goes by: as it is now, or as it was before an erasure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from touchstone.identity.resolve import Evidence, Likely
from touchstone.identity.rulings import standing as last_words
from touchstone.model.command import joins
from touchstone.model.component import NEVER, Described, Edge, Likeness, Node, Ruling
from touchstone.model.touchpoint import Touchpoint


@dataclass(frozen=True, slots=True)
class Likenesses:
    """What a component knows of likeness: what was found, the records that it goes by, and which blocks and identifiers are closed."""

    found: Collection[Likeness] = ()
    described: Collection[Described] = ()
    closed: frozenset[str] = frozenset()

    def open(self) -> list[Likeness]:
        """What was found in a block that is still open."""
        return [one for one in self.found if not self.closed.issuperset(one.blocks)]

    def accepted(self, accept: float) -> list[Likely]:
        """What counts: from so many bits on, unless one of the two resembles everybody."""
        return [
            Likely(one.weak, one.strong, one.score, one.records)
            for one in self.open()
            if one.score >= accept and one.weak not in self.closed and one.strong not in self.closed
        ]

    def records(self, likely: Iterable[Likely]) -> dict[str, dict[str, Mapping[str, str]]]:
        """The records by which these count: identifier -> record -> its values."""
        used = {(x, record) for one in likely for x, record in zip((one.weak, one.strong), one.records, strict=True)}
        found: dict[str, dict[str, Mapping[str, str]]] = {}
        for one in self.described:
            if (one.identifier, one.record) in used:
                found.setdefault(one.identifier, {})[one.record] = one.values
        return found


NO_LIKENESSES = Likenesses()


class LastTimes:
    """When identifiers were last seen, and seen together: by the touchpoints that are held, or that were."""

    def __init__(self, nodes: Mapping[str, Node], touchpoints: Iterable[Touchpoint]) -> None:
        self._nodes = nodes
        self._seen: dict[str, int] = {}
        self._together: dict[tuple[str, str], int] = {}
        for touchpoint in touchpoints:
            identifiers, at = touchpoint.identifiers, touchpoint.occurred_at
            for n, x in enumerate(identifiers):
                self._seen[x] = max(at, self._seen.get(x, at))
                for strong in identifiers[:n]:
                    self._together[x, strong] = max(at, self._together.get((x, strong), at))

    def is_known(self, x: str) -> bool:
        """Whether it was seen after all that was forgotten of it."""
        node = self._nodes.get(x)
        if node is None or node.since is None:
            return False
        return node.until is None or max(self._seen.get(x, NEVER), NEVER if node.last is None else node.last) > node.until

    def together(self, edge: Edge) -> int:
        """When both ends were last seen together."""
        return max(edge.last, self._together.get((edge.weak, edge.strong), NEVER))


def evidence_of(
    nodes: Mapping[str, Node],
    edges: Iterable[Edge],
    standing: Iterable[Ruling],
    anchors: AbstractSet[str],
    likenesses: Likenesses = NO_LIKENESSES,
    accept: float = 0.0,
    touchpoints: Iterable[Touchpoint] = (),
) -> Evidence:
    """`standing`: the rulings that hold; `anchors`: identifiers that hold touchpoints; `accept`: bits from which on a likeness counts;
    `touchpoints`: those that are held.

    What was only seen before it was forgotten is not known any more, and a claim holds if it was made after that of both ends. Of an owner who
    was forgotten it is still known that there was one (`ghosts`): what she shared with others does not become theirs.
    """
    if any(node.until is not None for node in nodes.values()):
        times = LastTimes(nodes, touchpoints)
        sure, ghosts = _claims_after_erasures(nodes, edges, times)
        likenesses = replace(
            likenesses, found=[one for one in likenesses.found if one.at > max(_epoch(nodes, one.weak), _epoch(nodes, one.strong))]
        )
        evidence = _evidence(nodes, sure, standing, anchors, likenesses, accept)
        evidence.seen, evidence.ghosts = {x for x in nodes if times.is_known(x)}, ghosts
        return evidence
    return _evidence(nodes, {(edge.weak, edge.strong) for edge in edges}, standing, anchors, likenesses, accept)


def evidence_before(
    nodes: Mapping[str, Node],
    edges: Iterable[Edge],
    rulings: Iterable[Ruling],
    anchors: AbstractSet[str],
    until: int,
    likenesses: Likenesses = NO_LIKENESSES,
    accept: float = 0.0,
) -> Evidence:
    """The evidence up to `until`, whatever was forgotten: whom an erasure reaches.

    Of a steward's words those that keep apart hold whenever they were said, unless a later word took their place; joins only from their time on:
    nobody is forgotten because somebody said later that she is another.
    """
    rulings = list(rulings)
    sure = {(edge.weak, edge.strong) for edge in edges if edge.first <= until}
    apart = [ruling for ruling in last_words(rulings).values() if not joins(ruling.action)]
    early = last_words(ruling for ruling in rulings if not joins(ruling.action) or ruling.at <= until).values()
    standing = [*apart, *(ruling for ruling in early if joins(ruling.action))]
    likenesses = replace(likenesses, found=[one for one in likenesses.found if one.at <= until])
    return _evidence(nodes, sure, standing, anchors, likenesses, accept)


def _evidence(
    nodes: Mapping[str, Node],
    sure: AbstractSet[tuple[str, str]],
    standing: Iterable[Ruling],
    anchors: AbstractSet[str],
    likenesses: Likenesses,
    accept: float,
) -> Evidence:
    standing = list(standing)
    likely = likenesses.accepted(accept) if likenesses.found else []
    return Evidence(
        seen={x for x, node in nodes.items() if node.since is not None},
        sure=sure,
        likely=likely,
        records=likenesses.records(likely),
        generic={x for x, node in nodes.items() if node.is_generic},
        apart={frozenset(ruling.pair) for ruling in standing if not joins(ruling.action)},
        anchors=anchors,
        joined={frozenset(ruling.pair) for ruling in standing if joins(ruling.action)},
    )


def _claims_after_erasures(
    nodes: Mapping[str, Node], edges: Iterable[Edge], times: LastTimes
) -> tuple[set[tuple[str, str]], dict[str, int]]:
    """The claims that hold, and how many forgotten owners each identifier has met."""
    sure: set[tuple[str, str]] = set()
    ghosts: dict[str, int] = defaultdict(int)
    for edge in edges:
        last, weak, strong = times.together(edge), _epoch(nodes, edge.weak), _epoch(nodes, edge.strong)
        if last > weak and last > strong:
            sure.add((edge.weak, edge.strong))
        elif last > weak and not (edge.strong in nodes and nodes[edge.strong].is_generic):
            ghosts[edge.weak] += 1
    return sure, ghosts


def _epoch(nodes: Mapping[str, Node], x: str) -> int:
    node = nodes.get(x)
    return NEVER if node is None or node.until is None else node.until

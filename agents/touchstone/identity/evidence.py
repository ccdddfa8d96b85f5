"""The rows of a component -> the evidence that `resolve` goes by: as it is now, or as it was before an erasure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from touchstone.identity.resolve import Evidence
from touchstone.identity.rulings import standing as last_words
from touchstone.model.command import JOIN
from touchstone.model.component import NEVER, Edge, Node, Ruling
from touchstone.model.touchpoint import Touchpoint


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
        return max(edge.last, self._together.get((edge.weak, edge.strong), NEVER)) if edge.sure else edge.last


def evidence_of(
    nodes: Mapping[str, Node],
    edges: Iterable[Edge],
    standing: Iterable[Ruling],
    anchors: AbstractSet[str],
    touchpoints: Iterable[Touchpoint] = (),
) -> Evidence:
    """`standing`: the rulings that hold; `anchors`: identifiers that hold touchpoints; `touchpoints`: those that are held.

    What was only seen before it was forgotten is not known any more, and a claim holds if it was made after that of both ends. Of an owner who
    was forgotten it is still known that there was one (`ghosts`): what she shared with others does not become theirs.
    """
    edges, standing = list(edges), list(standing)
    if any(node.until is not None for node in nodes.values()):
        return _after_erasures(nodes, edges, standing, anchors, LastTimes(nodes, touchpoints))
    return Evidence(
        seen={x for x, node in nodes.items() if node.since is not None},
        sure={(edge.weak, edge.strong) for edge in edges if edge.sure},
        likely={(edge.weak, edge.strong) for edge in edges if not edge.sure},
        generic=_generic(nodes),
        apart=_pairs(standing, is_join=False),
        anchors=anchors,
        joined=_pairs(standing, is_join=True),
    )


def _after_erasures(
    nodes: Mapping[str, Node], edges: list[Edge], standing: list[Ruling], anchors: AbstractSet[str], times: LastTimes
) -> Evidence:
    sure: set[tuple[str, str]] = set()
    likely: set[tuple[str, str]] = set()
    ghosts: dict[str, int] = defaultdict(int)
    for edge in edges:
        last, weak, strong = times.together(edge), _epoch(nodes, edge.weak), _epoch(nodes, edge.strong)
        if not edge.sure:
            if last > max(weak, strong):
                likely.add((edge.weak, edge.strong))
        elif last > weak and last > strong:
            sure.add((edge.weak, edge.strong))
        elif last > weak and not _is_generic(nodes, edge.strong):
            ghosts[edge.weak] += 1
    return Evidence(
        seen={x for x in nodes if times.is_known(x)},
        sure=sure,
        likely=likely,
        generic=_generic(nodes),
        apart=_pairs(standing, is_join=False),
        anchors=anchors,
        joined=_pairs(standing, is_join=True),
        ghosts=ghosts,
    )


def evidence_before(
    nodes: Mapping[str, Node], edges: Iterable[Edge], rulings: Iterable[Ruling], anchors: AbstractSet[str], until: int
) -> Evidence:
    """The evidence up to `until`, whatever was forgotten: whom an erasure reaches.

    Of a steward's words those that keep apart hold whenever they were said, joins only from their time on: nobody is forgotten because
    somebody said later that she is another.
    """
    edges = [edge for edge in edges if edge.first <= until]
    standing = list(last_words(ruling for ruling in rulings if ruling.action != JOIN or ruling.at <= until).values())
    return Evidence(
        seen={x for x, node in nodes.items() if node.since is not None},
        sure={(edge.weak, edge.strong) for edge in edges if edge.sure},
        likely={(edge.weak, edge.strong) for edge in edges if not edge.sure},
        generic=_generic(nodes),
        apart=_pairs(standing, is_join=False),
        anchors=anchors,
        joined=_pairs(standing, is_join=True),
    )


def _generic(nodes: Mapping[str, Node]) -> set[str]:
    return {x for x, node in nodes.items() if node.is_generic}


def _is_generic(nodes: Mapping[str, Node], x: str) -> bool:
    return x in nodes and nodes[x].is_generic


def _epoch(nodes: Mapping[str, Node], x: str) -> int:
    node = nodes.get(x)
    return NEVER if node is None or node.until is None else node.until


def _pairs(standing: Iterable[Ruling], *, is_join: bool) -> set[frozenset[str]]:
    return {frozenset(ruling.pair) for ruling in standing if (ruling.action == JOIN) is is_join}

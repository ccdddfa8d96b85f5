"""The rows of a component -> the evidence that `resolve` goes by."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from touchstone.identity.resolve import Evidence
from touchstone.model.command import joins
from touchstone.model.component import Edge, Node, Ruling


def evidence_of(nodes: Mapping[str, Node], edges: Iterable[Edge], standing: Iterable[Ruling], anchors: AbstractSet[str]) -> Evidence:
    """`standing`: the rulings that hold; `anchors`: identifiers that hold touchpoints."""
    edges, standing = list(edges), list(standing)
    return Evidence(
        seen={x for x, node in nodes.items() if node.since is not None},
        sure={(edge.weak, edge.strong) for edge in edges if edge.sure},
        likely={(edge.weak, edge.strong) for edge in edges if not edge.sure},
        generic={x for x, node in nodes.items() if node.is_generic},
        apart={frozenset(ruling.pair) for ruling in standing if not joins(ruling.action)},
        anchors=anchors,
        joined={frozenset(ruling.pair) for ruling in standing if joins(ruling.action)},
    )

"""The rows of a component -> the evidence that `resolve` goes by."""

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from touchstone.identity.resolve import Evidence, Likely
from touchstone.model.command import joins
from touchstone.model.component import Described, Edge, Likeness, Node, Ruling


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


NO_LIKENESSES = Likenesses()


def evidence_of(
    nodes: Mapping[str, Node],
    edges: Iterable[Edge],
    standing: Iterable[Ruling],
    anchors: AbstractSet[str],
    likenesses: Likenesses = NO_LIKENESSES,
    accept: float = 0.0,
) -> Evidence:
    """`standing`: the rulings that hold; `anchors`: identifiers that hold touchpoints; `accept`: bits from which on a likeness counts."""
    standing = list(standing)
    likely = likenesses.accepted(accept) if likenesses.found else []
    used = {(x, record) for one in likely for x, record in zip((one.weak, one.strong), one.records, strict=True)}
    records: dict[str, dict[str, Mapping[str, str]]] = {}
    for one in likenesses.described:
        if (one.identifier, one.record) in used:
            records.setdefault(one.identifier, {})[one.record] = one.values
    return Evidence(
        seen={x for x, node in nodes.items() if node.since is not None},
        sure={(edge.weak, edge.strong) for edge in edges},
        likely=likely,
        records=records,
        generic={x for x, node in nodes.items() if node.is_generic},
        apart={frozenset(ruling.pair) for ruling in standing if not joins(ruling.action)},
        anchors=anchors,
        joined={frozenset(ruling.pair) for ruling in standing if joins(ruling.action)},
    )

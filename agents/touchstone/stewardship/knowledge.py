"""What a twin knows about some identifiers, in the form in which it can be explained."""

from touchstone.identity.evidence import evidence_of
from touchstone.identity.explanation import Known
from touchstone.identity.resolve import Policy
from touchstone.identity.rulings import standing
from touchstone.model.command import pair_of
from touchstone.model.component import Edge, Held, Node, Ruling
from touchstone.pipeline import JOURNEY
from touchstone.simulate import Twin


def knowledge(twin: Twin, policy: Policy, identifiers: set[str]) -> Known:
    """The components of these identifiers, as one body of evidence: what else lies in a component does not matter to `resolve`."""
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    rulings: list[Ruling] = []
    held: list[Held] = []
    for store in (stores[JOURNEY] for stores in twin.stores):
        for root in store.groups():
            mine = {name[1:]: node for name, node in store.scan(root, "n")}
            if identifiers & mine.keys():
                nodes |= mine
                edges += [edge for _, edge in store.scan(root, "e")]
                rulings += [ruling for _, ruling in store.scan(root, "a")]
                held += [row for _, row in store.scan(root, "t")]
    stands = tuple(standing(rulings).values())
    variants = [row.variant for row in held if row.variant is not None]
    named: dict[tuple[str, str], tuple[int, str]] = {}
    for touchpoint in (variant.touchpoint for variant in variants):
        word = touchpoint.received_at, touchpoint.key
        for n, x in enumerate(touchpoint.identifiers):
            for y in touchpoint.identifiers[:n]:
                named[pair_of(x, y)] = max(named.get(pair_of(x, y), word), word)
    anchors = {variant.touchpoint.identifiers[variant.index] for variant in variants}
    evidence = evidence_of(nodes, edges, stands, anchors)
    return Known(evidence, policy, tuple(edges), stands, {pair: key for pair, (_, key) in named.items()})

"""What a twin knows about some identifiers, in the form in which it can be explained."""

from touchstone.identity.evidence import Likenesses, evidence_of
from touchstone.identity.explanation import Known
from touchstone.identity.rulings import standing
from touchstone.journey.policy import Journeys
from touchstone.model.command import pair_of
from touchstone.model.component import Described, Edge, Held, Likeness, Node, Ruling
from touchstone.pipeline import JOURNEY
from touchstone.simulate import Twin


def knowledge(twin: Twin, journeys: Journeys, identifiers: set[str]) -> Known:
    """The components of these identifiers, and of those whom they look like, as one body of evidence: what else lies in a component does not
    matter to `resolve`.
    """
    identifiers = identifiers | _alike(twin, identifiers)
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    rulings: list[Ruling] = []
    held: list[Held] = []
    likely: list[Likeness] = []
    described: list[Described] = []
    closed: set[str] = set()
    for store in (stores[JOURNEY] for stores in twin.stores):
        for root in store.groups():
            mine = {name[1:]: node for name, node in store.scan(root, "n")}
            if identifiers & mine.keys():
                nodes |= mine
                edges += [edge for _, edge in store.scan(root, "e")]
                rulings += [ruling for _, ruling in store.scan(root, "a")]
                held += [row for _, row in store.scan(root, "t")]
                likely += [row for _, row in store.scan(root, "l")]
                described += [row for _, row in store.scan(root, "d")]
                closed |= {name[1:] for name, _ in store.scan(root, "k")}
    stands = tuple(standing(rulings).values())
    variants = [row.variant for row in held if row.variant is not None]
    named: dict[tuple[str, str], tuple[int, str]] = {}
    for touchpoint in (variant.touchpoint for variant in variants):
        word = touchpoint.received_at, touchpoint.key
        for n, x in enumerate(touchpoint.identifiers):
            for y in touchpoint.identifiers[:n]:
                named[pair_of(x, y)] = max(named.get(pair_of(x, y), word), word)
    anchors = {variant.touchpoint.identifiers[variant.index] for variant in variants}
    likenesses, accept = Likenesses(likely, described, frozenset(closed)), 0.0 if journeys.alike is None else journeys.alike.accept
    evidence = evidence_of(nodes, edges, stands, anchors, likenesses, accept)
    named_by = {pair: key for pair, (_, key) in named.items()}
    return Known(evidence, journeys.limits, tuple(edges), stands, named_by, likenesses, accept)


def _alike(twin: Twin, identifiers: set[str]) -> set[str]:
    """Whom the people of these identifiers look like, as far as that is kept in a component of either."""
    groups = [(store, root) for store in (stores[JOURNEY] for stores in twin.stores) for root in store.groups()]
    mine = [(store, root) for store, root in groups if any(name[1:] in identifiers for name, _ in store.scan(root, "n"))]
    members = {name[1:] for store, root in mine for name, _ in store.scan(root, "n")}
    pairs = ({row.weak, row.strong} for store, root in groups for _, row in store.scan(root, "l"))
    return {x for pair in pairs if pair & members for x in pair}

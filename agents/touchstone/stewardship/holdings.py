"""What a twin holds about one person: her touchpoints, whose each identifier in them is, and what of others must not be handed out with them."""

from collections.abc import Mapping

from touchstone.model.component import Held, Node, Variant
from touchstone.model.identifier import kind_of
from touchstone.pipeline import JOURNEY
from touchstone.privacy.held import Holdings, Shown, Sighting, Whose
from touchstone.simulate import Twin
from touchstone.state.store import Store


def holdings(twin: Twin, customer_id: str) -> Holdings | None:
    """Of the person with this customer id; None where the twin knows no such person."""
    for store in (stores[JOURNEY] for stores in twin.stores):
        for root in store.groups():
            if store.get(root, "p" + customer_id) is not None:
                return _of(store, root, customer_id, twin.now)
    return None


def _of(store: Store, root: str, customer_id: str, now: int) -> Holdings:
    nodes: dict[str, Node] = {name[1:]: node for name, node in store.scan(root, "n")}
    held: list[tuple[str, Held]] = store.scan(root, "t")
    owners = [(_owner(variant, nodes), variant) for variant in (row.variant for _, row in held) if variant is not None]
    mine = [variant.touchpoint for owner, variant in owners if owner == customer_id]
    keys = {touchpoint.key for touchpoint in mine}
    others = {variant.touchpoint.key for owner, variant in owners if owner != customer_id}
    whose = {x: _whose(node, customer_id) for x, node in nodes.items()}
    own = {x for x, found in whose.items() if found == "own"}
    values = {x: value for touchpoint in mine for x, value in touchpoint.named}
    values |= {x: node.value for x, node in nodes.items() if node.value is not None}
    return Holdings(
        customer_id=customer_id,
        is_nobody=any(nodes[x].refused is not None for x in own),
        known_until=now,
        values=frozenset((kind_of(x), values[x]) for x in own if x in values),
        sightings=tuple(
            Sighting(touchpoint, tuple(Shown(kind_of(x), values.get(x), whose.get(x, "shared")) for x in touchpoint.identifiers))
            for touchpoint in mine
        ),
        foreign_values=frozenset(values[x] for x, found in whose.items() if found == "other" and x in values),
        foreign_keys=frozenset(others - keys),
    )


def _owner(variant: Variant, nodes: Mapping[str, Node]) -> str | None:
    """Whose a touchpoint is, as the journey stage tells it (journey/settle.py): the first from the anchor on that belongs to somebody."""
    usable = variant.touchpoint.identifiers[variant.index :]
    for x in usable:
        node = nodes.get(x)
        if node is not None and node.since is not None and node.refused is None:
            return node.customer_id
    anchor = nodes.get(usable[0])
    return None if anchor is None else anchor.customer_id


def _whose(node: Node, customer_id: str) -> Whose:
    """An identifier that the component does not know was generic when it was seen: it belongs to nobody, too."""
    if node.refused is not None and node.customer_id != customer_id:
        return "shared"
    return "own" if node.customer_id == customer_id else "other"

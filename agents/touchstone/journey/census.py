"""How many customers stand where, in one partition: counted from what is said of them, never by looking through all of them.

The figures are a named value of the partition's store. They are written in the transaction that says what changed, come back with a
restore, and move with the partition; when a component moves to another partition, its customers are counted there.
"""

import msgspec

from touchstone.model.component import SaidCustomer
from touchstone.state.store import Store

Census = dict[str, dict[str, int]]
"""Journey -> phase -> customers."""

_NAME = "census"
_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(Census).decode


def census(store: Store) -> Census:
    """The customers of this partition, as they are now. Rows that came without the figures (other partitions' before) are looked through."""
    kept = store.get_meta(_NAME)
    return _count(store) if kept is None else _decode(kept)


def recount(store: Store, before: SaidCustomer | None, after: SaidCustomer | None) -> None:
    """What is said of a customer changes from `before` to `after` (None: nothing)."""
    left, entered = _places(before), _places(after)
    if left == entered:
        return
    counts = census(store)
    _add(counts, left, -1)
    _add(counts, entered, 1)
    store.put_meta(_NAME, _encode(counts))


def _places(said: SaidCustomer | None) -> dict[str, str]:
    return said.phases if said is not None and said.status == "active" else {}


def _count(store: Store) -> Census:
    counts: Census = {}
    for group in store.groups():
        for _, said in store.scan(group, "c"):
            _add(counts, _places(said), 1)
    return counts


def _add(counts: Census, places: dict[str, str], by: int) -> None:
    for journey, phase in places.items():
        phases = counts.setdefault(journey, {})
        phases[phase] = phases.get(phase, 0) + by
        if not phases[phase]:
            del phases[phase]

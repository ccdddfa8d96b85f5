"""Who was who, against who is who now: linked, merged, split, shared, unshared, conflict, limited."""

from collections.abc import Mapping
from typing import NamedTuple

from touchstone.identity.resolve import GENERIC, MERGE_LIMIT, PERSONS


class Change(NamedTuple):
    """One identity change, before it is said. `customers` are the others concerned."""

    kind: str
    customer_id: str
    customers: tuple[str, ...]
    identifiers: tuple[str, ...]
    rule: str


Groups = Mapping[str, frozenset[str]]
"""Customer id -> members, of people only."""


def people_changes(before: Groups, after: Groups) -> list[Change]:
    """What happened to customer ids that were published, in the order of their ids."""
    changes: list[Change] = []
    home = {x: customer_id for customer_id, members in before.items() for x in members}
    for customer_id, members in sorted(after.items()):
        came_from = {home[x] for x in members if x in home}
        absorbed = tuple(sorted(other for other in came_from if other != customer_id and other not in after))
        if absorbed:
            moved = tuple(sorted(x for x in members if home.get(x) in absorbed))
            changes.append(Change("merged", customer_id, absorbed, moved, "claim"))
        joined = sorted(x for x in members if x not in home)
        if joined and len(members) > 1:
            known = sorted(members.difference(joined))
            changes.append(Change("linked", customer_id, (), tuple(known[:1] + joined), "claim"))
    for customer_id, members in sorted(before.items()):
        parts = tuple(sorted(other for other, now in after.items() if now & members))
        if len(parts) > 1:
            others = tuple(other for other in parts if other != customer_id)
            changes.append(Change("split", customer_id, others, tuple(sorted(members)), "claim"))
    return changes


def causes(changes: list[Change]) -> dict[str, str]:
    """Customer id -> why its moments are corrected."""
    found: dict[str, str] = {}
    for change in changes:
        if change.kind in ("merged", "split"):
            for customer_id in (change.customer_id, *change.customers):
                found.setdefault(customer_id, "merge" if change.kind == "merged" else "split")
    return found


def sharing_change(identifier: str, customer_id: str, before: str | None, now: str | None) -> Change | None:
    """An identifier ceased to belong to somebody, or does again; `before` and `now` are reasons of resolve, None for belonging."""
    if before == now or (before is not None and now is not None):
        return None
    if now is None:
        return Change("unshared", customer_id, (), (identifier,), before or "")
    kind = "shared" if now in (PERSONS, GENERIC) else "limited" if now in (MERGE_LIMIT, "identifiers_per_person") else "conflict"
    return Change(kind, customer_id, (), (identifier,), now)

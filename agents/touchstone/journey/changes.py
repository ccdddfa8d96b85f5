"""Who was who, against who is who now: linked, merged, split, shared, unshared, conflict, refused, limited."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from touchstone.identity.resolve import GENERIC, MERGE_LIMIT, PERSONS, REFUSED_APART
from touchstone.journey.reviews import Doubt
from touchstone.model.command import UNDO, Pair, joins
from touchstone.model.component import Node, Person, Ruling
from touchstone.model.touchpoint import Touchpoint


class Change(NamedTuple):
    """One identity change, before it is said. `customers` are the others concerned, `trigger` the key of the touchpoint that shows it,
    `command` the id of the steward's command that brought it about.
    """

    kind: str
    customer_id: str
    customers: tuple[str, ...]
    identifiers: tuple[str, ...]
    rule: str
    trigger: str | None = None
    command: str | None = None


class Was(NamedTuple):
    """A person as she was last told: the identifier that her id was made of, and her members."""

    origin: str
    members: frozenset[str]


_REFUSED = (MERGE_LIMIT, REFUSED_APART)
"""Reasons for which an identifier stays with its own person; that it is united after all says the merge."""

LIKENESS = "likeness"

Before = Mapping[str, Was]
After = Mapping[str, frozenset[str]]
"""Customer id -> members, of people only."""


def people_changes(before: Before, after: After) -> list[Change]:
    """What happened to customer ids that were published, in the order of their ids."""
    changes: list[Change] = []
    was, now = _homes({customer_id: one.members for customer_id, one in before.items()}), _homes(after)
    for customer_id, members in sorted(after.items()):
        came_from = {was[x] for x in members if x in was and was[x] != customer_id}
        absorbed = tuple(sorted(other for other in came_from if before[other].origin in members))
        if absorbed:
            moved = tuple(sorted(x for x in members if was.get(x) in absorbed))
            changes.append(Change("merged", customer_id, absorbed, moved, "claim"))
        joined = sorted(x for x in members if x not in was)
        if joined and len(members) > 1:
            known = sorted(members.difference(joined))
            changes.append(Change("linked", customer_id, (), tuple(known[:1] + joined), "claim"))
    for customer_id, (origin, members) in sorted(before.items()):
        parts = tuple(sorted({now[x] for x in members if x in now}))
        if len(parts) > 1 or (parts and origin not in now):  # what her id was made of is nobody's: others carry on without it
            others = tuple(other for other in parts if other != customer_id)
            changes.append(Change("split", customer_id, others, tuple(sorted(members)), "claim"))
    return changes


def with_triggers(changes: list[Change], after: After, touchpoints: Iterable[Touchpoint]) -> list[Change]:
    """The same changes, each with a touchpoint that shows it.

    A union with the last received one that names an identifier of either side; a split with the last one that names what now belongs to
    nobody, else any identifier that she had.
    """
    if not changes:
        return changes
    received = sorted(touchpoints, key=lambda t: (t.received_at, t.order), reverse=True)
    found = []
    for change in changes:
        if change.kind == "split":
            lost = set(change.identifiers).difference(*after.values())
            found.append(change._replace(trigger=_last_naming(lost, received) or _last_naming(set(change.identifiers), received)))
            continue
        moved = set(change.identifiers) if change.kind == "merged" else set(change.identifiers[1:])
        stayed = after.get(change.customer_id, frozenset()) - moved
        named = (t.key for t in received if not moved.isdisjoint(t.identifiers) and not stayed.isdisjoint(t.identifiers))
        found.append(change._replace(trigger=next(named, None)) if change.kind in ("merged", "linked") else change)
    return found


def with_commands(
    changes: list[Change], after: After, rulings: Iterable[Ruling], standing: Iterable[Ruling], undone: AbstractSet[str]
) -> list[Change]:
    """The same changes; those that a ruling about two identifiers on either side brought about name its command instead of a touchpoint.

    Who was one person and is kept apart now was split by that; who was not and is joined was united by that. A ruling that was undone
    counts for the opposite where that became known just now (`undone`).
    """
    if not changes:
        return changes
    withdrawn = [ruling for ruling in rulings if ruling.undone_by is not None and ruling.command in undone]
    words = [(r.at, r.command, not joins(r.action), r.action, r.pair) for r in standing]
    words += [(r.at, r.undone_by or "", joins(r.action), UNDO, r.pair) for r in withdrawn]
    if not words:
        return changes
    words.sort(reverse=True)
    now = _homes(after)
    found = []
    for change in changes:
        command, action = _brought_about_by(change, words, now)
        found.append(change._replace(command=command, rule=action, trigger=None) if command else change)
    return found


def _brought_about_by(change: Change, words: list[tuple[int, str, bool, str, Pair]], now: Mapping[str, str]) -> tuple[str | None, str]:
    own = set(change.identifiers)
    moved = own if change.kind == "merged" else set(change.identifiers[1:])
    for _, command, parts, action, (x, y) in words:
        if change.kind == "split":
            is_cause = parts and {x, y} <= own and now.get(x) != now.get(y)
        else:
            is_cause = not parts and now.get(x) == now.get(y) == change.customer_id and (x in moved) != (y in moved)
        if is_cause:
            return command, action
    return None, ""


def by_likeness(changes: list[Change], cores: Mapping[str, AbstractSet[str]]) -> list[Change]:
    """The same changes; those that only a likeness has brought about say so, and name no touchpoint. `cores`: who a customer would be without."""
    if not cores:
        return changes
    found = []
    for change in changes:
        core = cores.get(change.customer_id)
        moved = change.identifiers if change.kind == "merged" else change.identifiers[1:]
        is_likely = change.rule == "claim" and change.kind in ("merged", "linked") and core is not None and core.isdisjoint(moved)
        found.append(change._replace(rule=LIKENESS, trigger=None) if is_likely else change)
    return found


def command_between(groups: Iterable[AbstractSet[str]], rulings: Iterable[Ruling]) -> str | None:
    """The latest of these rulings that speaks of two of these people, or None."""
    home = {x: number for number, group in enumerate(groups) for x in group}
    between = (r for r in rulings if r.pair[0] in home and r.pair[1] in home and home[r.pair[0]] != home[r.pair[1]])
    return max(((r.at, r.command) for r in between), default=(0, None))[1]


def _last_naming(identifiers: set[str], received: list[Touchpoint]) -> str | None:
    return next((t.key for t in received if not identifiers.isdisjoint(t.identifiers)), None)


def last_words(touchpoints: Iterable[Touchpoint]) -> dict[str, str]:
    """Identifier -> the touchpoint that shows with whom it is shared: the last received one that names it with others, else any.

    A function of the touchpoints, whatever came first.
    """
    last: dict[str, tuple[bool, int, tuple[int, str, str], str]] = {}
    for t in touchpoints:
        word = len(t.identifiers) > 1, t.received_at, t.order, t.key
        for x in t.identifiers:
            if x not in last or last[x] < word:
                last[x] = word
    return {x: word[-1] for x, word in last.items()}


def causes(before: Before, after: After) -> dict[str, str]:
    """Customer id -> why its moments are corrected: it was united with others, or has lost an identifier to others or to nobody."""
    found: dict[str, str] = {}
    now = _homes(after)
    parted: list[str] = []
    for customer_id, (_, members) in before.items():
        parts = {now.get(x) for x in members}
        if len(parts) > 1 or None in parts:
            parted += [customer_id, *(part for part in parts if part is not None)]
        elif customer_id not in parts:
            found.update(dict.fromkeys((customer_id, *(part for part in parts if part is not None)), "merge"))
    for customer_id in parted:
        found.setdefault(customer_id, "split")
    return found


def _homes(groups: After) -> dict[str, str]:
    return {x: customer_id for customer_id, members in groups.items() for x in members}


def sharing_change(identifier: str, customer_id: str, others: tuple[str, ...], before: str | None, now: str | None) -> Change | None:
    """An identifier ceased to belong to somebody, or does again; `before` and `now` are reasons of resolve, None for belonging.

    `others` are the people whom it met and was not united with.
    """
    if before == now or (before is not None and now is not None):
        return None
    if now is None:
        return None if before in _REFUSED else Change("unshared", customer_id, (), (identifier,), before or "")
    kind = "shared" if now in (PERSONS, GENERIC) else "refused" if now in (*_REFUSED, "identifiers_per_person") else "conflict"
    return Change(kind, customer_id, others, (identifier,), now)


@dataclass
class ChangeLog:
    """What changed about who is who in one component during one transaction, however often it was told anew: said once, before the commit.

    `people` is the difference to what was last said; `trigger` the touchpoint that brought it to light; `undone` the commands of which it
    became known in this transaction that they have no effect any more; `doubts` what is to be said of pairs that look alike; `values` what
    the identifiers concerned were made from.
    """

    people: list[Change] = field(default_factory=list)
    trigger: str | None = None
    conflicts: dict[tuple[str, str], None] = field(default_factory=dict)
    limits: dict[tuple[str, str, tuple[str, ...]], str | None] = field(default_factory=dict)
    undone: set[str] = field(default_factory=set)
    doubts: dict[Pair, Doubt] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    _shared: dict[str, tuple[str, tuple[str, ...], str | None, str | None, str | None, str | None]] = field(default_factory=dict)
    _in_vain: dict[tuple[str, ...], Change] = field(default_factory=dict)

    def share(
        self,
        identifier: str,
        customer_id: str,
        others: tuple[str, ...],
        before: str | None,
        now: str | None,
        trigger: str | None = None,
        command: str | None = None,
    ) -> None:
        """An identifier belongs to somebody, or does not, for another reason than before, as the touchpoint `trigger` shows or `command` says."""
        first = self._shared[identifier][2] if identifier in self._shared else before
        self._shared[identifier] = customer_id, others, first, now, trigger, command

    def refuse(self, pair: tuple[str, str], customers: tuple[str, str], rule: str, command: str) -> None:
        """A steward's join has no effect, because the rule forbids it."""
        self._in_vain[pair] = Change("refused", customers[0], customers[1:], pair, rule, command=command)

    def learn(self, nodes: Mapping[str, Node]) -> None:
        """Keep the values of the identifiers of which something is to be said: the component may have moved away until then."""
        concerned = {x for change in (*self.people, *self._in_vain.values()) for x in change.identifiers} | self._shared.keys()
        self.values |= {x: node.value for x in concerned if (node := nodes.get(x)) is not None and node.value is not None}

    def note_room(self, customer_id: str, before: int, person: Person) -> None:
        """Attributes of a person found no room: said when it happens to her for the first time."""
        if person.left_out and not before and person.newest is not None:
            self.limits[customer_id, "profile", ()] = f"{person.newest[1]}/{person.newest[2]}"

    def changes(self, *, is_here: bool) -> Iterator[tuple[Change, str | None]]:
        """What must be said, each with its trigger. A component that has moved away is told at its new home who its people are."""
        split: set[str] = set()
        if is_here:
            for change in self.people:
                yield change, None if change.command else change.trigger or self.trigger
                split |= set(change.identifiers) if change.kind == "split" and change.command else set()
            for (customer_id, rule, identifiers), key in self.limits.items():
                yield Change("limited", customer_id, (), identifiers, rule), key
        for x, (customer_id, others, before, now, trigger, command) in self._shared.items():
            shared = sharing_change(x, customer_id, others, before, now)
            if shared is not None and not (now == REFUSED_APART and x in split):  # which says already what the claim is refused for
                yield shared._replace(command=command), None if command else trigger or self.trigger
        for change in self._in_vain.values():
            yield change, None
        for customer_id, key in self.conflicts:
            yield Change("conflict", customer_id, (), (), "event_key"), key

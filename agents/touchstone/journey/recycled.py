"""Who used an identifier when, where its values pass from person to person: telephone numbers, addresses.

Such an identifier belongs to nobody as soon as two people have used it. Each of them keeps the time of her own use; where one began after
another's last use, it ended for that one. Where two uses overlap, both hold.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from touchstone.identity.resolve import GENERIC
from touchstone.model.component import Person
from touchstone.model.identifier import kind_of
from touchstone.model.touchpoint import Touchpoint

MOST_USED = 100
"""Identifiers of others that one person is known to have used; the one she used last longest ago is left out."""


def use(person: Person, touchpoint: Touchpoint, kinds: AbstractSet[str]) -> None:
    """Take note of the identifiers in the newest touchpoint that are not the person's own."""
    if person.is_nobody:
        return
    at = touchpoint.occurred_at
    for x in touchpoint.identifiers:
        if x not in person.members and kind_of(x) in kinds:
            first = person.used.get(x, (at, at))[0]
            person.used[x] = (first, at)
    while len(person.used) > MOST_USED:
        del person.used[min(person.used, key=lambda x: (person.used[x][1], x))]


def changes_hands(person: Person, touchpoint: Touchpoint, kinds: AbstractSet[str]) -> bool:
    """Whether this touchpoint begins or takes up a use, which may concern others: then all of them are told anew."""
    return any(
        kind_of(x) in kinds and (x not in person.used or person.shared.get(x) is not None)
        for x in touchpoint.identifiers
        if x not in person.members
    )


def periods(persons: Mapping[str, Person], nobody: Mapping[str, str]) -> dict[str, dict[str, int | None]]:
    """Of each person: the identifiers she used that belong to nobody now, with the time at which her use ended (None: it has not).

    What is generic is nobody's business: an office's line, a kiosk.
    """
    users: dict[str, list[tuple[int, str]]] = {}
    for name, person in persons.items():
        for x, (first, _) in person.used.items():
            if nobody.get(x, GENERIC) != GENERIC:
                users.setdefault(x, []).append((first, name))
    ended: dict[str, dict[str, int | None]] = {}
    for x, begun in users.items():
        for _, name in begun:
            last = persons[name].used[x][1]
            ended.setdefault(name, {})[x] = min((first for first, other in begun if first > last and other != name), default=None)
    return ended


def tell(persons: Mapping[str, Person], nobody: Mapping[str, str]) -> Iterable[str]:
    """Write down the ends of uses. Returns of whom they have changed."""
    ended = periods(persons, nobody)
    for name, person in persons.items():
        now = dict(sorted(ended.get(name, {}).items()))
        if person.shared != now:
            person.shared = now
            yield name

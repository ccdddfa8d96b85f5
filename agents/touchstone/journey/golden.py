"""What is known about one person: when each identifier was seen, attributes with provenance, contacts per channel. Consent has its own file."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from hashlib import blake2b
from operator import itemgetter
from typing import Any

import msgspec

from touchstone.journey.attributes import AttributeRules, row
from touchstone.journey.recycled import use
from touchstone.journey.survivorship import MOST_RECENT, text_of
from touchstone.model.component import Person
from touchstone.model.identifier import kind_of
from touchstone.model.touchpoint import Touchpoint

_json = msgspec.json.Encoder(order="deterministic").encode


def observe(
    person: Person, touchpoint: Touchpoint, room: int, rules: AttributeRules | None = None, recycled: AbstractSet[str] = frozenset()
) -> None:
    """Take in the newest touchpoint of a person. Called in the order of event time; without `rules` later values win (`most_recent`).

    What does not find room (bytes) is left out, the longest unsaid first; what is said again comes back. `recycled` are the kinds of
    identifiers of which it is kept who used a value when.
    """
    at, members = touchpoint.occurred_at, person.members
    for x in touchpoint.identifiers:
        if x in members:
            seen = members[x]
            members[x] = (at, at) if seen is None else (min(seen[0], at), max(seen[1], at))
    order = touchpoint.order
    if recycled:
        use(person, touchpoint, recycled)
    if rules is None:
        for name, value in touchpoint.profile.items():
            if value is not None:
                person.attributes[name] = (value, order, touchpoint.channel)
        if touchpoint.profile:
            _make_room(person, person.attributes, room)
    else:
        rules.observe(person, touchpoint, room)
    contact = person.interactions.get(touchpoint.channel)
    person.interactions[touchpoint.channel] = (touchpoint.type, at, 1 if contact is None else contact[2] + 1)
    person.newest = order


def _make_room(person: Person, named: dict[str, Any], room: int) -> None:
    """Of attributes keep what fits, by the size of their JSON text with provenance."""
    size = len(_json(named))
    if size <= room:
        return
    for name in sorted(named, key=lambda name: (named[name][1], name)):
        size -= len(_json((name, named[name])))
        del named[name]
        person.left_out += 1
        if size <= room:
            return


def fingerprint(touchpoints: Iterable[Touchpoint]) -> tuple[int, int]:
    """How many touchpoints a person owns, and the exclusive or of their numbers: equal means the same set."""
    count, mixed = 0, 0
    for touchpoint in touchpoints:
        count, mixed = count + 1, mixed ^ sighting_number(touchpoint)
    return count, mixed


def sighting_number(touchpoint: Touchpoint) -> int:
    """56 bits of a hash over all that the fold can tell apart: two events may say the same, and one may be seen at two times."""
    named = f"{touchpoint.key}\x1f{touchpoint.content}\x1f{touchpoint.occurred_at}"
    return int.from_bytes(blake2b(named.encode("utf-8", "surrogatepass"), digest_size=7).digest(), "big")


def _attributes(person: Person, rules: AttributeRules | None) -> tuple[dict[str, Any], ...]:
    plain = [row(name, text_of(value), order, channel, MOST_RECENT) for name, (value, order, channel) in sorted(person.attributes.items())]
    return tuple(plain) if rules is None else tuple(sorted((*plain, *rules.rows(person)), key=itemgetter("name")))


def profile(person: Person, value: Callable[[str], str], rules: AttributeRules | None = None) -> dict[str, Any]:
    """The parts of a customer record that come from touchpoints, in canonical order; `value` of an identifier is what it was made from."""

    def named(x: str) -> tuple[str, str]:
        return kind_of(x), value(x)

    return {
        "identifiers": tuple(
            {
                "kind": kind,
                "value": text,
                "first_seen": seen[0] if seen else None,
                "last_seen": seen[1] if seen else None,
            }
            for (kind, text), seen in sorted((named(x), seen) for x, seen in person.members.items())
        ),
        "attributes": _attributes(person, rules),
        "shared_identifiers": tuple(
            {
                "kind": kind,
                "value": text,
                "valid_from": person.used[x][0],
                "valid_to": ended,
                "last_seen": person.used[x][1],
            }
            for (kind, text), x, ended in sorted((named(x), x, ended) for x, ended in person.shared.items())
        ),
        "interactions": tuple(
            {"channel": channel, "type": kind, "occurred_at": at, "count": count}
            for channel, (kind, at, count) in sorted(person.interactions.items())
        ),
    }

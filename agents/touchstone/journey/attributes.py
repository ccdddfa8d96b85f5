"""A person's attributes by the rules of the topology: taken in one by one, kept within their room, told with their provenance."""

from collections.abc import Iterator
from typing import Any

import msgspec

from touchstone.journey.derived import Derivations
from touchstone.journey.survivorship import MOST_SHOWN, known_names, last_said, rank, rule_text, spare, take
from touchstone.model.component import Person
from touchstone.model.golden import Candidate, Golden, Order, Spell
from touchstone.model.touchpoint import Touchpoint
from touchstone.topology.attributes import Attributes, Survival

DERIVED = "derived"
"""The rule of a value that nobody has stated."""

_json = msgspec.json.Encoder(order="deterministic").encode
Row = dict[str, Any]


class AttributeRules:
    """`attributes:` of a topology, compiled once."""

    def __init__(self, attributes: Attributes) -> None:
        self._named = attributes.named
        self._others = attributes.others
        self._derivations = Derivations(attributes)
        self._is_derived = frozenset(one.name for one in attributes.derived)

    def observe(self, person: Person, touchpoint: Touchpoint, room: int) -> None:
        """Take in the newest touchpoint. What a producer states under the name of a derived attribute does not count."""
        golden = person.golden
        if golden is None:
            golden = person.golden = Golden()
        for name, value in touchpoint.profile.items():
            if value is None or name in self._is_derived:
                continue
            rule = self._named.get(name, self._others)
            if rule is None:
                person.attributes[name] = (value, touchpoint.order, touchpoint.channel)
            else:
                take(golden, name, rule, touchpoint, value)
        if self._derivations.collect(golden, touchpoint) or touchpoint.profile:
            self._make_room(person, golden, room)

    def follow(self, person: Person, as_of: int) -> int | None:
        """Derive anew, as of `as_of`. Returns when that changes by itself, or None."""
        return None if person.golden is None else self._derivations.follow(person.golden, as_of)

    def rows(self, person: Person) -> Iterator[Row]:
        """The attributes that have rules, as they stand in a customer's record, in no order."""
        golden = person.golden
        if golden is None:
            return
        for name in known_names(golden):
            rule = self._rule(name)
            winner, losers = rank(golden, name, rule)
            periods = golden.spells.get(name, [])
            told = winner or _ended(periods)
            if told is None:  # the room was too small for what has ended
                continue
            alternatives = tuple({**_provenance(each), "count": each.count, "lost_by": why} for each, why in losers[:MOST_SHOWN])
            yield {
                **row(name, "null" if winner is None else winner.value, told.last, told.channel, rule_text(rule)),
                "alternatives": alternatives,
                "periods": tuple(
                    {"value": one.value, "valid_from": one.since, "valid_to": one.until, "sources": tuple(one.holders)} for one in periods
                ),
            }
        for name, value in golden.derived.items():
            yield row(name, value.value, value.last, value.channel, DERIVED)

    def _rule(self, name: str) -> Survival:
        rule = self._named.get(name, self._others)
        assert rule is not None  # only what has a rule is kept
        return rule

    # -- room --------------------------------------------------------------------------------------------------------------------
    def _make_room(self, person: Person, golden: Golden, room: int) -> None:
        """Leave out what does not fit: first what lost or has ended, then whole attributes, each what was last said longest ago."""
        size = len(_json((person.attributes, golden.candidates, golden.spells, golden.collected)))
        if size <= room:
            return
        losing = [(one.last, name, one) for name in known_names(golden) for one in spare(golden, name, self._rule(name))]
        for _, name, one in sorted(losing, key=lambda each: (each[0], each[1], each[2].value, isinstance(each[2], Spell))):
            if size <= room:
                return
            some: list[Any] = golden.spells[name] if isinstance(one, Spell) else golden.candidates[name]
            some[:] = [other for other in some if other is not one]
            size -= len(_json(one))
        for _, kind, name in sorted(_whole(person, golden)):
            if size <= room:
                return
            size -= _drop(person, golden, kind, name)
            person.left_out += 1


def row(name: str, value: str, order: Order, channel: str, rule: str) -> Row:
    """An attribute in a customer's record."""
    return {
        "name": name,
        "value": value,
        "source": order[1],
        "occurred_at": order[0],
        "touchpoint": f"{order[1]}/{order[2]}",
        "rule": rule,
        "channel": channel,
        "alternatives": (),
        "periods": (),
    }


def _provenance(one: Candidate) -> Row:
    at, source, event_id = one.last
    return {"value": one.value, "source": source, "occurred_at": at, "touchpoint": f"{source}/{event_id}", "channel": one.channel}


def _ended(periods: list[Spell]) -> Spell | None:
    """Of what nothing holds any more, where it was said last."""
    return max(periods, key=lambda spell: (spell.last, spell.value), default=None)


def _whole(person: Person, golden: Golden) -> Iterator[tuple[Order, str, str]]:
    """Everything that can be left out as a whole: when it was last said, where it lies, its name."""
    yield from ((said[1], "plain", name) for name, said in person.attributes.items())
    yield from ((last_said(golden, name), "ruled", name) for name in known_names(golden))
    yield from ((max(kept.values())[0], "collected", name) for name, kept in golden.collected.items() if kept)


def _drop(person: Person, golden: Golden, kind: str, name: str) -> int:
    if kind == "plain":
        return len(_json(person.attributes.pop(name)))
    if kind == "collected":
        return len(_json(golden.collected.pop(name)))
    return len(_json(golden.candidates.pop(name, []))) + len(_json(golden.spells.pop(name, [])))

"""What invented stewards rule about generated touchpoints: rightly and wrongly, too early and too late, twice, taken back, and in vain.

Most commands are about identifiers that one touchpoint shows, so that they bite wherever that touchpoint is. What is true in the end is
for the twin to say: it reads these lines like all others.
"""

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

import msgspec

from touchstone.contracts.times import iso_text
from touchstone.testing.population import Pair, Person

_HOUR, _DAY = 3_600_000, 86_400_000
_ACTIONS = (("split", 30), ("forbid", 15), ("join", 25), ("undo", 20), ("again", 5), ("other", 3), ("refused", 7))


class Shown(NamedTuple):
    """A touchpoint as a steward knows it: whose it is, which of her identifiers it shows, and when it was received."""

    person: Person
    pairs: tuple[Pair, ...]
    received_at: int


class Ruled(NamedTuple):
    """Lines with the time of their arrival, and how many of them are no command."""

    arrivals: list[tuple[int, bytes]]
    refused: int


def rule(count: int, shown: Sequence[Shown], random: Random) -> Ruled:
    """Make up exactly so many lines about these touchpoints; none where there are none."""
    made: list[dict[str, Any]] = []
    arrivals: list[tuple[int, bytes]] = []
    refused = 0
    for number in range(count if shown else 0):
        action = random.choices([name for name, _ in _ACTIONS], [weight for _, weight in _ACTIONS])[0]
        subject = random.choice(shown)
        at = subject.received_at + random.randint(-_DAY, _DAY)
        if action == "again" and made:
            command = random.choice(made)
        elif action == "undo" and made:
            undone = random.choice(made)
            command = _command(f"st-undo-{number}", "undo", undone["at"] + random.randint(0, _DAY), undoes=undone["command_id"])
        else:
            command_id = random.choice(made)["command_id"] if action == "other" and made else f"st-{number}"
            command = _about(command_id, action, at, subject, random)
            if action == "refused":
                command, refused = _spoilt(command, refused), refused + 1
            else:
                made.append(command)
        arrival = command["at"] + random.choice((0, 0, _HOUR, _DAY)) + random.randrange(_HOUR)
        arrivals.append((arrival, msgspec.json.encode(command | {"at": iso_text(command["at"])})))
    return Ruled(arrivals, refused)


def _about(command_id: str, action: str, at: int, subject: Shown, random: Random) -> dict[str, Any]:
    """`join`: two of one person that never met, or somebody with a device that others use too. All else keeps apart what was seen as one."""
    person, (first, *rest) = subject.person, subject.pairs
    if action == "join":
        return _command(command_id, "join", at, [random.choice(person.known)], [random.choice(person.shared + person.anonymous)])
    kept = rest or [random.choice(person.known if first not in person.known else person.anonymous)]
    return _command(command_id, "forbid" if action == "forbid" else "split", at, [first], kept)


def _command(
    command_id: str, action: str, at: int, identifiers: Sequence[Pair] = (), others: Sequence[Pair] = (), undoes: str | None = None
) -> dict[str, Any]:
    command: dict[str, Any] = {"command_id": command_id, "action": action, "at": at, "who": "Person in charge", "why": "Person said so"}
    if undoes is not None:
        return command | {"undoes": undoes}
    return command | {"identifiers": _listed(identifiers), "others": _listed(others)}


def _listed(pairs: Sequence[Pair]) -> list[dict[str, str]]:
    return [{"kind": kind, "value": value} for kind, value in pairs]


def _spoilt(command: dict[str, Any], number: int) -> dict[str, Any]:
    """`number` walks through the ways in which it is no command."""
    ways: tuple[dict[str, Any], ...] = (
        {"action": "unite"},
        {"why": ""},
        {"others": command["identifiers"]},
        {"others": [{"kind": "email", "value": "test@test.com"}]},
        {"others": []},
        {"undoes": "st-0"},
    )
    return command | ways[number % len(ways)]

"""What a steward rules about who is who, as it is sent (contract in schemas/command.avsc)."""

from typing import Final

from msgspec import Struct

SPLIT: Final = "split"
JOIN: Final = "join"
FORBID: Final = "forbid"
ACCEPT: Final = "accept"
"""The answer to a review that says what `JOIN` says."""
REJECT: Final = "reject"
"""The answer to a review that says what `FORBID` says."""
UNDO: Final = "undo"
ERASE: Final = "erase"

HASHED: Final = "hash:"
"""In front of the hash of a value, where a command to erase names somebody without holding the value."""

Pair = tuple[str, str]
"""Two identifier keys, the smaller text first."""


class Command(Struct, frozen=True):
    """One command. `identifiers` and `others` are {kind, value}; each of the ones with each of the others makes a pair.

    `action` is split, join, forbid, accept, reject, undo or erase; an undo names in `undoes` the command that it takes back, and no
    identifiers. An erasure names identifiers of those who are to be forgotten, and no others.
    """

    command_id: str
    tenant: str
    action: str
    at: int
    who: str
    why: str
    identifiers: tuple[dict[str, str], ...] = ()
    others: tuple[dict[str, str], ...] = ()
    undoes: str | None = None


def joins(action: str) -> bool:
    """Whether a ruling says that the two of a pair are one person; every other says that they are not."""
    return action in {JOIN, ACCEPT}


def pair_of(x: str, y: str) -> Pair:
    """Two identifiers in the one order in which a pair is written."""
    return (x, y) if x < y else (y, x)

"""What was forgotten, by whose request: the facts of the privacy log, and the table that every worker makes of them."""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from touchstone.model.component import NEVER

ERASED = "erased"
"""The status of a customer id of somebody who was forgotten."""


class Forgotten(Struct, frozen=True):
    """Everything up to `until` (milliseconds) that names this identifier is forgotten, for ever. No value of anybody stands in it.

    `command` asked for it; `decided_at` is when a component found that the request reaches this identifier. `epochs`: earlier times up to
    which it was forgotten, of which customer ids were made. `is_generic`: touchpoints that name it may be held anywhere.
    """

    identifier: str
    until: int
    command: str
    decided_at: int
    epochs: tuple[int, ...] = ()
    is_generic: bool = False


class ForgottenTable(Mapping[str, Forgotten]):
    """Identifier -> up to when it is forgotten. Joined by maximum: facts may come again and in any order."""

    def __init__(self) -> None:
        self._facts: dict[str, Forgotten] = {}

    def __getitem__(self, identifier: str) -> Forgotten:
        """What was forgotten of an identifier."""
        return self._facts[identifier]

    def __iter__(self) -> Iterator[str]:
        """All identifiers."""
        return iter(self._facts)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._facts)

    def until(self, identifier: str) -> int:
        """Up to when it is forgotten; `NEVER` where it is not."""
        fact = self._facts.get(identifier)
        return NEVER if fact is None else fact.until

    def learn(self, fact: Forgotten) -> bool:
        """Take a fact in. True when it says something new."""
        known = self._facts.get(fact.identifier)
        joined = fact if known is None else join(known, fact)
        self._facts[fact.identifier] = joined
        return known is None or (joined.until, joined.is_generic) != (known.until, known.is_generic)


def join(one: Forgotten, other: Forgotten) -> Forgotten:
    """Both facts about one identifier as one."""
    latest = max(one, other, key=lambda fact: (fact.until, fact.command))
    epochs = sorted({*one.epochs, *other.epochs, one.until, other.until} - {latest.until})
    return replace(latest, epochs=tuple(epochs), is_generic=one.is_generic or other.is_generic)


encode_forgotten = msgspec.json.Encoder().encode
"""A fact as it stands in the privacy log."""
decode_forgotten = msgspec.json.Decoder(Forgotten).decode

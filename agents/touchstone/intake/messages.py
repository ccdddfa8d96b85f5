"""A touchpoint -> what identity is told: that its identifiers exist, that each pair belongs together, and the touchpoint itself."""

from typing import TypeVar

from touchstone.intake.recent import Recent
from touchstone.model.message import Arrive, Claim, IdentityMessage, Seen
from touchstone.model.touchpoint import Touchpoint

K = TypeVar("K")


def messages_of(touchpoint: Touchpoint, lateness_ms: int) -> list[IdentityMessage]:
    """Everything a touchpoint says about who is who.

    Each identifier claims each stronger one: to claim the anchor alone would lose what the others have in common when the anchor
    turns out to be generic (DESIGN.md 5.2). The touchpoint goes to its anchor, the strongest. Any order would do; with the claims first the
    rest mostly finds the root that they lead to.
    """
    identifiers, at = touchpoint.identifiers, touchpoint.occurred_at
    since = touchpoint.known_since(lateness_ms)
    values = touchpoint.values or (None,) * len(identifiers)
    seen = [Seen(identifier, since, value) for identifier, value in zip(identifiers, values, strict=True)]
    claims = [Claim(weak, strong, at, at) for index, weak in enumerate(identifiers) for strong in identifiers[:index]]
    return [*claims, *seen, Arrive(identifiers[0], 0, touchpoint)]


class Known:
    """Remembers what was sent and leaves out what would say nothing new.

    The same pair or identifier says something new only with an earlier time; the touchpoint itself is always new. What is forgotten
    (the memory is bounded) is merely sent again. It must be cleared where something sent was rolled back.
    """

    def __init__(self, lateness_ms: int, capacity: int = 1 << 15) -> None:
        self._lateness_ms = lateness_ms
        self._groups: Recent[tuple[str, ...], tuple[int, int]] = Recent(capacity)
        self._since: Recent[str, int] = Recent(capacity // 2)
        self._first: Recent[tuple[str, str], int] = Recent(capacity // 2)

    def send(self, touchpoint: Touchpoint, messages: list[IdentityMessage]) -> None:
        """Append the messages of the touchpoint that say something new."""
        identifiers, first = touchpoint.identifiers, touchpoint.occurred_at
        since = max(first, touchpoint.received_at - self._lateness_ms)
        told = self._groups.get(identifiers)
        if told is not None and told[0] <= since and told[1] <= first:
            messages.append(Arrive(identifiers[0], 0, touchpoint))
            return
        messages += [message for message in messages_of(touchpoint, self._lateness_ms) if self._is_new(message)]
        self._groups[identifiers] = (since, first) if told is None else (min(since, told[0]), min(first, told[1]))

    def clear(self) -> None:
        """Forget everything."""
        self._groups.clear()
        self._since.clear()
        self._first.clear()

    def _is_new(self, message: IdentityMessage) -> bool:
        if isinstance(message, Seen):
            return _lowers(self._since, message.to, message.since)
        if isinstance(message, Claim):
            return _lowers(self._first, (message.to, message.strong), message.first)
        return True


def _lowers(earliest: Recent[K, int], key: K, time: int) -> bool:
    before = earliest.get(key)
    if before is not None and before <= time:
        return False
    earliest[key] = time
    return True

"""What somebody consents to, by the definition: all statements looked at each time, nothing carried on from one to the next."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from touchstone.model.touchpoint import Touchpoint
from touchstone.topology.compile import Consent


@dataclass(frozen=True)
class Witness:
    """Has heard all of a person's touchpoints, each key once, and knows her identifiers. Limits of size are unknown to it."""

    touchpoints: Collection[Touchpoint]
    members: frozenset[str]
    purpose: str
    policy: Consent

    def agrees(self, at: int) -> bool:
        """Did she consent at that time (milliseconds), and does she now?"""
        return self._is_granted([t for t in self._speaking() if t.occurred_at <= at]) and self._is_granted(list(self._speaking()))

    def _speaking(self) -> Iterable[Touchpoint]:
        return (t for t in self.touchpoints if self.purpose in t.consents)

    def _is_granted(self, heard: list[Touchpoint]) -> bool:
        counting = [t for t in heard if not any(self._is_replaced(t, other) for other in heard)]
        if not counting:
            return self.policy.assumed
        if not self.policy.denial_wins:
            latest = max(t.occurred_at for t in counting)
            counting = [t for t in counting if t.occurred_at == latest]
        return all(t.consents[self.purpose] for t in counting)

    def _is_replaced(self, said: Touchpoint, other: Touchpoint) -> bool:
        shared = self.members.intersection(said.identifiers, other.identifiers)
        return other.source == said.source and other.occurred_at > said.occurred_at and bool(shared)

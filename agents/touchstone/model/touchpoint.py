"""One observed contact of a customer with the company, as it travels inside Touchstone."""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct


class Touchpoint(Struct, frozen=True, array_like=True):
    """A decoded, validated and normalised touchpoint; what intake makes of a record.

    `identifiers` are keys (model/identifier.py), strongest first, at least one; `values` are what they were made from, in the same order:
    None where a value was erased, and none at all where nobody knows them. `occurred_at` is corrected for the skew of the
    device's clock; `claimed_at` is what the device said where that differs, `skew` by what a clock that was badly wrong was put right
    (`sent_at` or `received_at`). Times are milliseconds since the epoch.
    `content` is a hash over everything the producer said but `sent_at` and `received_at`: equal content means the same statement.
    """

    tenant: str
    source: str
    event_id: str
    channel: str
    type: str
    occurred_at: int
    received_at: int
    identifiers: tuple[str, ...]
    content: str
    media: str | None = None
    sentiment: float | None = None
    profile: dict[str, Any] = {}
    consents: dict[str, bool] = {}
    context: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    claimed_at: int | None = None
    skew: str | None = None
    values: tuple[str | None, ...] = ()

    @property
    def key(self) -> str:
        """The de-duplication key inside the tenant: the same one twice has no effect."""
        return f"{self.source}/{self.event_id}"

    @property
    def named(self) -> Iterator[tuple[str, str]]:
        """The identifiers of which the value is known, with their values."""
        return ((x, value) for x, value in zip(self.identifiers, self.values, strict=False) if value is not None)

    def known_since(self, lateness_ms: int) -> int:
        """From when its identifiers count as known: a very late record cannot move a customer id (DESIGN.md 5.9)."""
        return max(self.occurred_at, self.received_at - lateness_ms)

    @property
    def order(self) -> tuple[int, str, str]:
        """The order of the fold."""
        return self.occurred_at, self.source, self.event_id

"""Two stories for the demo: what a company says of its customers when it learns only later who they are (B1 and B2 of the scenarios)."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from touchstone.contracts.times import iso_text
from touchstone.errors import RecordRejected
from touchstone.intake.event_time import inner_time

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS


@dataclass(frozen=True)
class Story:
    """One visitor on the web who, by phone, has bought already.

    `before`: they search, fill a cart, and somebody orders by phone with a loyalty card; `names` are these three as a moment names its
    touchpoints. `login`: the card turns out to be theirs.
    """

    card: str
    names: tuple[str, ...]
    before: tuple[bytes, ...]
    login: bytes

    @property
    def lines(self) -> tuple[bytes, ...]:
        """All touchpoints of the story."""
        return (*self.before, self.login)


@dataclass(frozen=True)
class Stories:
    """B1, B2, and the stranger whose touchpoint, three days later, moves the clock past the deadline of B2."""

    known_at_once: Story
    known_too_late: Story
    bystander: bytes

    @property
    def lines(self) -> tuple[bytes, ...]:
        """All touchpoints, in the order in which they are sent."""
        first, second = self.known_at_once, self.known_too_late
        return (*first.lines, *second.before, self.bystander, second.login)


def stories_after(ms: int) -> Stories:
    """The stories, on the day after that time (milliseconds since the epoch) and the three days that follow."""
    day = (ms // _DAY_MS + 1) * _DAY_MS
    later = day + 3 * _DAY_MS
    return Stories(
        known_at_once=_story("b1", day, login_at=_clock(day, 10, 30)),
        known_too_late=_story("b2", day, login_at=_clock(later, 10, 30)),
        bystander=_line("bystander", "app", "screen_view", _clock(later, 9, 0), device_id="demo-bystander"),
    )


def in_order_of_receipt(lines: Iterable[bytes]) -> list[bytes]:
    """The lines by the time at which they were received; what has no such time comes first."""
    return sorted(lines, key=lambda line: received_at(line) or 0)


def received_at(line: bytes) -> int | None:
    """When a line was received, or else occurred; None where it does not say or is none."""
    try:
        stated = json.loads(line)
    except ValueError:
        return None
    if not isinstance(stated, dict):
        return None
    places = [stated, *(inner for name in ("properties", "attributes") if isinstance(inner := stated.get(name), dict))]
    try:
        times = [inner_time(place, "received_at") for place in places] + [inner_time(stated, "occurred_at")]
    except RecordRejected:
        return None
    return next((at for at in times if at is not None), None)


def _story(name: str, day: int, login_at: int) -> Story:
    cookie, card = f"demo-{name}-browser", f"demo-{name}-card"
    before = (
        _line(f"{name}-search", "web", "search", _clock(day, 9, 0), cookie=cookie),
        _line(f"{name}-cart", "web", "cart_add", _clock(day, 9, 20), cookie=cookie),
        _line(f"{name}-order", "call_center", "order_paid", _clock(day, 9, 40), loyalty_id=card),
    )
    names = (f"web/demo-{name}-search", f"web/demo-{name}-cart", f"call_center/demo-{name}-order")
    return Story(card, names, before, _line(f"{name}-login", "web", "login", login_at, cookie=cookie, loyalty_id=card))


def _line(event_id: str, channel: str, kind: str, at: int, **identifiers: str) -> bytes:
    touchpoint = {
        "event_id": f"demo-{event_id}",
        "channel": channel,
        "type": kind,
        "occurred_at": iso_text(at),
        "received_at": iso_text(at),
        "identifiers": identifiers,
    }
    return json.dumps(touchpoint).encode()


def _clock(day: int, hours: int, minutes: int) -> int:
    return day + hours * _HOUR_MS + minutes * _MINUTE_MS

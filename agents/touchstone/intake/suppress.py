"""A touchpoint that names somebody who was forgotten -> what may still be said of it: that it was, and no more than that."""

from msgspec.structs import replace

from touchstone.model.erasure import ForgottenTable
from touchstone.model.message import Arrive, Claim, IdentityMessage, Seen
from touchstone.model.touchpoint import Touchpoint


def names_forgotten(touchpoint: Touchpoint, forgotten: ForgottenTable) -> bool:
    """Whether something was forgotten, at whatever time, of one of its identifiers."""
    return any(x in forgotten for x in touchpoint.identifiers)


def is_gone(touchpoint: Touchpoint, forgotten: ForgottenTable) -> bool:
    """Whether the touchpoint itself is forgotten: its anchor is, up to its time. What a generic anchor hands on is judged where it is held."""
    return forgotten.until(touchpoint.identifiers[0]) >= touchpoint.occurred_at


def messages_of_forgotten(touchpoint: Touchpoint, lateness_ms: int, forgotten: ForgottenTable) -> list[IdentityMessage]:
    """What identity is told of it.

    Keys, kinds and times stay, they are what people are judged by; the values of who was forgotten do not. Nothing of it is left out as known:
    where the touchpoint does not follow, no other message tells its times.
    """
    at, gone = touchpoint.occurred_at, is_gone(touchpoint, forgotten)
    values = [
        None if forgotten.until(x) >= at else value
        for x, value in zip(touchpoint.identifiers, touchpoint.values or (None,) * len(touchpoint.identifiers), strict=True)
    ]
    since, identifiers = touchpoint.known_since(lateness_ms), touchpoint.identifiers
    claims = [Claim(weak, strong, at, at, gone) for index, weak in enumerate(identifiers) for strong in identifiers[:index]]
    seen = [Seen(x, since, value, at) for x, value in zip(identifiers, values, strict=True)]
    return [*claims, *seen] if gone else [*claims, *seen, Arrive(identifiers[0], 0, replace(touchpoint, values=tuple(values)))]

"""What of a long or crowded history is not kept, such that leaving out commutes with everything else."""

from collections import defaultdict
from collections.abc import Iterable
from hashlib import blake2b

from touchstone.model.component import NEVER
from touchstone.model.touchpoint import Touchpoint

DAY_MS = 86_400_000

Group = tuple[tuple[str, ...], int, bool]
"""The identifiers of a touchpoint, its day (UTC), and whether it says something of consent, which a day full of other things must not drown:
whoever owns one of a group owns all, and they never part.
"""


def group_of(touchpoint: Touchpoint) -> Group:
    """The group to which a touchpoint belongs, whoever else it turns out to concern."""
    return touchpoint.identifiers, day_of(touchpoint), bool(touchpoint.consents)


def day_of(touchpoint: Touchpoint) -> int:
    """Days since the epoch."""
    return touchpoint.occurred_at // DAY_MS


def group_name(touchpoint: Touchpoint) -> str:
    """A short name of its group."""
    said = "\x1f".join((*touchpoint.identifiers, str(day_of(touchpoint)), *(["consent"] if touchpoint.consents else ())))
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=9).hexdigest()


def place(touchpoint: Touchpoint) -> tuple[int, str, str]:
    """Its place inside its group."""
    return touchpoint.occurred_at, touchpoint.key, touchpoint.content


def pace(touchpoints: Iterable[Touchpoint]) -> tuple[int, int]:
    """The newest day among them, and how many are of it."""
    days = [day_of(touchpoint) for touchpoint in touchpoints]
    newest = max(days, default=NEVER)
    return newest, days.count(newest)


def surplus(touchpoints: Iterable[Touchpoint], most: int) -> list[list[Touchpoint]]:
    """Of each group with more than `most` the rest, behind the last that counts (which comes first in its list).

    The first of a day count, and not the last: what comes from a hot identifier in its order is then turned away at the door, and moments
    that were said stand. Per identifiers, not per person: people come and go.
    """
    groups: dict[Group, list[Touchpoint]] = defaultdict(list)
    for touchpoint in touchpoints:
        groups[group_of(touchpoint)].append(touchpoint)
    return [sorted(group, key=place)[most - 1 :] for group in groups.values() if len(group) > most]


def expired(touchpoints: Iterable[Touchpoint], horizon: int, keep: int) -> list[Touchpoint]:
    """The touchpoints older than `horizon` (milliseconds) that are not among the last `keep` of their identifiers and type.

    Last, not first: that commutes with an erasure and with the horizon's own advance. Per identifiers, not per person: people come and go.
    And per purposes spoken of, or a denial would be forgotten while a grant of another type stays.
    """
    groups: dict[tuple[tuple[str, ...], str, tuple[str, ...]], list[Touchpoint]] = defaultdict(list)
    for touchpoint in touchpoints:
        if touchpoint.occurred_at < horizon:
            groups[touchpoint.identifiers, touchpoint.type, tuple(sorted(touchpoint.consents))].append(touchpoint)
    gone: list[Touchpoint] = []
    for group in groups.values():
        if len(group) > keep:
            gone += sorted(group, key=place)[:-keep]
    return gone

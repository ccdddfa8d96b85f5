"""What is forgotten of a long history, such that forgetting commutes with everything else."""

from collections import defaultdict
from collections.abc import Iterable

from touchstone.model.touchpoint import Touchpoint


def expired(touchpoints: Iterable[Touchpoint], horizon: int, keep: int) -> list[Touchpoint]:
    """The touchpoints older than `horizon` (milliseconds) that are not among the last `keep` of their identifiers and type.

    Last, not first: that commutes with an erasure and with the horizon's own advance. Per identifiers, not per person: people come and go.
    """
    groups: dict[tuple[tuple[str, ...], str], list[Touchpoint]] = defaultdict(list)
    for touchpoint in touchpoints:
        if touchpoint.occurred_at < horizon:
            groups[touchpoint.identifiers, touchpoint.type].append(touchpoint)
    gone: list[Touchpoint] = []
    for group in groups.values():
        if len(group) > keep:
            gone += sorted(group, key=lambda t: (t.occurred_at, t.key, t.content))[:-keep]
    return gone

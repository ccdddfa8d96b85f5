"""Where bytes of what was forgotten may still lie, and until when: for every topic, from its settings."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from touchstone.model.identifier import kind_of
from touchstone.privacy.receipt import FOR_EVER, Place
from touchstone.topology.compile import Topology

Settings = Mapping[str, Mapping[str, str]]
"""Topic -> its settings as the broker tells them."""

DAY_MS = 86_400_000
_CLEANING_MS = 3_600_000
"""How long a cleaner that is at work may take, and how long a broker waits before it deletes a file: said on top."""


def by_kind(identifiers: Iterable[str]) -> dict[str, int]:
    """How many identifiers there are of each kind."""
    return dict(sorted(Counter(map(kind_of, identifiers)).items()))


def places(topology: Topology, own: Mapping[str, str], settings: Settings, at: int) -> tuple[Place, ...]:
    """Every topic that may hold bytes, in the order of the flow. `own`: the application's own topics, with what they hold; `at`: the time of
    the erasure (milliseconds). A topic of which the broker says nothing is left out: it is not there.
    """
    names = topology.topics
    holds = {channel.topic: "touchpoints as they were sent; their owner decides" for channel in topology.channels.values()}
    holds |= {
        names.commands: "commands of stewards; of this one keyed hashes only, where touchstone erase sent it",
        **own,
        names.moments: "moments: customer ids and names of touchpoints, retracted",
        **{output.topic: "moments: customer ids and names of touchpoints, retracted" for output in topology.outputs},
        names.customers: "golden profiles; the last word on the customer is a tombstone",
        names.identities: "identity changes, with identifiers",
        names.reviews: "pairs that look alike, with their identifiers",
        names.deadletters: "refused records, with their bytes",
        names.privacy: "what was forgotten: keyed hashes and times",
    }
    return tuple(Place(topic, what, _until(settings[topic], at)) for topic, what in holds.items() if topic in settings)


def _until(settings: Mapping[str, str], at: int) -> str:
    """Until when a topic may hold what was written before `at` and is deleted or replaced since."""
    policy = settings.get("cleanup.policy", "delete")
    ends: list[int] = []
    if "compact" in policy:
        lag, kept = int(settings.get("max.compaction.lag.ms", -1)), int(settings.get("delete.retention.ms", DAY_MS))
        # Without a limit of the lag a cleaner may leave the newest part of a topic as it is for as long as it likes.
        ends += [lag + kept] if 0 <= lag < 10_000 * DAY_MS else []
    if "delete" in policy:
        retention = int(settings.get("retention.ms", -1))
        roll = int(settings.get("segment.ms", 7 * DAY_MS))
        ends += [] if retention < 0 else [retention + min(roll, retention)]
    return _text(at + min(ends) + _CLEANING_MS) if ends else FOR_EVER


def _text(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

"""The people of a demo shop, four ids each, and touchpoints of their devices: who is who is known beforehand.

The people are `data/retail-demo-store-users`: a user name, an iPhone, an Android phone and a browser's cookie each, all 3,000 different.
The touchpoints are invented here. Each shows one of a person's ids, or the two that meet when a device logs in or when the browser opens
the app; none shows ids of two people. Every device logs in once: a cookie and a device alone unite nobody in the reference topology.
"""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec

from touchstone.contracts.times import iso_text
from touchstone.devkit.datasets import read_lines

Pair = tuple[str, str]
"""Kind and value of an identifier."""

START_MS = 1_704_067_200_000
"""2024-01-01T00:00:00Z."""
SPAN_MS = 30 * 86_400_000
_FILE = "retail-demo-store-users"
_ALONE = ("page_view", "page_view", "search", "product_view", "cart_add", "order_paid", "delivered", "review")


class Member(NamedTuple):
    """One person's ids, as the publisher generated them."""

    user_id: str
    ios: str
    android: str
    web: str

    @property
    def pairs(self) -> tuple[Pair, Pair, Pair, Pair]:
        """The same as kind and value: user id, iPhone, Android phone, browser."""
        return ("user_id", self.user_id), ("device_id", self.ios), ("device_id", self.android), ("cookie", self.web)


def members() -> list[Member]:
    """All 750."""
    path = Path(str(files("touchstone.devkit"))) / "data" / _FILE / f"{_FILE}.people.jsonl.gz"
    decode = msgspec.json.Decoder(dict[str, str]).decode
    return [Member(**decode(line)) for line in read_lines(path)]


def touchpoints(people: Sequence[Member], seed: int, alone: int = 3) -> list[bytes]:
    """Lines in the order in which they happened; the same arguments give the same bytes.

    Args:
        people: whose.
        seed: decides when each of a person's devices logs in, and what the others are.
        alone: so many more of each person, most of which show one id.
    """
    random = Random(seed)  # noqa: S311  # reproducible, not secret
    made = [(random.randrange(SPAN_MS), pairs) for member in people for pairs in _shown(member, alone, random)]
    return [_line(f"retail-{seed}-{number}", at, pairs, random) for number, (at, pairs) in enumerate(sorted(made))]


def _shown(member: Member, alone: int, random: Random) -> list[tuple[Pair, ...]]:
    """What each touchpoint of a person shows: first three logins, then one id, or now and then a phone that the browser has opened."""
    user, *devices = member.pairs
    ios, android, web = devices
    others = [(random.choice(member.pairs),) if random.random() < 0.8 else (random.choice((ios, android)), web) for _ in range(alone)]
    return [*((device, user) for device in devices), *others]


def _line(event_id: str, at: int, pairs: Sequence[Pair], random: Random) -> bytes:
    kinds = {kind for kind, _ in pairs}
    channel = "app" if "device_id" in kinds else "web"
    what = "login" if len(pairs) > 1 and "user_id" in kinds else "app_open" if len(pairs) > 1 else random.choice(_ALONE)
    occurred = iso_text(START_MS + at)
    return msgspec.json.encode(
        {
            "event_id": event_id,
            "channel": channel,
            "type": what,
            "occurred_at": occurred,
            "received_at": occurred,
            "identifiers": dict(pairs),
        }
    )

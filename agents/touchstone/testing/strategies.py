"""Hypothesis strategies for touchpoints of the reference topology: few identifiers and times, so that they meet, tie and conflict."""

from typing import Any

from hypothesis import strategies as st

from touchstone.model.identifier import identifier_key, kind_of
from touchstone.model.touchpoint import Touchpoint

MINUTE, DAY = 60_000, 86_400_000
BEGIN_MS = 1_704_067_200_000

KINDS = ("user_id", "loyalty_id", "email", "phone", "device_id", "cookie")
"""The kinds of the reference topology, strongest first."""

UNIQUE = frozenset({"user_id", "loyalty_id"})
"""Of these a person has one at most."""

CHANNELS = ("web", "app", "call_center", "store", "iot", "social")
TYPES = (
    "ad_view",
    "search",
    "product_view",
    "cart_add",
    "quote",
    "order_paid",
    "delivered",
    "device_activated",
    "review",
    "referral",
    "refund",
    "login",
    "page_view",
)

_VALUES = {
    "user_id": "u{}",
    "loyalty_id": "l{}",
    "email": "p{}@example.org",
    "phone": "+49302000{:03d}",
    "device_id": "dev{}",
    "cookie": "c{}",
}


def identifiers(people: int = 5) -> st.SearchStrategy[tuple[str, str]]:
    """A kind and one of `people` values of that kind, already in normal form."""
    return st.tuples(st.sampled_from(KINDS), st.integers(0, people - 1)).map(lambda drawn: (drawn[0], _VALUES[drawn[0]].format(drawn[1])))


def identifier_sets(people: int = 5, most: int = 3) -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    """One to `most` different identifiers that one touchpoint may carry (never two values of a unique kind), strongest first."""
    return (
        st.lists(identifiers(people), min_size=1, max_size=most, unique=True)
        .filter(lambda pairs: all(sum(kind == k for k, _ in pairs) < 2 for kind in UNIQUE))
        .map(lambda pairs: tuple(sorted(pairs, key=lambda pair: (KINDS.index(pair[0]), pair[1]))))
    )


def times() -> st.SearchStrategy[int]:
    """Milliseconds: often equal, often exactly at a limit of the reference journey (48 h, 7 d, 14 d, 30 d), sometimes anything."""
    marks = st.sampled_from([0, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 365 * DAY])
    near = st.builds(lambda mark, off: mark + off, marks, st.sampled_from([-1, 0, 1, MINUTE]))
    return st.one_of(near, st.integers(0, 40 * DAY)).map(lambda after: BEGIN_MS + max(0, after))


@st.composite
def touchpoints(draw: st.DrawFn, people: int = 5, tenant: str = "default") -> Touchpoint:
    """A touchpoint as intake hands it on; event ids repeat sometimes, with equal or other content."""
    occurred = draw(times())
    type_, channel = draw(st.sampled_from(TYPES)), draw(st.sampled_from(CHANNELS))
    rating = draw(st.integers(1, 5))
    pairs = draw(identifier_sets(people))
    number = draw(st.integers(0, 30))
    return Touchpoint(
        tenant=tenant,
        source=channel,
        event_id=f"e{number}",
        channel=channel,
        type=type_,
        occurred_at=occurred,
        received_at=occurred + draw(st.sampled_from([0, 0, MINUTE, DAY, DAY + 1, 5 * DAY])),
        identifiers=tuple(identifier_key(tenant, kind, value) for kind, value in pairs),
        content=f"{type_} {occurred} {rating} {pairs}",
        media="owned",
        properties={"rating": rating},
    )


@st.composite
def raw_touchpoints(draw: st.DrawFn, people: int = 5) -> dict[str, Any]:
    """A touchpoint as a producer writes it in JSON, valid, with the freedoms of the format: map or list, optional fields, numbers as times."""
    made = draw(touchpoints(people))
    pairs = [(kind_of(key), key[key.index(":") + 1 :]) for key in made.identifiers]
    as_map = len(dict(pairs)) == len(pairs) and draw(st.booleans())
    raw: dict[str, Any] = {
        "event_id": made.event_id,
        "channel": made.channel,
        "type": made.type,
        "occurred_at": made.occurred_at,
        "identifiers": dict(pairs) if as_map else [{"kind": kind, "value": value} for kind, value in pairs],
        draw(st.sampled_from(["properties", "attributes"])): dict(made.properties),
    }
    if draw(st.booleans()):
        raw["received_at"] = made.received_at
    if draw(st.booleans()):
        raw["consents"] = {"marketing": draw(st.booleans())}
    return raw

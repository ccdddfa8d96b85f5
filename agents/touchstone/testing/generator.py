"""Touchpoints with a known truth: JSON Lines as producers send them, with everything that goes wrong in real life.

Everything follows from the seed: the same arguments give the same bytes. The vocabulary is that of the reference topology.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec

from touchstone.testing.population import Pair, Person, invent
from touchstone.testing.stewards import Shown, rule

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
START_MS = 1_704_067_200_000
"""2024-01-01T00:00:00Z, where generated time begins unless told otherwise."""

_TYPES = (
    ("ad_view", 10),
    ("page_view", 20),
    ("search", 15),
    ("product_view", 20),
    ("cart_add", 10),
    ("add_to_cart", 2),
    ("quote", 2),
    ("order_paid", 8),
    ("delivered", 5),
    ("device_activated", 1),
    ("review", 3),
    ("referral", 1),
    ("refund", 2),
)
_CHANNELS = (("web", 45), ("website", 3), ("app", 25), ("call_center", 7), ("store", 10), ("email", 5), ("iot", 3), ("social", 2))
_BLOCKED: tuple[Pair, ...] = (
    ("email", "test@test.com"),
    ("phone", "0000000000"),
    ("user_id", "null"),
    ("user_id", "anonymous"),
    ("cookie", ""),
)


@dataclass(frozen=True, slots=True)
class Mix:
    """How much of everything: shares of the touchpoints, between 0 and 1."""

    per_person: int = 12
    login: float = 0.12
    duplicate: float = 0.02
    conflict: float = 0.005
    garbage: float = 0.005
    disordered: float = 0.08
    late: float = 0.01
    blocked: float = 0.02
    skewed: float = 0.03
    sharing: float = 0.1
    commands: float = 0.0


@dataclass(frozen=True, slots=True)
class Generated:
    """Lines in the order of arrival, the people behind them, and how many lines neither a touchpoint nor a command can be made of."""

    lines: tuple[bytes, ...]
    people: tuple[Person, ...]
    garbage: int


def generate(touchpoints: int, seed: int, *, mix: Mix | None = None, start_ms: int = START_MS, span_ms: int = 30 * DAY) -> Generated:
    """Invent people and exactly this many lines about them, in the order in which they arrive.

    Args:
        touchpoints: number of lines, duplicates, garbage and stewards' commands included.
        seed: decides everything.
        mix: how much of each trouble.
        start_ms: when the first touchpoints occur.
        span_ms: over how long they occur; late ones arrive up to ten days after.
    """
    mix, random = mix or Mix(), Random(seed)  # noqa: S311  # reproducible, not secret
    people = invent(max(1, touchpoints // mix.per_person), random, sharing=mix.sharing)
    shares = (mix.duplicate, mix.conflict, mix.garbage, mix.commands)
    duplicates, conflicts, broken, commands = (round(touchpoints * share) for share in shares)
    shown = [
        _touchpoint(number, random.choice(people), start_ms + random.randrange(span_ms), random, mix)
        for number in range(touchpoints - duplicates - conflicts - broken - commands)
    ]
    base = [touchpoint for touchpoint, _ in shown]
    arrivals = [(touchpoint["received_at"], _line(touchpoint, random)) for touchpoint in base]
    if base:
        arrivals += [_again(random.choice(base), random) for _ in range(duplicates)]
        arrivals += [_contradicting(random.choice(base), random) for _ in range(conflicts)]
    arrivals += [(start_ms + random.randrange(span_ms), garbage_line(number, random)) for number in range(broken)]
    ruled = rule(commands, [about for _, about in shown if len(about.pairs) > 1 or about.pairs[0] in about.person.anonymous], random)
    arrivals += ruled.arrivals
    arrivals.sort()
    return Generated(tuple(line for _, line in arrivals), tuple(people), broken + ruled.refused)


def customers(count: int, touchpoints: int, seed: int, *, start_ms: int = START_MS, step_ms: int = 1) -> Iterator[bytes]:
    """For measuring: first every customer once with all identifiers, then touchpoints of customers that are known already.

    The stream is made while it is read and needs no memory for the customers. Each touchpoint occurs `step_ms` after the last.
    """
    random = Random(seed)  # noqa: S311  # reproducible, not secret
    for number in range(count + touchpoints):
        known = number < count
        customer = number if known else random.randrange(count)
        identifiers = {"cookie": f"ck-{customer}"}
        if known or random.random() < 0.2:
            identifiers |= {"user_id": f"u{customer}", "email": f"person{customer}@example.org"}
        occurred = start_ms + number * step_ms
        yield _encode(
            {
                "event_id": f"c{seed}-{number}",
                "channel": "web" if customer % 3 else "app",
                "type": _weighted(_TYPES, random),
                "occurred_at": _iso(occurred),
                "received_at": _iso(occurred),
                "identifiers": identifiers,
                "properties": {"page": f"/p/{random.randrange(1000)}", "rating": random.randint(1, 5)},
            }
        )


def garbage_line(number: int, random: Random) -> bytes:
    """One line that is no touchpoint; `number` walks through the ways in which it is none."""
    at = _iso(START_MS + random.randrange(DAY))
    whole = {
        "event_id": f"g{number}",
        "channel": "web",
        "type": "search",
        "occurred_at": at,
        "received_at": at,
        "identifiers": {"cookie": "g"},
    }
    ways: tuple[bytes, ...] = (
        b'{"event_id": "torn", "channel": "web", "identifiers": {"coo',
        b"[1, 2, 3]",
        bytes(random.choice(range(0x80, 0x100)) for _ in range(24)),
        _encode({name: value for name, value in whole.items() if name != "occurred_at"}),
        _encode({name: value for name, value in whole.items() if name != "event_id"}),
        _encode(whole | {"channel": "carrier_pigeon"}),
        _encode(whole | {"identifiers": {}}),
        _encode(whole | {"occurred_at": "the day before yesterday"}),
        _encode(whole | {"identifiers": [{"kind": "user_id", "value": "g1"}, {"kind": "user_id", "value": "g2"}]}),
        _encode(whole | {"occurred_at": "1990-01-01T00:00:00Z"}),
        _encode(whole | {"identifiers": {"email": "test@test.com"}}),
    )
    return ways[number % len(ways)]


def _touchpoint(number: int, person: Person, occurred: int, random: Random, mix: Mix) -> tuple[dict[str, Any], Shown]:
    """A touchpoint, and what of it a steward can speak of."""
    channel, type_ = _weighted(_CHANNELS, random), _weighted(_TYPES, random)
    pairs = [random.choice(person.anonymous)]
    if random.random() < mix.login:
        type_ = "login"
        pairs += random.sample(person.known, random.randint(1, len(person.known)))
        if person.shared and random.random() < 0.5:
            pairs[0] = person.shared[0]
    elif person.shared and random.random() < 0.1:
        pairs = [person.shared[0]]
    elif random.random() < 0.2:
        pairs = [random.choice(person.known)]
    own = tuple(pairs)
    if random.random() < mix.blocked:
        pairs.append(random.choice(_BLOCKED))
    received = occurred + _delay(random, mix)
    made = {
        "event_id": f"e{number}",
        "channel": channel,
        "type": type_,
        "occurred_at": occurred,
        "received_at": received,
        "identifiers": _written(pairs, random),
        "properties": {"rating": random.randint(1, 5), "page": f"/p/{random.randrange(50)}"},
    }
    if type_ == "login" and random.random() < 0.3:
        made["profile"] = {"city": random.choice(("Berlin", "Bonn", "Kiel")), "given_name": f"Person {person.number}"}
    if random.random() < mix.skewed:
        # The device's clock is wrong by the same amount whenever it is asked, so occurred and sent move together.
        skew = random.randint(-3 * DAY, 3 * DAY)
        made |= {"occurred_at": occurred + skew, "sent_at": received + skew}
    return made, Shown(person, own, received)


def _delay(random: Random, mix: Mix) -> int:
    dice = random.random()
    if dice < mix.late:
        return random.randint(DAY + HOUR, 10 * DAY)
    if dice < mix.late + mix.disordered:
        return random.randint(MINUTE, 12 * HOUR)
    return random.randint(0, 2 * SECOND)


def _again(touchpoint: dict[str, Any], random: Random) -> tuple[int, bytes]:
    """The same statement once more, later: at-least-once producers do that."""
    received = touchpoint["received_at"] + random.randint(0, 2 * DAY)
    return received, _line(touchpoint | {"received_at": received}, random)


def _contradicting(touchpoint: dict[str, Any], random: Random) -> tuple[int, bytes]:
    """The same event id with other content."""
    arrival, _ = _again(touchpoint, random)
    changed = touchpoint | {"received_at": arrival, "properties": {"rating": random.randint(1, 5), "page": "/changed"}}
    if random.random() < 0.5:
        changed["occurred_at"] = touchpoint["occurred_at"] - random.randint(1, HOUR)
    return arrival, _line(changed, random)


def _written(pairs: Sequence[Pair], random: Random) -> Any:
    """Identifiers as producers write them: a map or a list, kinds by their aliases, e-mails in any case."""
    spelled = [
        (
            "ecid" if kind == "cookie" and random.random() < 0.1 else kind,
            value.upper() if kind == "email" and random.random() < 0.2 else value,
        )
        for kind, value in pairs
    ]
    if len(dict(spelled)) == len(spelled) and random.random() < 0.7:
        return dict(spelled)
    return [{"kind": kind, "value": value} for kind, value in spelled]


def _line(touchpoint: dict[str, Any], random: Random) -> bytes:
    written = {name: _iso(value) if name.endswith("_at") else value for name, value in touchpoint.items()}
    if random.random() < 0.1:
        written["attributes"] = written.pop("properties")
    return _encode(written)


def _weighted(choices: Sequence[tuple[str, int]], random: Random) -> str:
    return random.choices([name for name, _ in choices], [weight for _, weight in choices])[0]


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_encode = msgspec.json.encode

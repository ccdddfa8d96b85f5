"""The touchpoints that everything is measured with: real ones, and made ones for what real ones do not show."""

import itertools
from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec

from touchstone.contracts.times import iso_text, milliseconds
from touchstone.devkit.datasets import read_lines
from touchstone.testing.generator import customers

REAL = "adobe-luma"
"""14 touchpoints a visit, two identifiers each, one person in 25 touchpoints: what a web site and an app see in a few days."""
RESENT = 20
"""One touchpoint in so many of `visits` is one that was sent before."""
NEW_SHARE = 10
"""One touchpoint in so many is of a customer who was never seen before."""

_TYPES = ("search", "product_view", "cart_add", "order_paid", "delivered", "review", "page_view")


def registrations(count: int, start_ms: int) -> Iterator[bytes]:
    """One touchpoint for each of `count` customers, with a cookie, a user id and an e-mail address each; one a millisecond."""
    return customers(count, 0, seed=1, start_ms=start_ms)


def mixed(known: int, count: int, start_ms: int, seed: int) -> Iterator[bytes]:
    """`count` touchpoints as on any day: of `known` customers, of whom one in five logs in, and one in ten of somebody new."""
    familiar = itertools.islice(customers(known, count, seed=seed, start_ms=start_ms - known), known, None)
    for number in range(count):
        if number % NEW_SHARE:
            yield next(familiar)
        else:
            who = f"{seed}-{number}"
            identifiers = {"cookie": f"ck-{who}", "user_id": f"u{who}", "email": f"person{who}@example.org"}
            yield stamped(_touchpoint(f"n{who}", "search", identifiers, number), start_ms + number)


def recorded(copies: int, end_ms: int, seed: int) -> Iterator[bytes]:
    """The real touchpoints of adobe-luma `copies` times over, line by line in turn, each copy with people of its own.

    In the order of their receipt, the last of which lies at `end_ms`.
    """
    lines = sorted((msgspec.json.decode(line) for line in read_lines(REAL)), key=_received)
    shift_ms = end_ms - _received(lines[-1])
    for line in lines:
        for copy in range(copies):
            yield _as_copy(line, shift_ms, f"{seed:02}{copy:02}")


def _received(line: dict[str, Any]) -> int:
    return milliseconds(line["attributes"]["received_at"])


def _as_copy(line: dict[str, Any], shift_ms: int, number: str) -> bytes:
    """The same touchpoint of somebody else, at another time."""
    return msgspec.json.encode(
        line
        | {
            "event_id": f"{number}-{line['event_id']}",
            "occurred_at": iso_text(milliseconds(line["occurred_at"]) + shift_ms),
            "received_at": iso_text(_received(line) + shift_ms),
            "identifiers": {kind: number + value[len(number) :] for kind, value in line["identifiers"].items()},
        }
    )


def visits(people: int, count: int, start_ms: int, seed: int) -> Iterator[bytes]:
    """`count` touchpoints of people who have one cookie each, in order of time; one in twenty is sent twice, the second time a little later."""
    random = Random(seed)
    sent: list[bytes] = []
    for number in range(count):
        if number % RESENT == RESENT - 1:
            yield random.choice(sent[-RESENT:])
            continue
        what = random.choice(_TYPES)
        line = stamped(
            _touchpoint(f"v{seed}-{number}", what, {"cookie": f"ck-{random.randrange(people)}"}, number) | {"channel": "web"},
            start_ms + number,
        )
        sent.append(line)
        yield line


def paced(known: int, count: int, random: Random) -> Iterator[tuple[str, bool | None, dict[str, Any]]]:
    """Touchpoints for the present: (event id, whether it merges two people, the touchpoint without its times).

    One in twenty is the visit of somebody unknown; a thousand touchpoints later the same cookie logs in as one of the `known` customers
    and buys, which makes one person of two. All others are visits of known customers. Of the visit of somebody unknown it is not known
    (None) what causes its moment: itself, or the login that shows a second later that it was the second look of a known customer.
    """
    buyers = itertools.cycle(random.sample(range(known), known))
    for number in range(count):
        event_id, merges = f"p{number}", (number % 20 == 10 and number > 1_000) if number % 20 else None
        if merges:
            what, identifiers = "order_paid", {"cookie": f"visitor-{number - 1_010}", "user_id": f"u{next(buyers)}"}
        elif merges is None:
            what, identifiers = "product_view", {"cookie": f"visitor-{number}"}
        else:
            what, identifiers = random.choice(_TYPES), {"cookie": f"ck-{random.randrange(known)}"}
        yield event_id, merges, _touchpoint(event_id, what, identifiers, number)


def stamped(touchpoint: dict[str, Any], at_ms: int) -> bytes:
    """The touchpoint as a line, as if it happened at that time."""
    at = iso_text(at_ms)
    return msgspec.json.encode(touchpoint | {"occurred_at": at, "received_at": at})


def _touchpoint(event_id: str, what: str, identifiers: dict[str, str], number: int) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "channel": "web" if number % 3 else "app",
        "type": what,
        "identifiers": identifiers,
        "properties": {"page": f"/p/{number % 1000}", "rating": 1 + number % 5},
    }

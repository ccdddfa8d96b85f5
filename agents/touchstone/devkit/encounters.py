"""Stories of who is who for `make demo-identity`: people who are known again in other words, a pair in doubt, two brothers with one tablet."""

import json
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import NamedTuple

from touchstone.contracts.times import iso_text
from touchstone.devkit.roster import SPAN_MS, START_MS, Member, members, touchpoints

SEED = 7
_ALONE = 1
_MINUTE_MS = 60_000
_DAY_MS = 24 * 60 * _MINUTE_MS
_ADA = {"first_name": "Augusta", "last_name": "Lovelace", "birth_date": "1975-12-10", "postcode": "24103", "city": "Kiel"}


class Told(NamedTuple):
    """A touchpoint: as a line, and as a moment names it."""

    line: bytes
    name: str


class Encounters(NamedTuple):
    """What happens, in the order in which it is told; identifiers are written `kind:value`.

    Attributes:
        people: Whose devices come first, in any order.
        crowd: Their touchpoints.
        shopper: A customer of the web shop, whose `account` it shows, says who she is.
        caller: Somebody orders by phone, from the number `phone`; the agent mistypes the name.
        doubtful: Somebody like her buys with a card in the store, of whom only little is known.
        login: The account and the phone together.
        brothers: The `elder` fills a cart; on a `tablet` somebody orders; the elder signs in there once.
    """

    people: tuple[Member, ...]
    crowd: tuple[bytes, ...]
    shopper: Told
    caller: Told
    doubtful: Told
    login: Told
    brothers: tuple[Told, ...]
    account: str = "user_id:augusta"
    phone: str = "phone:+49431123456"
    card: str = "loyalty_id:L7"
    elder: str = "user_id:john"
    tablet: str = "device_id:tablet-1"

    @property
    def lines(self) -> tuple[bytes, ...]:
        """Everything that is sent, in its order."""
        told = (self.shopper, self.caller, self.doubtful, self.login, *self.brothers)
        return (*self.crowd, *(each.line for each in told))


def encounters(seed: int = SEED) -> Encounters:
    """The stories; the crowd before them in an order that the seed decides."""
    people = members()
    crowd = touchpoints(people, seed, _ALONE)
    Random(seed).shuffle(crowd)  # noqa: S311  # reproducible, not secret
    day = START_MS + SPAN_MS + _DAY_MS
    account, phone, card, tablet = {"user_id": "augusta"}, {"phone": "+49431123456"}, {"loyalty_id": "L7"}, {"device_id": "tablet-1"}
    elder = {"user_id": "john"}
    mistyped = _ADA | {"last_name": "Lovlace"}
    little = {"first_name": "A.", "last_name": "Lovelace", "postcode": "24103", "city": "Kiel"}
    return Encounters(
        people=tuple(people),
        crowd=tuple(crowd),
        shopper=_told("search", "web", "search", day + 540 * _MINUTE_MS, account, _ADA | {"street": "Hafenweg 3"}),
        caller=_told("order", "call_center", "order_paid", day + 580 * _MINUTE_MS, phone, mistyped),
        doubtful=_told("card", "store", "order_paid", day + 600 * _MINUTE_MS, card, little),
        login=_told("login", "app", "login", day + 660 * _MINUTE_MS, account | phone),
        brothers=(
            _told("elder-cart", "web", "cart_add", day + 700 * _MINUTE_MS, elder),
            _told("tablet-order", "app", "order_paid", day + 710 * _MINUTE_MS, tablet),
            _told("tablet-login", "app", "login", day + 720 * _MINUTE_MS, elder | tablet),
        ),
    )


def who_topology_path() -> Path:
    """The topology of these stories, as shipped."""
    return Path(str(files("touchstone.devkit"))) / "who.topology.yaml"


def _told(name: str, channel: str, what: str, at: int, identifiers: dict[str, str], profile: dict[str, str] | None = None) -> Told:
    said = {
        "event_id": f"who-{name}",
        "channel": channel,
        "type": what,
        "occurred_at": iso_text(at),
        "received_at": iso_text(at),
        "identifiers": identifiers,
    }
    return Told(json.dumps(said | ({"profile": profile} if profile else {})).encode(), f"{channel}/who-{name}")

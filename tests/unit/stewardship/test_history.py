"""What the channels' topics tell of people."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchstone.errors import UsageError
from touchstone.identity.ordering import Ordering
from touchstone.runtime.program import Record
from touchstone.stewardship.history import History
from touchstone.topology.compile import Matching
from touchstone.topology.load import default_topology_path, load_topology

SHOP = replace(
    load_topology(default_topology_path()),
    matching=Matching({"name": "full_name", "town": "city"}, {"email": "email"}, None, 100, None, None, 50, None),
)


def record(number: int, profile: dict[str, Any], value: bytes | None = None, **identifiers: str) -> Record:
    """A touchpoint on the web."""
    stated = {
        "event_id": f"e{number}",
        "type": "profile",
        "occurred_at": "2026-03-02T12:00:00Z",
        "identifiers": identifiers,
        "profile": profile,
    }
    return Record("touchpoints.web.v1", 0, number, 0, None, json.dumps(stated).encode() if value is None else value, ())


TOLD = [
    record(1, {"name": "Ada Lovelace", "town": "London"}, user_id="u1"),
    record(2, {"name": "ADA LOVELACE", "town": "London"}, user_id="u1"),  # the same in other letters
    record(3, {"name": "Ada King", "town": "London"}, user_id="u1"),
    record(4, {"name": "Ada Lovelace", "town": "London"}, user_id="u2", email="ada@x.org"),
    record(5, {"colour": "red"}, user_id="u3"),
    record(6, {}, value=b"{broken"),
]


@given(st.permutations(TOLD))
def test_every_description_of_an_identifier_counts_once(told: list[Record]) -> None:
    """Law: in any order and again, the same records; what says nothing of people, or is refused, is none."""
    history = History(SHOP)
    for one in told + told:
        history.take(one)

    first, second = (Ordering(SHOP.kinds).key("default", "user_id", value) for value in ("u1", "u2"))
    assert sorted((found.id.split()[0], sorted(found.values.values())) for found in history.records) == sorted(
        [
            (first, ["ada", "king", "london"]),
            (first, ["ada", "london", "lovelace"]),
            (second, ["ada", "ada@x.org", "london", "lovelace"]),
        ]
    )


def test_records_come_in_one_order_whatever_was_said_first() -> None:
    """So that the same touchpoints give the same model."""
    one, other = History(SHOP), History(SHOP)
    for told in TOLD:
        one.take(told)
    for told in reversed(TOLD):
        other.take(told)

    assert one.records == other.records


def test_without_matching_nothing_says_what_is_compared() -> None:
    """The user is told which key the topology lacks."""
    with pytest.raises(UsageError, match="expected `matching` in the topology retail, found none"):
        History(replace(SHOP, matching=None))

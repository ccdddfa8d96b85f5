"""What the stages say to each other survives the wire."""

import msgspec
import pytest

from tests.unit.journey.desk import touchpoint
from touchstone.model import message as m
from touchstone.model.component import Described, Likeness, Ruling

DESCRIBED = Described("x", "r1", {"given": "ada"}, 3)
SAID = [
    m.Arrive("x", 1, touchpoint(0, "search", "email:a", "cookie:1", profile={"city": "Bonn"}, consents={"marketing": True})),
    m.Seen("x", -5),
    m.Claim("x", "y", -2, 3),
    m.Ask("x", "y", granted=True, first=-2, last=3),
    m.Unite("x", "y"),
    m.Describe("x", DESCRIBED, ("b1", "b2")),
    m.Match("x", Likeness("x", "y", ("r1", "r2"), 7.5, 3, ("b1",), (3, 4)), (DESCRIBED, DESCRIBED), is_accepted=True),
    m.Lend("x", "y", "r1"),
    m.Revoke("x", "r1", 5),
    m.Meet("x", "y"),
    m.Drop("x", "y", "r1", 5),
    m.Close("x", "b1"),
    m.Order("x", "split", 3, "hash", (("y", "z"),)),
    m.Undo("x", "w1"),
    m.Rule("y", Ruling(("y", "z"), "join", 3, "s1", "hash", undone_by="w1")),
    m.Compress("x", "y"),
]
TOLD = [
    m.AddTouchpoint("x", 0, touchpoint(0)),
    m.AddSeen("x", "y", 3),
    m.AddEdge("x", "y", "z", 1, 2),
    m.AddLikeness("x", Likeness("x", "y", ("r1", "r2"), 7.5, 3, ("b1",), (3, 4)), (DESCRIBED, DESCRIBED)),
    m.AddClosed("x", "b1"),
    m.AddDropped("x", "y", "r1", 5),
    m.AddRuling("x", Ruling(("y", "z"), "split", 3, "s1", "hash")),
    m.AddGeneric("x", "y"),
    m.Absorb("x", "y"),
    m.Piece("x", "y", 0, 2, -(1 << 62), (("nx", b"\x00"),)),
]


@pytest.mark.parametrize("message", SAID, ids=lambda message: type(message).__name__)
def test_what_identity_is_told_comes_back_as_it_was(message: m.IdentityMessage) -> None:
    """Through msgpack."""
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=m.IdentityMessage) == message


@pytest.mark.parametrize("message", TOLD, ids=lambda message: type(message).__name__)
def test_what_journey_is_told_comes_back_as_it_was(message: m.JourneyMessage) -> None:
    """Through msgpack."""
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=m.JourneyMessage) == message


def test_no_two_messages_share_a_tag() -> None:
    """Identity's are lower case, journey's upper case: one that goes astray is refused, not misread."""
    tags = [type(message).__struct_config__.tag for message in SAID + TOLD]

    assert len(set(tags)) == len(tags)
    assert all(str(type(message).__struct_config__.tag).islower() for message in SAID)
    assert all(str(type(message).__struct_config__.tag).isupper() for message in TOLD)

"""Touchpoints of who was forgotten: what is still said of them."""

import msgspec

from tests.unit.intake.shop import HOUR, NOON, SHOP, record, touchpoint
from touchstone.identity.ordering import Readable
from touchstone.intake.agent import Intake
from touchstone.model.erasure import Forgotten, ForgottenTable
from touchstone.model.message import Arrive, Claim, IdentityMessage, Seen
from touchstone.observe.metrics import SUPPRESSED, Counts

ADA, DEVICE = "default/user_id:ada", "default/device_id:dev9"


def told(at: int, forgotten: str, until: int = NOON) -> tuple[list[IdentityMessage], Counts]:
    """What identity is told of a login at that time, when one identifier is forgotten."""
    table, counts, messages = ForgottenTable(), Counts(), list[IdentityMessage]()
    table.learn(Forgotten(forgotten, until, "x1", until))
    intake = Intake(SHOP, Readable(SHOP.kinds), counts, forgotten=table)
    stated = touchpoint(occurred_at=at, received_at=at, identifiers={"user_id": "ada", "device_id": "dev9"}, profile={"city": "Bonn"})
    intake.take(record(msgspec.json.encode(stated)), messages)
    return messages, counts


def test_a_touchpoint_whose_anchor_is_forgotten_is_not_sent() -> None:
    """Exactly at the time too; keys and times are, and the value of whom it does not concern."""
    messages, counts = told(NOON, ADA)

    assert messages == [
        Claim(DEVICE, ADA, NOON, NOON, is_bare=True),
        Seen(ADA, NOON, None, NOON),
        Seen(DEVICE, NOON, "dev9", NOON),
    ]
    assert counts.of(SUPPRESSED, "web") == 1


def test_a_later_touchpoint_is_sent_and_says_that_she_is_back() -> None:
    """With her value, and the time at which she was seen."""
    messages, counts = told(NOON + 1, ADA)

    assert [type(message) for message in messages] == [Claim, Seen, Seen, Arrive]
    assert messages[1] == Seen(ADA, NOON + 1, "ada", NOON + 1)
    assert counts.of(SUPPRESSED, "web") == 0


def test_another_identifier_that_is_forgotten_loses_its_value_only() -> None:
    """The touchpoint is somebody else's, and stays."""
    messages, _ = told(NOON - HOUR, DEVICE)

    (arrived,) = [message for message in messages if isinstance(message, Arrive)]
    assert arrived.touchpoint.values == ("ada", None)
    assert Seen(DEVICE, NOON - HOUR, None, NOON - HOUR) in messages

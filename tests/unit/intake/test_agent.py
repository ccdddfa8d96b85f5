"""Stage 1 by its stories: what comes in, and what identity is told or which dead letter is written."""

from hashlib import sha256

import msgspec
import pytest

from tests.unit.intake.shop import DAY, HOUR, NOON, SHOP, accepted, intake, record, rejected, take, touchpoint
from touchstone.contracts.codec import bundled_codec
from touchstone.contracts.times import milliseconds
from touchstone.errors import InvariantBroken
from touchstone.identity.ordering import Ordering
from touchstone.intake.agent import Intake
from touchstone.intake.touchpoint import Accepted
from touchstone.model.message import Arrive, Claim, IdentityMessage, Seen
from touchstone.model.output import DeadLetter
from touchstone.observe.metrics import DEAD_LETTERS, IGNORED_IDENTIFIERS, LATE, Counts
from touchstone.runtime.program import Record


def test_identity_is_told_of_the_identifiers_their_pairs_and_the_touchpoint() -> None:
    """A login (A1): both exist, the cookie claims the user, the touchpoint goes to the user, its anchor."""
    messages: list[IdentityMessage] = []

    result = intake().take(record(msgspec.json.encode(touchpoint(type="login", identifiers={"cookie": "c1", "user_id": "u1"}))), messages)

    assert isinstance(result, Accepted)
    user, cookie = "default/user_id:u1", "default/cookie:c1"
    assert result.touchpoint.identifiers == (user, cookie)
    assert messages == [
        Claim(cookie, user, NOON, NOON),
        Seen(user, NOON, "u1"),
        Seen(cookie, NOON, "c1"),
        Arrive(user, 0, result.touchpoint),
    ]


def test_no_key_holds_a_value() -> None:
    """A key is made of a keyed hash: the value travels beside it, where it can be erased, and the same value has the same key."""
    messages: list[IdentityMessage] = []
    agent = Intake(SHOP, Ordering(SHOP.kinds, b"ours"), Counts())
    stated = touchpoint(identifiers={"email": " Ada@X.org", "user_id": "ada"})

    first, again = (agent.take(record(msgspec.json.encode(stated | {"event_id": one})), messages) for one in ("e1", "e2"))

    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert first.touchpoint.identifiers == again.touchpoint.identifiers
    assert dict(first.touchpoint.named) == dict(zip(first.touchpoint.identifiers, ("ada", "ada@x.org"), strict=True))
    assert [message for message in messages if "ada" in message.to] == []
    assert {message.to: message.value for message in messages if isinstance(message, Seen)} == dict(first.touchpoint.named)
    assert first.touchpoint.identifiers != intake().take(record(msgspec.json.encode(stated)), []).touchpoint.identifiers  # type: ignore[union-attr]  # it passed above


def test_a_known_pair_is_not_claimed_again() -> None:
    """Only the touchpoint is sent where nothing about its identifiers is new; an earlier one says something new."""
    agent, messages = intake(), list[IdentityMessage]()
    for event_id, at in (("e1", NOON), ("e2", NOON + HOUR), ("e3", NOON - HOUR)):
        stated = touchpoint(event_id=event_id, occurred_at=at, received_at=at, identifiers={"cookie": "c1", "user_id": "u1"})
        agent.take(record(msgspec.json.encode(stated)), messages)

    assert [type(message).__name__ for message in messages] == [
        "Claim",
        "Seen",
        "Seen",
        "Arrive",
        "Arrive",
        "Claim",
        "Seen",
        "Seen",
        "Arrive",
    ]


def test_what_was_rolled_back_is_said_again() -> None:
    """After `forget` the same touchpoint says everything once more."""
    agent, messages = intake(), list[IdentityMessage]()
    agent.take(record(msgspec.json.encode(touchpoint())), messages)
    agent.forget()

    agent.take(record(msgspec.json.encode(touchpoint())), messages)

    assert len(messages) == 4


def test_a_kiosk_device_is_an_identifier_like_any_other_here() -> None:
    """A8 at intake: alice and bob each claim the device; alone it is its own anchor. Who owns it is decided later."""
    anchors = [
        accepted(touchpoint(identifiers=identifiers)).touchpoint.identifiers[0]
        for identifiers in ({"user_id": "alice", "device_id": "dev9"}, {"user_id": "bob", "device_id": "dev9"}, {"device_id": "dev9"})
    ]

    assert anchors == ["default/user_id:alice", "default/user_id:bob", "default/device_id:dev9"]


def test_placeholders_are_counted_and_the_rest_is_used() -> None:
    """A9: blocked values in any spelling never become identifiers; the touchpoint goes on with the others."""
    counts = Counts()
    identifiers = {
        "email": " TEST@test.com",
        "phone": "000-000 0000",
        "user_id": "Null",
        "loyalty_id": None,
        "shoe_size": 42,
        "cookie": "c1",
    }

    result = accepted(touchpoint(identifiers=identifiers), intake(counts))

    assert result.touchpoint.identifiers == ("default/cookie:c1",)
    assert {(labels, count) for metric, labels, count in counts.items() if metric is IGNORED_IDENTIFIERS} == {
        (("email", "blocked"), 1),
        (("phone", "blocked"), 1),
        (("user_id", "blocked"), 1),
        (("loyalty_id", "unusable"), 1),
        (("unknown", "unknown_kind"), 1),
    }


def test_only_placeholders_are_a_dead_letter() -> None:
    """A9: with no usable identifier nobody can say whom it concerns."""
    assert rejected(touchpoint(identifiers={"email": "test@test.com", "user_id": "null"})).reason == "no_usable_identifier"


def test_two_values_of_a_unique_kind_are_a_dead_letter() -> None:
    """A11: it is not lost, but it merges nobody; the text names the kind, never the values."""
    counts = Counts()

    letter = rejected(touchpoint(identifiers={"user_id": ["u1", "u2"], "cookie": "c1"}), intake(counts))

    assert (letter.reason, "user_id" in letter.detail, "u1" in letter.detail) == ("two_unique_values", True, False)
    assert counts.of(DEAD_LETTERS, "two_unique_values") == 1


def test_one_value_of_a_unique_kind_in_two_spellings_is_one() -> None:
    """Duplicates collapse after normalisation; a placeholder beside it is no second value."""
    result = accepted(touchpoint(identifiers=[{"kind": "user_id", "value": value} for value in ("7", 7, " 7 ", "null")]))

    assert result.touchpoint.identifiers == ("default/user_id:7",)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no_value"),
        (b"", "invalid_json"),
        (b'{"event_id": ', "invalid_json"),
        (b'{"event_id": "\xff"}', "invalid_json"),
        (b"[" * 60_000, "nesting_too_deep"),
        (b"[1, 2]", "not_an_object"),
        (b"null", "not_an_object"),
        (b" " * 5_000_000, "too_large"),
        (msgspec.json.encode(touchpoint(channel="telepathy")), "unknown_channel"),
        (msgspec.json.encode(touchpoint(channel=7)), "invalid_field"),
    ],
    ids=["tombstone", "nothing", "cut off", "no utf-8", "60,000 deep", "a list", "null", "5 MB", "unknown channel", "channel is a number"],
)
def test_bad_input_is_a_dead_letter_with_its_origin_and_bytes(value: bytes | None, reason: str) -> None:
    """E1: a machine-readable reason, topic, partition and offset, and the original bytes, of large ones the first 64 KiB."""
    bad = Record("touchpoints.web.v1", 3, 42, NOON, b"k", value, (("h", b"v"),))

    letter = intake().take(bad, [])

    assert isinstance(letter, DeadLetter)
    raw = value or b""
    assert (letter.reason, letter.channel, letter.topic, letter.partition, letter.offset) == (reason, "web", "touchpoints.web.v1", 3, 42)
    assert (letter.key, letter.value, letter.size, letter.sha256) == (b"k", raw[: 64 * 1024], len(raw), sha256(raw).hexdigest())
    assert (letter.headers, letter.occurred_at) == ((("h", b"v"),), NOON)
    assert bundled_codec().decode_record(bundled_codec().encode_dead_letter(letter)) == letter


@pytest.mark.parametrize("stamp", [-(1 << 62), -(10**15), 10**15, 1 << 62])
@pytest.mark.parametrize("value", [None, msgspec.json.encode(touchpoint() | {"received_at": None})])
def test_a_stamp_beyond_the_calendar_is_the_nearest_time_within(stamp: int, value: bytes | None) -> None:
    """Kafka takes any number from a producer whose topic is not stamped by the brokers; whatever comes of the record can be written."""
    result = intake().take(Record("touchpoints.web.v1", 3, 42, stamp, None, value, ()), [])

    time = result.occurred_at if isinstance(result, DeadLetter) else result.touchpoint.occurred_at
    assert milliseconds(time) == time


@pytest.mark.parametrize("name", ["event_id", "type", "occurred_at", "identifiers"])
def test_a_missing_field_is_named(name: str) -> None:
    """E1: what is required and not there is said by name; null counts as missing."""
    without = touchpoint(**{name: None})

    for stated in (without, without | {name: None}):
        letter = rejected(stated)
        assert (letter.reason, letter.detail.split(":")[0]) == ("missing_field", name)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"event_id": ""}, "invalid_field"),
        ({"event_id": "x" * 513}, "invalid_field"),
        ({"event_id": "a\x00b"}, "invalid_field"),
        ({"event_id": [1]}, "invalid_field"),
        ({"type": ""}, "invalid_field"),
        ({"tenant": "a/b"}, "invalid_field"),
        ({"tenant": "a\n"}, "invalid_field"),
        ({"source": "shop/eu"}, "invalid_field"),
        ({"media": "borrowed"}, "invalid_field"),
        ({"sentiment": 1.5}, "invalid_field"),
        ({"consents": {"marketing": "yes"}}, "invalid_field"),
        ({"properties": {"n": 1 << 63}}, "invalid_field"),
        ({"properties": {"deep": [{"n": -(1 << 64)}]}}, "invalid_field"),
        ({"profile": []}, "invalid_field"),
        ({"identifiers": "c1"}, "invalid_field"),
        ({"identifiers": [{"value": "c1"}]}, "invalid_field"),
        ({"identifiers": {}}, "no_usable_identifier"),
        ({"identifiers": {"cookie": [f"c{n}" for n in range(33)]}}, "too_many_identifiers"),
        ({"occurred_at": "2024-06-10T12:00:00"}, "invalid_time"),
        ({"occurred_at": 1.5}, "invalid_time"),
        ({"received_at": "soon"}, "invalid_time"),
        ({"sent_at": True}, "invalid_time"),
    ],
    ids=str,
)
def test_a_wrong_field_is_refused_without_repeating_it(fields: dict[str, object], reason: str) -> None:
    """E1: what was expected, nothing of what was written."""
    letter = rejected(touchpoint(**fields))

    assert letter.reason == reason
    assert not any(isinstance(value, str) and value and value in letter.detail for value in fields.values())


def test_the_same_record_gives_the_same_letter() -> None:
    """The id comes from where the record lies, so a replay says nothing new."""
    assert rejected(touchpoint(type=""), offset=1) == rejected(touchpoint(type=""), offset=1)
    assert rejected(touchpoint(type=""), offset=1).letter_id != rejected(touchpoint(type=""), offset=2).letter_id


def test_what_is_older_than_the_retention_is_too_old() -> None:
    """C2: the boundary itself still counts; one millisecond more does not."""
    at_the_edge = touchpoint(occurred_at=NOON - SHOP.retention_ms, received_at=NOON)

    assert accepted(at_the_edge).is_late
    assert rejected(at_the_edge | {"occurred_at": NOON - SHOP.retention_ms - 1}).reason == "too_old"


def test_what_comes_later_than_the_lateness_is_counted() -> None:
    """C2: nine days late is folded in all the same; exactly the lateness is not late."""
    counts = Counts()
    agent = intake(counts)

    late = accepted(touchpoint(occurred_at=NOON - 9 * DAY), agent)
    in_time = accepted(touchpoint(occurred_at=NOON - SHOP.lateness_ms), agent)

    assert (late.is_late, in_time.is_late, counts.of(LATE, "web")) == (True, False, 1)


def test_a_record_in_avro_says_what_it_says_in_json() -> None:
    """The ad channel speaks Avro: the same touchpoint, the same content."""
    stated = touchpoint(channel="ad", properties={"n": 1, "x": None}, consents={"ads": True}, sentiment=-0.5, source="dsp", media="shared")
    in_avro = intake().take(record(bundled_codec().encode_touchpoint(stated), "ad"), [])

    assert isinstance(in_avro, Accepted)
    assert in_avro.touchpoint == accepted(stated).touchpoint


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b'{"event_id": "e1"}', "invalid_avro"),
        (b"\x00\x00\x00\x00\x63abc", "unknown_schema"),
        (b"\x00\x00\x00\x00\x01abc", "invalid_avro"),
        (bundled_codec().encode_dead_letter(rejected(touchpoint(type=""))), "unknown_schema"),
    ],
    ids=["json", "unknown id", "cut off", "a dead letter"],
)
def test_bad_avro_is_a_dead_letter(value: bytes, reason: str) -> None:
    """E1: a wrong schema version or no wire format at all never stops the partition."""
    letter = intake().take(record(value, "ad"), [])

    assert isinstance(letter, DeadLetter)
    assert letter.reason == reason


def test_channels_types_and_kinds_may_be_named_by_their_alias() -> None:
    """Aliases are resolved before anything else sees them; the medium is the channel's."""
    found = accepted(touchpoint(channel="call_centre", type="add_to_cart", identifiers={"ecid": 12})).touchpoint

    assert (found.channel, found.type, found.media, found.source) == ("call_center", "cart_add", "owned", "call_center")
    assert found.identifiers == ("default/cookie:12",)


def test_a_touchpoint_without_a_channel_belongs_to_that_of_its_topic() -> None:
    """So does its medium and, unless it says otherwise, its source."""
    found = accepted(touchpoint(), channel="social").touchpoint

    assert (found.channel, found.media, found.source, found.tenant) == ("social", "earned", "social", "default")


def test_tenants_never_share_an_identifier() -> None:
    """A15: the tenant is part of every key."""
    first, second = (accepted(touchpoint(tenant=tenant)).touchpoint.identifiers for tenant in ("x", "y"))

    assert not set(first) & set(second)


def test_attributes_are_read_as_properties() -> None:
    """Where both say something, properties have the last word."""
    found = accepted(touchpoint(attributes={"a": 1, "b": 1}, properties={"b": 2})).touchpoint

    assert found.properties == {"a": 1, "b": 2}


def test_a_record_of_a_strange_topic_is_our_own_bug() -> None:
    """The runtime must not have handed it over."""
    with pytest.raises(InvariantBroken, match=r"touchpoints\.fax\.v1"):
        take(touchpoint(), channel="fax")


def test_unknown_fields_are_ignored() -> None:
    """A producer may say more than we read, even numbers we could not hold."""
    assert accepted(touchpoint(extra={"n": 1 << 80})).touchpoint == accepted(touchpoint()).touchpoint


def test_a_letter_fits_into_a_record_whatever_the_record_was_like() -> None:
    """Of a huge key and huge headers the letter keeps a beginning: it must never be what stops the partition."""
    record = Record("touchpoints.web.v1", 0, 0, NOON, b"k" * 2_000_000, b"not json", [("h" * 5_000, b"x" * 1_100_000)] * 100)

    letter = intake().take(record, [])

    assert isinstance(letter, DeadLetter)
    assert len(bundled_codec().encode_dead_letter(letter)) < 128 * 1024

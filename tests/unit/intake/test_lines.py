"""A line of JSON becomes the record that `produce` and the twin both feed."""

from dataclasses import replace
from unittest.mock import ANY

import msgspec
import pytest

from tests.unit.intake.shop import DAY, NOON, SHOP, intake, touchpoint
from touchstone.contracts.codec import bundled_codec
from touchstone.intake.event_time import RECEIVED_AT
from touchstone.intake.lines import prepare_line
from touchstone.intake.touchpoint import Accepted
from touchstone.runtime.program import Record

RECEIVED = "2024-06-10T12:00:00.000Z"


def test_a_line_goes_to_its_channels_topic_under_its_first_identifier() -> None:
    """The channel's alias is resolved; the time of receipt is set to the time of occurrence."""
    line = msgspec.json.encode(touchpoint(channel="website", identifiers={"ecid": 7, "user_id": "u1"}))

    prepared = prepare_line(line, SHOP)

    assert prepared == ("touchpoints.web.v1", b"ecid:7", line, ((RECEIVED_AT, str(NOON).encode()),))


@pytest.mark.parametrize("occurred_at", [NOON, "2024-06-10T12:00:00.000Z", "yesterday", None])
@pytest.mark.parametrize("padding", [0, 1])
def test_the_limit_of_size_is_that_of_the_line_as_it_was_sent(occurred_at: object, padding: int) -> None:
    """Exactly at the limit it is judged by what it says, one byte more is too large; its dead letter holds the bytes that were sent."""
    short = msgspec.json.encode(touchpoint(occurred_at=occurred_at, note=""))
    line = msgspec.json.encode(touchpoint(occurred_at=occurred_at, note="x" * (SHOP.record_bytes - len(short) + padding)))
    assert len(line) == SHOP.record_bytes + padding

    for shift_ms in (0, DAY)[: 1 + padding]:
        prepared = prepare_line(line, SHOP, shift_ms)
        result = intake().take(Record(prepared.topic, 0, 0, NOON + DAY, prepared.key, prepared.value, prepared.headers), [])

        assert prepared.value == line
        is_time = occurred_at not in {None, "yesterday"}
        assert getattr(result, "reason", None) == ("too_large" if padding else None if is_time else ANY)
        if isinstance(result, Accepted):
            assert result.touchpoint.received_at == result.touchpoint.occurred_at == NOON


def test_the_header_counts_after_the_touchpoint_and_before_the_record() -> None:
    """Who says when it was received: the touchpoint itself, else a header, else the broker. A header that is no time is a dead letter."""

    def received(headers: tuple[tuple[str, bytes], ...], **fields: object) -> object:
        result = intake().take(Record("touchpoints.web.v1", 0, 0, NOON, None, msgspec.json.encode(touchpoint(**fields)), headers), [])
        return result.touchpoint.received_at if isinstance(result, Accepted) else result.reason

    header = ((RECEIVED_AT, str(NOON + 1).encode()),)
    assert received(header, received_at=NOON + 2) == NOON + 2
    assert received(header, properties={"received_at": NOON + 3}) == NOON + 3
    assert received((("other", b"x"), *header)) == NOON + 1
    assert received(()) == NOON
    for wrong in (b"", b"soon", b"9" * 5_000, b"\xff"):
        assert received(((RECEIVED_AT, wrong),)) == "invalid_time"


@pytest.mark.parametrize("place", [{"received_at": NOON}, {"attributes": {"received_at": RECEIVED}}, {"properties": {"received_at": NOON}}])
def test_a_line_that_says_when_it_was_received_stays_as_it_is(place: dict[str, object]) -> None:
    """Byte for byte, but for the line end."""
    line = msgspec.json.encode(touchpoint(**place))

    prepared = prepare_line(line + b"\r\n", SHOP)

    assert (prepared.value, prepared.headers) == (line, ())


@pytest.mark.parametrize(
    "line", [b"{", b"[1]", b"", b'{"channel": "telepathy"}', b'{"channel": 7}', b"[" * 5_000, b"\xff", b'{"a": 1e999}']
)
def test_a_line_nobody_can_place_goes_unchanged_to_the_first_channel(line: bytes) -> None:
    """So that the pipeline makes a dead letter of it, live and in the twin alike."""
    assert prepare_line(line, SHOP) == ("touchpoints.web.v1", None, line, ())


def test_all_times_move_by_one_amount() -> None:
    """Top level and inside, texts stay texts and numbers numbers; what is no time stays."""
    stated = touchpoint(sent_at=NOON, attributes={"received_at": RECEIVED, "sent_at": "never", "page": "/"})

    moved = msgspec.json.decode(prepare_line(msgspec.json.encode(stated), SHOP, shift_ms=DAY).value)

    assert moved == stated | {
        "occurred_at": "2024-06-11T12:00:00.000Z",
        "sent_at": NOON + DAY,
        "attributes": {"received_at": "2024-06-11T12:00:00.000Z", "sent_at": "never", "page": "/"},
    }


def test_a_channel_that_speaks_avro_is_fed_avro() -> None:
    """The same line is accepted there; one that Avro cannot say goes unchanged."""
    line = msgspec.json.encode(touchpoint(channel="ad"))

    prepared = prepare_line(line, SHOP)

    assert isinstance(intake().take(Record(prepared.topic, 0, 0, NOON, prepared.key, prepared.value, prepared.headers), []), Accepted)
    assert prepare_line(b'{"channel": "ad"}', SHOP).value == b'{"channel": "ad"}'


@pytest.mark.parametrize(
    ("identifiers", "key"),
    [
        ([{"kind": "email", "value": "A@b"}], b"email:A@b"),
        ({"cookie": ["c1", "c2"]}, b"cookie:c1"),
        ({"cookie": None, "x": 1}, b"x:1"),
        ([], None),
        (7, None),
    ],
)
def test_the_key_is_the_first_identifier_as_stated(identifiers: object, key: bytes | None) -> None:
    """Map or list, text or number; without any there is no key."""
    assert prepare_line(msgspec.json.encode(touchpoint(identifiers=identifiers)), SHOP).key == key


def test_the_first_channel_is_the_first_of_the_topology() -> None:
    """Whatever its name."""
    topology = replace(SHOP, channels={"app": SHOP.channels["app"]})

    assert prepare_line(b"{", topology).topic == "touchpoints.app.v1"


def test_an_identifier_too_long_to_be_used_is_no_key() -> None:
    """A key of a megabyte would travel into the dead letter and beyond what a topic takes."""
    line = msgspec.json.encode(touchpoint(identifiers={"cookie": "y" * 5_000}))

    assert prepare_line(line, SHOP).key is None


@pytest.mark.parametrize(
    "stated",
    [{"consents": {"m": "no"}}, {"consents": {"m": 0}}, {"sentiment": "0.5"}],
)
def test_what_json_refuses_is_not_made_valid_by_encoding_it_in_avro(stated: dict[str, object]) -> None:
    """A "no" must not become a consent: such a line goes unchanged and becomes a dead letter."""
    channels = {name: replace(channel, format="avro") for name, channel in SHOP.channels.items()}
    line = msgspec.json.encode(touchpoint(received_at=NOON, **stated))

    assert prepare_line(line, replace(SHOP, channels=channels)).value == line


@pytest.mark.parametrize(("stated", "expected"), [({"ecid": 7.0, "user_id": False}, ["7"]), ({"ecid": ["x", "y"]}, ["x", "y"])])
def test_identifiers_mean_the_same_in_avro(stated: dict[str, object], expected: list[str]) -> None:
    """Numbers become their decimal text, lists several values, and what is neither is no identifier."""
    channels = {name: replace(channel, format="avro") for name, channel in SHOP.channels.items()}
    prepared = prepare_line(msgspec.json.encode(touchpoint(identifiers=stated)), replace(SHOP, channels=channels))

    _, fields = bundled_codec().decode(prepared.value)

    assert [pair["value"] for pair in fields["identifiers"]] == expected

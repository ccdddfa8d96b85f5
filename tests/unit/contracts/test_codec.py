"""The wire format and what the codec refuses."""

import pytest

from touchstone.contracts.codec import bundled_codec
from touchstone.contracts.json_form import to_json_dict
from touchstone.contracts.registry import bundled_schemas
from touchstone.errors import InvariantBroken, RecordRejected
from touchstone.model.output import Customer, DeadLetter

CUSTOMER = Customer("c1", 7, "default", "active", None)


def test_a_value_begins_with_a_zero_byte_and_the_schema_id() -> None:
    """Confluent's wire format: magic byte, id as four bytes, big-endian."""
    value = bundled_codec().encode_customer(CUSTOMER)

    assert value[:5] == b"\x00" + bundled_schemas().current("Customer").id.to_bytes(4, "big")


def test_an_unknown_schema_id_is_named() -> None:
    """Somebody else's id is refused with the id in the text."""
    with pytest.raises(RecordRejected, match="found 4711") as refused:
        bundled_codec().decode(b"\x00" + (4711).to_bytes(4, "big") + b"x")

    assert refused.value.reason == "unknown_schema"


def test_bytes_behind_the_record_are_refused() -> None:
    """A record longer than its schema says was written with another schema."""
    with pytest.raises(RecordRejected, match="1 bytes more") as refused:
        bundled_codec().decode(bundled_codec().encode_customer(CUSTOMER) + b"\x00")

    assert refused.value.reason == "invalid_avro"


def test_a_word_outside_its_closed_list_is_our_own_bug() -> None:
    """It must not leave as something else."""
    with pytest.raises(InvariantBroken, match="asleep"):
        bundled_codec().encode_customer(Customer("c1", 7, "default", "asleep", None))


def test_a_touchpoint_is_no_output_record() -> None:
    """decode_record knows the four outputs only."""
    value = bundled_codec().encode_touchpoint({"event_id": "e", "type": "t", "occurred_at": 0, "identifiers": {"cookie": ["c1", 2]}})

    with pytest.raises(RecordRejected, match="found a Touchpoint"):
        bundled_codec().decode_record(value)


def test_what_avro_cannot_nest_travels_as_json_text() -> None:
    """Lists and maps hold scalars; what lies deeper is written as JSON text."""
    stated = {
        "event_id": 1,
        "type": "t",
        "occurred_at": 0,
        "identifiers": [],
        "attributes": {"items": [{"sku": "a", "n": 2}], "x": {"y": [1]}},
    }

    _, fields = bundled_codec().decode(bundled_codec().encode_touchpoint(stated))

    assert fields["properties"] == {"items": ['{"sku":"a","n":2}'], "x": {"y": "[1]"}}


def test_bytes_that_are_no_text_are_shown_as_base64() -> None:
    """A dead letter may hold anything; JSON holds text."""
    letter = DeadLetter("l", "invalid_json", "d", None, "t", 0, 0, 0, b"\xff", b"text", 4, "", (("h", b"\xfe"),))

    shown = to_json_dict(letter)

    assert (shown["key_base64"], shown["value"], shown["headers"]) == ("/w==", "text", [{"name": "h", "value_base64": "/g=="}])

"""Any bytes are read or refused; nothing else can happen."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.intake.shop import intake, record, rejected, touchpoint
from touchstone.contracts.codec import bundled_codec
from touchstone.contracts.reasons import REASONS
from touchstone.intake.bounds import MAX_DEPTH
from touchstone.intake.decode import Stated, is_too_deep
from touchstone.intake.touchpoint import Accepted

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from((*Stated.__struct_fields__, "other"))


def judge(value: bytes, channel: str = "web") -> None:
    """Take it in: accepted and fit for the internal topics and outputs, or a dead letter with a known reason."""
    result = intake().take(record(value, channel), [])
    if isinstance(result, Accepted):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(result.touchpoint), type=type(result.touchpoint)) == result.touchpoint
    else:
        assert result.reason in REASONS
        bundled_codec().encode_dead_letter(result)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(value: bytes) -> None:
    """As JSON, as Avro, and as Avro behind a true prefix."""
    judge(value)
    judge(value, "ad")
    judge(b"\x00\x00\x00\x00\x01" + value, "ad")


@given(st.dictionaries(FIELDS, JSON, max_size=6))
def test_any_object_is_read_or_refused(fields: dict[str, Any]) -> None:
    """A valid touchpoint with any fields replaced by anything."""
    judge(msgspec.json.encode(touchpoint() | fields))


@given(st.data())
def test_any_damage_to_a_true_record_is_read_or_refused(data: st.DataObject) -> None:
    """Cut, or one byte replaced, in JSON and in Avro."""
    stated = touchpoint(
        identifiers={"cookie": "c1", "user_id": 7}, properties={"items": ["a", 1, None], "n": 1.5}, profile={"x": {"y": True}}
    )
    for value, channel in ((msgspec.json.encode(stated), "web"), (bundled_codec().encode_touchpoint(stated), "ad")):
        at = data.draw(st.integers(0, len(value) - 1))
        judge(value[:at] + data.draw(st.binary(max_size=2)) + value[at + 1 :], channel)


@pytest.mark.parametrize(
    ("text", "too_deep"),
    [
        (b'"' + b'\\"' * 30_000 + b"{[" * 20, False),
        (b'{"a":' * 40 + b"1", True),
        (b'{"[[[": 1}' * 40, False),
        (b'"[' * 20_000, True),
        (b'"\\' + b"[" * 40, False),
    ],
    ids=["in an unended string", "broken", "in names", "between strings", "behind a backslash"],
)
def test_depth_is_found_in_linear_time_and_outside_strings(text: bytes, *, too_deep: bool) -> None:
    """Brackets in strings do not count, broken strings cost no more than true ones."""
    assert is_too_deep(text) == too_deep


def test_the_deepest_that_is_read() -> None:
    """At the limit accepted, one deeper refused, whoever asks."""
    for depth, reason in ((MAX_DEPTH - 2, None), (MAX_DEPTH - 1, "nesting_too_deep")):
        nested: Any = 1
        for _ in range(depth):
            nested = [nested]
        value = msgspec.json.encode(touchpoint(properties={"x": nested}))
        result = intake().take(record(value), [])
        assert getattr(result, "reason", None) == reason


def test_not_a_number_in_avro_is_refused() -> None:
    """State compares and JSON prints: neither can do that with NaN."""
    value = bundled_codec().encode_touchpoint(touchpoint(channel="ad", properties={"x": [float("nan")]}))

    result = intake().take(record(value, "ad"), [])

    assert not isinstance(result, Accepted)
    assert result.reason == "invalid_field"


def test_a_number_out_of_range_is_a_field_not_a_fault_of_json() -> None:
    """1e400 is good JSON that no double holds."""
    letter = intake().take(record(b'{"event_id": "e", "sentiment": 1e400}'), [])

    assert not isinstance(letter, Accepted)
    assert letter.reason == "invalid_field"
    assert rejected(touchpoint(event_id=1 << 5_000)).reason == "invalid_field"

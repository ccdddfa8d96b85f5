"""How much one touchpoint may say: the same limits, with the same codes, whether it comes as JSON or as Avro."""

from typing import Any

import msgspec
import pytest

from tests.unit.intake.shop import SHOP, intake, record, touchpoint
from touchstone.contracts.codec import bundled_codec
from touchstone.errors import RecordRejected
from touchstone.intake.bounds import MAX_DEPTH, MAX_NAME, MAX_STATED_IDENTIFIERS, MAX_TEXT, MAX_VALUES, check_values
from touchstone.intake.identifiers import MAX_IDENTIFIERS
from touchstone.intake.touchpoint import MAX_EVENT_ID, MAX_WORD

LARGE = 1 << 20


def reason(encoding: str, **fields: Any) -> str | None:
    """The reason for which a touchpoint with these fields is refused, or None."""
    stated = touchpoint(**fields)
    value = msgspec.json.encode(stated) if encoding == "json" else bundled_codec().encode_touchpoint(stated)
    return getattr(intake(record_bytes=LARGE).take(record(value, "web" if encoding == "json" else "ad"), []), "reason", None)


@pytest.mark.parametrize("encoding", ["json", "avro"])
@pytest.mark.parametrize(
    ("most", "fields", "code"),
    [
        (MAX_VALUES, lambda n: {"properties": {f"p{k}": k for k in range(n)}}, "too_many_values"),
        (
            MAX_VALUES,
            lambda n: {"context": {f"p{k}": k for k in range(n // 2)}, "profile": {"a": [1] * (n - n // 2 - 1)}},
            "too_many_values",
        ),
        (MAX_VALUES, lambda n: {"consents": {f"p{k}": True for k in range(n)}}, "too_many_values"),
        (MAX_TEXT, lambda n: {"properties": {"story": "x" * n}}, "text_too_long"),
        (MAX_TEXT, lambda n: {"profile": {"names": ["Ada", "x" * n]}}, "text_too_long"),
        (MAX_NAME, lambda n: {"context": {"x" * n: 1}}, "text_too_long"),
        (MAX_NAME, lambda n: {"consents": {"x" * n: True}}, "text_too_long"),
        (MAX_EVENT_ID, lambda n: {"event_id": "x" * n}, "invalid_field"),
        (MAX_WORD, lambda n: {"type": "x" * n}, "invalid_field"),
        (MAX_WORD, lambda n: {"source": "x" * n}, "invalid_field"),
        (64, lambda n: {"tenant": "x" * n}, "invalid_field"),
        (MAX_IDENTIFIERS, lambda n: {"identifiers": [{"kind": "cookie", "value": f"c{k}"} for k in range(n)]}, "too_many_identifiers"),
        (
            MAX_STATED_IDENTIFIERS,
            lambda n: {"identifiers": [{"kind": "cookie", "value": "c1"}, *({"kind": "shoe", "value": "43"} for _ in range(n - 1))]},
            "too_many_identifiers",
        ),
    ],
    ids=[
        "values",
        "values over all parts",
        "consents",
        "text",
        "text in a list",
        "name",
        "purpose",
        "event id",
        "type",
        "source",
        "tenant",
        "identifiers",
        "with ignored ones",
    ],
)
def test_at_the_limit_it_is_taken_and_one_more_is_refused(encoding: str, most: int, fields: Any, code: str) -> None:
    """Each limit exactly, in both formats."""
    assert reason(encoding, **fields(most)) is None
    assert reason(encoding, **fields(most + 1)) == code


@pytest.mark.parametrize("number", [1 << 63, -(1 << 63) - 1, 1 << 70])
def test_a_number_of_more_than_64_bits_is_refused_in_both_formats(number: int) -> None:
    """JSON: invalid_field. Avro, where such a number breaks the format: fastavro alone would read it as another one."""
    true = bundled_codec().encode_touchpoint(touchpoint(properties={"n": (1 << 63) - 1, "t": "\u0436\U0001f600" * 30}))
    large = true.replace(b"\xfe" + b"\xff" * 8 + b"\x01", _varint(number))
    assert large != true

    found = intake().take(record(large, "ad"), [])

    assert getattr(found, "reason", None) == "invalid_avro"
    assert getattr(intake().take(record(true, "ad"), []), "reason", None) is None
    assert reason("json", properties={"n": number}) == "invalid_field"


def test_a_length_of_more_than_64_bits_is_refused() -> None:
    """Read as another number it would shift everything behind it."""
    true = bundled_codec().encode_touchpoint(touchpoint(event_id="abc"))

    found = intake().take(record(true.replace(b"\x06abc", b"\x86" + b"\x80" * 9 + b"\x02abc"), "ad"), [])

    assert getattr(found, "reason", None) == "invalid_avro"


@pytest.mark.parametrize("nest", [lambda inner: [inner], lambda inner: {"x": inner}], ids=["lists", "objects"])
def test_depth_is_counted_by_values_as_by_bytes(nest: Any) -> None:
    """The touchpoint itself is the first level. What another registry's Avro may nest deeper meets the same limit as JSON."""
    inner: Any = 1
    for _ in range(MAX_DEPTH - 2):
        inner = nest(inner)

    check_values({"x": inner})
    assert reason("json", properties={"x": inner}) is None
    with pytest.raises(RecordRejected, match="nesting_too_deep"):
        check_values({"x": nest(inner)})
    assert reason("json", properties={"x": nest(inner)}) == "nesting_too_deep"


@pytest.mark.parametrize("time", ["2024-06-10t12:00:00z", "2024-06-10T12:00:00z", "2024-06-10t12:00:00Z", "2024-06-10t14:00:00+02:00"])
def test_a_time_may_be_written_small(time: str) -> None:
    """RFC 3339 allows t and z."""
    assert reason("json", occurred_at=time, received_at=time) is None


def test_a_letter_can_be_written_whatever_its_texts_hold() -> None:
    """Halves of characters, which no UTF-8 can hold, and more of them than a detail should have."""
    broken = record(b"{")._replace(headers=(("\ud800h", b"v"),))

    class Strange:
        """A source of schemas that says strange things."""

        def decode(self, value: bytes) -> tuple[str, dict[str, Any]]:
            """Never."""
            raise RecordRejected("invalid_avro", f"found \udfff {value!r} " * 1_000)

    agent = intake()
    agent._codec = Strange()  # type: ignore[assignment]  # only what intake asks of it
    for letter in (agent.take(broken._replace(topic=SHOP.channels["ad"].topic), []), intake().take(broken, [])):
        value = bundled_codec().encode_dead_letter(letter)  # type: ignore[arg-type]  # both are refused
        assert len(value) < 4_000


def _varint(number: int) -> bytes:
    z = number << 1 if number >= 0 else (-number << 1) - 1
    out = bytearray()
    while z > 0x7F:
        out.append(z & 0x7F | 0x80)
        z >>= 7
    return bytes((*out, z))

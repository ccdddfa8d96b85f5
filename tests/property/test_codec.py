"""Laws of the codec: what is written by hand is what fastavro writes; what is read is what was written; bytes never break it."""

from io import BytesIO
from typing import Any

import fastavro
import msgspec
from hypothesis import given
from hypothesis import strategies as st

from touchstone.contracts.codec import bundled_codec
from touchstone.contracts.registry import bundled_schemas
from touchstone.errors import RecordRejected
from touchstone.model.output import Customer, DeadLetter, IdentityChange, Moment, Review

CODEC = bundled_codec()
TEXT = st.text(max_size=12) | st.builds(str.__mul__, st.sampled_from("aä"), st.sampled_from((63, 64, 2_047, 2_048, 9_000)))
WORD = st.text(max_size=8)
LONG = st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-1, 3_000) | st.integers((1 << 28) - 2, 1 << 42)
INT = st.integers(-(1 << 31), (1 << 31) - 1)
MEDIA = st.sampled_from((None, "UNKNOWN", "owned", "paid", "earned", "shared"))


def several(what: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Up to four of them."""
    return st.lists(what, max_size=4).map(tuple)


def rows(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[dict[str, Any], ...]]:
    """Up to four rows with these fields."""
    return several(st.fixed_dictionaries(fields))


MOMENTS = st.builds(
    Moment,
    moment_id=TEXT,
    revision=LONG,
    action=st.sampled_from(("assert", "retract")),
    tenant=WORD,
    customer_id=TEXT,
    journey=WORD,
    instance=st.none() | WORD,
    kind=st.sampled_from(("transition", "regression", "timeout", "reentry", "signal")),
    from_phase=st.none() | WORD,
    to_phase=st.none() | WORD,
    skipped=several(WORD),
    cycle=INT,
    rule=WORD,
    occurred_at=LONG,
    detected_at=LONG,
    touchpoints=several(TEXT),
    channel=WORD,
    media=MEDIA,
    persona=st.none() | WORD,
    provisional=st.booleans(),
    guidance=st.none() | TEXT,
    corrects=st.sampled_from((None, "late", "merge", "split", "erasure", "topology", "consent_withdrawn")),
    topology_version=INT,
)
CUSTOMERS = st.builds(
    Customer,
    customer_id=TEXT,
    revision=LONG,
    tenant=WORD,
    status=st.sampled_from(("active", "merged", "retired", "erased")),
    merged_into=st.none() | TEXT,
    identifiers=rows(kind=WORD, value=TEXT, first_seen=st.none() | LONG, last_seen=st.none() | LONG),
    attributes=rows(
        name=WORD,
        value=TEXT,
        source=WORD,
        occurred_at=LONG,
        touchpoint=TEXT,
        rule=WORD,
        channel=WORD,
        alternatives=rows(value=TEXT, source=WORD, occurred_at=LONG, touchpoint=TEXT, channel=WORD, count=LONG, lost_by=WORD).map(list),
        periods=rows(value=TEXT, valid_from=LONG, valid_to=st.none() | LONG, sources=several(WORD).map(list)).map(list),
    ),
    consents=rows(
        purpose=WORD,
        granted=st.booleans(),
        occurred_at=LONG,
        source=WORD,
        touchpoint=TEXT,
        rule=WORD,
        statements=rows(granted=st.booleans(), occurred_at=LONG, source=WORD, touchpoint=TEXT).map(list),
    ),
    interactions=rows(channel=WORD, type=WORD, occurred_at=LONG, count=LONG),
    personas=several(WORD),
    journeys=rows(
        journey=WORD,
        instance=st.none() | WORD,
        phase=st.none() | WORD,
        since=st.none() | LONG,
        cycle=INT,
        dormant=st.booleans(),
        deadline=st.none() | LONG,
    ),
    next_guidance=st.none() | TEXT,
    shared_identifiers=rows(kind=WORD, value=TEXT, valid_from=LONG, valid_to=st.none() | LONG, last_seen=LONG),
)
CHANGES = st.builds(
    IdentityChange,
    change_id=TEXT,
    kind=st.sampled_from(("linked", "merged", "split", "shared", "unshared", "conflict", "limited")),
    tenant=WORD,
    customer_id=TEXT,
    customers=several(TEXT),
    identifiers=rows(kind=WORD, value=TEXT),
    trigger=st.none() | TEXT,
    rule=WORD,
    detected_at=LONG,
)
REVIEWS = st.builds(
    Review,
    review_id=TEXT,
    revision=LONG,
    tenant=WORD,
    status=st.sampled_from(("open", "accepted", "rejected", "settled", "withdrawn")),
    identifiers=rows(kind=WORD, value=TEXT),
    customers=several(TEXT),
    score=st.floats(0, 1),
    evidence=rows(attribute=WORD, level=WORD, bits=st.floats(allow_nan=False)),
    why=WORD,
    model=WORD,
    occurred_at=LONG,
    detected_at=LONG,
    command=st.none() | TEXT,
)
LETTERS = st.builds(
    DeadLetter,
    letter_id=TEXT,
    reason=WORD,
    detail=TEXT,
    channel=st.none() | WORD,
    topic=TEXT,
    partition=INT,
    offset=LONG,
    occurred_at=LONG,
    key=st.none() | st.binary(max_size=20),
    value=st.binary(max_size=100),
    size=LONG,
    sha256=TEXT,
    headers=several(st.tuples(WORD, st.binary(max_size=9))),
)


def by_fastavro(name: str, record: msgspec.Struct) -> bytes:
    """The record behind its prefix as fastavro writes it, walking the schema."""
    buffer = BytesIO()
    fastavro.schemaless_writer(buffer, bundled_schemas().current(name).parsed, msgspec.structs.asdict(record))
    return buffer.getvalue()


@given(MOMENTS)
def test_a_moment_written_by_hand_is_what_fastavro_writes(moment: Moment) -> None:
    """For any moment the bytes are equal, and they read back as the same moment."""
    value = CODEC.encode_moment(moment)

    assert value[5:] == by_fastavro("Moment", moment)
    assert CODEC.decode_record(value) == moment


@given(CUSTOMERS)
def test_a_customer_written_by_hand_is_what_fastavro_writes(customer: Customer) -> None:
    """For any customer the bytes are equal, and they read back as the same customer."""
    value = CODEC.encode_customer(customer)

    assert value[5:] == by_fastavro("Customer", customer)
    assert CODEC.decode_record(value) == customer


@given(CHANGES)
def test_an_identity_change_reads_back_as_written(change: IdentityChange) -> None:
    """For any identity change decoding undoes encoding."""
    assert CODEC.decode_record(CODEC.encode_identity_change(change)) == change


@given(REVIEWS)
def test_a_review_reads_back_as_written(review: Review) -> None:
    """For any review decoding undoes encoding."""
    assert CODEC.decode_record(CODEC.encode_review(review)) == review


@given(LETTERS)
def test_a_dead_letter_reads_back_as_written(letter: DeadLetter) -> None:
    """For any dead letter decoding undoes encoding, bytes and headers included."""
    assert CODEC.decode_record(CODEC.encode_dead_letter(letter)) == letter


SCALARS = st.none() | st.booleans() | LONG | st.floats(allow_nan=False) | TEXT
VALUES = st.dictionaries(WORD, SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(WORD, SCALARS, max_size=3), max_size=4)


@given(
    st.lists(st.fixed_dictionaries({"kind": WORD, "value": TEXT}), max_size=3),
    VALUES,
    VALUES,
    st.dictionaries(WORD, st.booleans(), max_size=3),
)
def test_a_touchpoint_says_in_avro_what_it_says_in_json(
    identifiers: list[dict[str, str]], properties: dict[str, Any], context: dict[str, Any], consents: dict[str, bool]
) -> None:
    """Whatever Avro can say arrives as it was stated."""
    stated = {"event_id": "e1", "type": "t", "occurred_at": 1, "identifiers": identifiers, "properties": properties}

    _, fields = CODEC.decode(CODEC.encode_touchpoint({**stated, "context": context, "consents": consents}))

    assert {name: fields[name] for name in stated} == stated
    assert (fields["context"], fields["consents"], fields["profile"]) == (context, consents, {})


def refusal(value: bytes) -> str | None:
    """Why the codec refuses these bytes, or None where it reads them; anything else it does fails the test."""
    try:
        CODEC.decode(value)
    except RecordRejected as rejected:
        return rejected.reason
    return None


@given(st.integers(0, 6), st.binary(max_size=200))
def test_any_bytes_behind_a_schema_id_are_read_or_refused(schema_id: int, tail: bytes) -> None:
    """Hostile bytes raise RecordRejected and nothing else."""
    assert refusal(b"\x00" + schema_id.to_bytes(4, "big") + tail) in {None, "invalid_avro", "unknown_schema"}


@given(st.binary(max_size=20))
def test_any_bytes_at_all_are_read_or_refused(value: bytes) -> None:
    """Bytes that are no wire format raise RecordRejected and nothing else."""
    assert refusal(value) in {None, "invalid_avro", "unknown_schema"}


@given(MOMENTS | CUSTOMERS, st.data())
def test_a_damaged_record_is_read_or_refused(record: Moment | Customer, data: st.DataObject) -> None:
    """Cut off anywhere, or with any byte replaced, a true record raises RecordRejected or reads as something."""
    value = CODEC.encode_moment(record) if isinstance(record, Moment) else CODEC.encode_customer(record)
    at = data.draw(st.integers(0, len(value) - 1))
    damaged = value[:at] + data.draw(st.binary(max_size=1)) + value[at + 1 :]

    assert refusal(damaged) in {None, "invalid_avro", "unknown_schema"}

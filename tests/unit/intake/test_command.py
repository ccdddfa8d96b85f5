"""What a steward may say, and why it is refused."""

import json
from typing import Any

import pytest

from touchstone.contracts import reasons
from touchstone.contracts.codec import bundled_codec
from touchstone.errors import RecordRejected
from touchstone.identity.ordering import Readable
from touchstone.intake.command import MAX_PAIRS, CommandReader
from touchstone.model.message import Erase, Order, Undo
from touchstone.topology.load import default_topology_path, load_topology

NOON = 1_772_452_800_000
SPLIT: dict[str, Any] = {
    "command_id": "s1",
    "action": "split",
    "at": "2026-03-02T12:00:00Z",
    "who": "ann",
    "why": "two brothers",
    "identifiers": {"device_id": "app7"},
    "others": {"user_id": "u1", "email": "Ada@X.org"},
}
UNDO: dict[str, Any] = {"command_id": "w1", "action": "undo", "at": NOON, "who": "ann", "why": "no", "undoes": "s1"}


@pytest.fixture(scope="module")
def reader() -> CommandReader:
    """A reader of the reference topology."""
    topology = load_topology(default_topology_path())
    return CommandReader(topology, Readable(topology.kinds), bundled_codec())


def test_each_identifier_makes_a_pair_with_each_of_the_others(reader: CommandReader) -> None:
    """In normal form; identity is told of them under the name of the command."""
    message = reader.read(json.dumps(SPLIT).encode(), NOON).messages()[0]

    assert isinstance(message, Order)
    assert (message.to, message.action, message.at) == ("default/command:s1", "split", NOON)
    assert message.pairs == (("default/device_id:app7", "default/email:ada@x.org"), ("default/device_id:app7", "default/user_id:u1"))


def test_json_and_avro_say_the_same(reader: CommandReader) -> None:
    """Also which of two commands with one id it is: who ruled it and why does not matter for that."""
    ruled = reader.read(json.dumps(SPLIT).encode(), NOON)
    other = reader.read(json.dumps(SPLIT | {"who": "bob", "why": "the same"}).encode(), NOON)

    again = reader.read(bundled_codec().encode_command(ruled.command), NOON)

    assert again == ruled
    assert other.messages() == ruled.messages()


@pytest.mark.parametrize("action", ["accept", "reject"])
def test_an_answer_to_a_review_is_a_command_like_the_others(reader: CommandReader, action: str) -> None:
    """As JSON and as Avro; identity is told of it under its own name."""
    ruled = reader.read(json.dumps(SPLIT | {"action": action}).encode(), NOON)

    (message,) = ruled.messages()

    assert reader.read(bundled_codec().encode_command(ruled.command), NOON) == ruled
    assert isinstance(message, Order)
    assert message.action == action


def test_an_undo_is_told_to_the_command_that_it_names(reader: CommandReader) -> None:
    """In its tenant."""
    assert reader.read(json.dumps(UNDO | {"tenant": "x"}).encode(), NOON).messages()[0] == Undo("x/command:s1", "w1")


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        (SPLIT | {"command_id": None}, reasons.MISSING_FIELD),
        (SPLIT | {"command_id": "a\x1fb"}, reasons.INVALID_FIELD),
        (SPLIT | {"action": None}, reasons.MISSING_FIELD),
        (SPLIT | {"action": "acept"}, reasons.UNKNOWN_ACTION),
        (SPLIT | {"action": "UNKNOWN"}, reasons.UNKNOWN_ACTION),
        (SPLIT | {"at": None}, reasons.MISSING_FIELD),
        (SPLIT | {"at": "noon"}, reasons.INVALID_TIME),
        (SPLIT | {"at": "2031-01-01T00:00:00Z"}, reasons.INVALID_TIME),
        (SPLIT | {"who": " "}, reasons.MISSING_FIELD),
        (SPLIT | {"why": "x" * 1025}, reasons.INVALID_FIELD),
        (SPLIT | {"tenant": "a/b"}, reasons.INVALID_FIELD),
        (SPLIT | {"others": None}, reasons.MISSING_FIELD),
        (SPLIT | {"others": "u1"}, reasons.INVALID_FIELD),
        (SPLIT | {"others": [{"kind": "user_id", "value": "u1"}, 3]}, reasons.INVALID_FIELD),
        (SPLIT | {"others": {"user_id": "u1", "shoe_size": "44"}}, reasons.IGNORED_IDENTIFIER),
        (SPLIT | {"others": {"user_id": "u1", "email": "test@test.com"}}, reasons.IGNORED_IDENTIFIER),
        (SPLIT | {"others": {"device_id": "app7"}}, reasons.INVALID_FIELD),
        (SPLIT | {"others": {"cookie": [f"c{n}" for n in range(MAX_PAIRS + 1)]}}, reasons.TOO_MANY_IDENTIFIERS),
        (SPLIT | {"undoes": "s0"}, reasons.INVALID_FIELD),
        (UNDO | {"undoes": None}, reasons.MISSING_FIELD),
        (UNDO | {"undoes": "w1"}, reasons.INVALID_FIELD),
        (UNDO | {"identifiers": {"user_id": "u1"}}, reasons.INVALID_FIELD),
        (UNDO | {"tenant": "\x00"}, reasons.INVALID_FIELD),
        (UNDO | {"tenant": ""}, reasons.INVALID_FIELD),
        (UNDO | {"who": 3}, reasons.INVALID_FIELD),
        ([UNDO], reasons.INVALID_FIELD),
    ],
)
def test_what_cannot_be_carried_out_is_refused_whole(reader: CommandReader, stated: Any, reason: str) -> None:
    """With the first reason found; a detail never holds a person's identifier."""
    with pytest.raises(RecordRejected) as refused:
        reader.read(json.dumps(stated).encode(), NOON)

    assert refused.value.reason == reason
    assert not any(value in refused.value.detail for value in ("app7", "u1", "test@", "44"))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{", reasons.INVALID_JSON),
        (b"\xff", reasons.INVALID_JSON),
        (b'{"a":' * 40 + b"1" + b"}" * 40, reasons.NESTING_TOO_DEEP),
        (b"\x00\x00", reasons.INVALID_AVRO),
        (b"\x00\x00\x00\x00\x01\x02", reasons.INVALID_AVRO),
    ],
)
def test_other_bytes_are_refused(reader: CommandReader, value: bytes, reason: str) -> None:
    """Whatever they are."""
    with pytest.raises(RecordRejected) as refused:
        reader.read(value, NOON)

    assert refused.value.reason == reason


def test_two_values_of_a_unique_kind_may_be_kept_from_others(reader: CommandReader) -> None:
    """Nobody has both, but neither must come together with the others."""
    ruled = reader.read(json.dumps(SPLIT | {"others": {"user_id": ["u1", "u2"]}}).encode(), NOON)

    assert len(ruled.pairs) == 2


ERASE: dict[str, Any] = {"command_id": "x1", "action": "erase", "at": NOON, "who": "ann", "why": "request 4711"}
HASH = "0123456789abcdef0123456789abcdef"


def test_an_erasure_is_told_to_each_of_its_identifiers(reader: CommandReader) -> None:
    """By their values, or by the hashes that stand in their keys: then the command holds no value."""
    stated = ERASE | {"identifiers": {"email": ["Ada@X.org", f"hash:{HASH}"]}}
    ruled = reader.read(json.dumps(stated).encode(), NOON)

    assert ruled.messages() == [Erase("default/email:ada@x.org", NOON, "x1"), Erase(f"default/email:{HASH}", NOON, "x1")]
    assert reader.read(bundled_codec().encode_command(ruled.command), NOON) == ruled


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        (ERASE, reasons.MISSING_FIELD),
        (ERASE | {"identifiers": {"email": "ada@x.org"}, "others": {"email": "b@x.org"}}, reasons.INVALID_FIELD),
        (ERASE | {"identifiers": {"email": "ada@x.org"}, "undoes": "s1"}, reasons.INVALID_FIELD),
        (ERASE | {"identifiers": {"shoe_size": f"hash:{HASH}"}}, reasons.IGNORED_IDENTIFIER),
        (ERASE | {"identifiers": {"email": "ada@x.org"}, "at": NOON + 10**9}, reasons.INVALID_TIME),
    ],
    ids=["of nobody", "with others", "an undo", "of no kind", "in the future"],
)
def test_an_erasure_that_is_not_clear_is_refused(reader: CommandReader, stated: dict[str, Any], reason: str) -> None:
    """It cannot be undone."""
    with pytest.raises(RecordRejected) as refused:
        reader.read(json.dumps(stated).encode(), NOON)

    assert refused.value.reason == reason

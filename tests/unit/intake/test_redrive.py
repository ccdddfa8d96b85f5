"""A dead letter back on its topic: what goes out, and that it heals what was missing."""

import json
from dataclasses import replace

import msgspec
import pytest

from tests.unit.intake.shop import SHOP, intake
from touchstone.errors import UsageError
from touchstone.intake.event_time import RECEIVED_AT
from touchstone.intake.redrive import LETTER, TRIES, Again, again, correct, tries
from touchstone.intake.touchpoint import Accepted
from touchstone.model.output import DeadLetter
from touchstone.pipeline import OutputRecord
from touchstone.runtime.program import Record
from touchstone.simulate import Twin, simulate
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.view import FinalView, diff

APPENDED, NOW = 1_714_557_600_000, 1_800_000_000_000
LETTER_OF_WEB = DeadLetter(
    letter_id="a" * 32,
    reason="invalid_time",
    detail="",
    channel="web",
    topic="touchpoints.web.v1",
    partition=3,
    offset=17,
    occurred_at=APPENDED,
    key=b"k",
    value=b"{}",
    size=2,
    sha256="",
    headers=(("trace", b"t1"),),
)


def line(event_id: str, what: str, hour: int, **changes: object) -> bytes:
    """A touchpoint of Ada's."""
    stated = {"event_id": event_id, "channel": "web", "type": what, "occurred_at": f"2024-05-01T{hour:02}:00:00Z"}
    return json.dumps(stated | {"identifiers": {"user_id": "ada"}} | changes).encode()


def record(sent: Again, offset: int = 99) -> Record:
    """What a worker reads of it, much later."""
    return Record(sent.topic, 0, offset, NOW, sent.key, sent.value, sent.headers)


def test_the_same_bytes_go_back_with_the_time_of_their_first_arrival() -> None:
    """Topic, key, value and the producer's headers stay; besides there is whose letter it was, the first try and the append time."""
    sent = again(LETTER_OF_WEB)

    assert (sent.topic, sent.key, sent.value) == ("touchpoints.web.v1", b"k", b"{}")
    assert dict(sent.headers) == {"trace": b"t1", LETTER: b"a" * 32, TRIES: b"1", RECEIVED_AT: str(APPENDED).encode()}


def test_a_second_try_counts_and_still_says_when_it_arrived_first() -> None:
    """The letter of what was refused again carries the headers on; nothing is in them twice."""
    second = msgspec.structs.replace(LETTER_OF_WEB, letter_id="b" * 32, occurred_at=NOW, headers=again(LETTER_OF_WEB).headers)

    headers = again(second).headers

    assert tries(second) == 1
    assert len(headers) == len(dict(headers))
    assert dict(headers) == {"trace": b"t1", LETTER: b"b" * 32, TRIES: b"2", RECEIVED_AT: str(APPENDED).encode()}


def test_what_somebody_wrote_into_the_header_of_tries_does_no_harm() -> None:
    """A header is bytes of a producer: what is no small number counts as none."""
    for text in (b"", b"-1", b"many", "٣".encode(), b"9" * 5_000):
        assert tries(msgspec.structs.replace(LETTER_OF_WEB, headers=((TRIES, text),))) == 0


def test_a_touchpoint_that_is_sent_again_after_years_is_neither_late_nor_skewed() -> None:
    """With `clock: wall` the append time counts as receipt: the first one, not that of the second way."""
    mended = line("e1", "search", 9)  # an hour before it was appended

    taken = intake().take(record(again(LETTER_OF_WEB, correct(mended, LETTER_OF_WEB, SHOP))), [])

    assert isinstance(taken, Accepted)
    assert (taken.touchpoint.received_at, taken.is_late) == (APPENDED, False)


def test_what_the_letter_does_not_hold_is_not_sent() -> None:
    """Of a large record only the beginning is kept, of a tombstone nothing: both need a correction."""
    for size, value, words in ((100_000, b"{", "found the first 1 of 100,000 bytes"), (0, b"", "had no value")):
        letter = msgspec.structs.replace(LETTER_OF_WEB, size=size, value=value)
        with pytest.raises(UsageError, match=words):
            again(letter)
        assert again(letter, correct(line("e1", "search", 9), letter, SHOP)).value


def test_a_correction_is_written_as_the_channel_of_its_topic_reads_it() -> None:
    """Avro where that channel has Avro."""
    letter = msgspec.structs.replace(LETTER_OF_WEB, topic="touchpoints.ad.v1", channel="ad")
    mended = line("e1", "search", 9, channel="ad")

    sent = again(letter, correct(mended, letter, SHOP))

    assert sent.value[:1] == b"\x00"
    assert isinstance(intake().take(record(sent), []), Accepted)


@pytest.mark.parametrize("text", [b"[1]", b"no", b'{"a":', b"[" * 10_000])
def test_a_correction_that_is_no_object_is_refused(text: bytes) -> None:
    """In words, without repeating it."""
    with pytest.raises(UsageError, match="one JSON object"):
        correct(text, LETTER_OF_WEB, SHOP)


@pytest.mark.parametrize(
    "broken", [line("e2", "cart_add", 10, occurred_at="ten"), b'{"event_id": "e2"', line("e2", "cart_add", 10, channel="fax")]
)
def test_a_redrive_heals_the_order(broken: bytes) -> None:
    """E1 on the twin: refused in the middle of a journey, mended and sent again last, it ends as if it had been right at first."""
    topology = replace(load_topology(default_topology_path()), clock="event")
    right = [line("e1", "search", 9), line("e2", "cart_add", 10), line("e3", "order_paid", 11)]
    truth = simulate(right, topology)
    said: list[OutputRecord] = []
    twin = Twin(topology, said.append)
    twin.feed([right[0], broken, right[2]])
    (letter,) = [each for each in said if isinstance(each, DeadLetter)]
    assert standing(said, truth.as_of) != truth.final["moments"]

    twin.take(record(again(letter, correct(right[1], letter, topology))))

    assert not diff(
        FinalView(said).final(truth.as_of, topology.retention_ms) | {"deadletters": []},
        truth.final | {"deadletters": []},
    )


def standing(said: list[OutputRecord], as_of: int) -> object:
    """The moments that stand."""
    return FinalView(said).final(as_of, 1 << 50)["moments"]

"""A dead letter back on the topic it came from: the record that is sent again, and what it must not lose on the way.

What is sent again is appended later than it was at first, and where a touchpoint does not say when it was received the append time counts:
without care a mended one would look late, skewed or too old. So the first append time goes along in the header that `produce` uses too
(event_time.py). That header gives nobody power he did not have: whoever may write to a channel's topic can state any `received_at` in the
record itself, and the clock of `clock: wall` goes by the broker's time alone.
"""

from typing import Any, Final, NamedTuple

import msgspec

from touchstone.contracts.codec import Codec, bundled_codec
from touchstone.contracts.times import milliseconds
from touchstone.errors import RecordRejected, UsageError
from touchstone.intake.event_time import RECEIVED_AT
from touchstone.intake.lines import Prepared, prepare_line
from touchstone.model.output import DeadLetter
from touchstone.topology.compile import Topology

LETTER: Final = "touchstone_letter"
"""A header: the id of the letter that was sent again."""
TRIES: Final = "touchstone_tries"
"""A header: how often it was sent again, this time included."""
SETTLED: Final = "touchstone_settled"
"""A header of a record without a value under the id of a letter: what became of the letter, `replayed` or `dropped`."""

_OURS = frozenset({LETTER, TRIES, RECEIVED_AT})
_MOST_TRIES = 1_000_000


class Again(NamedTuple):
    """The record that goes back."""

    topic: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


def again(letter: DeadLetter, corrected: Prepared | None = None) -> Again:
    """The record to send: the original bytes, or those of a corrected line; as if they had been appended when the original was.

    Raises:
        UsageError: The letter does not hold the whole record, and nothing corrected was given.
    """
    if corrected is None and letter.size > len(letter.value):
        raise UsageError(
            f"expected the whole record, found the first {len(letter.value):,} of {letter.size:,} bytes; give it corrected with --edit, or drop "
            f"the letter; the rest lies in {letter.topic}[{letter.partition}]@{letter.offset} as long as that topic keeps it"
        )
    if corrected is None and not letter.size:
        raise UsageError("the record had no value, so there is nothing to send; give one with --edit, or drop the letter")
    key, value = (letter.key, letter.value) if corrected is None else (corrected.key, corrected.value)
    ours = ((LETTER, letter.letter_id.encode()), (TRIES, str(tries(letter) + 1).encode()), (RECEIVED_AT, _received_at(letter, corrected)))
    # Ours first: of a record that is refused again only so many headers are kept.
    return Again(letter.topic, key, value, ours + tuple(header for header in letter.headers if header[0] not in _OURS))


def correct(line: bytes, letter: DeadLetter, topology: Topology, codec: Codec | None = None) -> Prepared:
    """A corrected touchpoint, in the encoding of the channel that the letter came on; it goes back to that topic.

    A missing `received_at` is the time at which the record was appended first; with `clock: event`, where that means nothing, `occurred_at`,
    as `produce` has it.

    Raises:
        UsageError: The line is no JSON object, or no touchpoint that can be written as Avro, or no channel of the topology has that topic.
    """
    try:
        stated: Any = msgspec.json.decode(line)
    except (ValueError, RecursionError):
        raise UsageError("expected the corrected touchpoint as one JSON object, found something else") from None
    if not isinstance(stated, dict):
        raise UsageError("expected the corrected touchpoint as one JSON object, found another JSON value")
    if letter.topic == topology.topics.commands:
        return Prepared(letter.topic, letter.key, msgspec.json.encode(stated))
    channel = next((each for each in topology.channels.values() if each.topic == letter.topic), None)
    if channel is None:
        raise UsageError(f"expected a channel of the topology on {letter.topic}, found none; is it another topology, or --topic-prefix?")
    prepared = prepare_line(msgspec.json.encode(stated), topology)
    headers = prepared.headers if topology.clock == "event" else ()
    value = msgspec.json.encode(stated)
    if channel.format == "avro":
        try:
            value = (codec or bundled_codec()).encode_touchpoint(stated)
        except RecordRejected as rejected:
            raise UsageError(f"the corrected touchpoint cannot be written as Avro, {rejected.reason}: {rejected.detail}") from None
    return Prepared(letter.topic, prepared.key, value, headers)


def tries(letter: DeadLetter) -> int:
    """How often the record of this letter had been sent again before it became this letter."""
    return _number(dict(letter.headers).get(TRIES)) or 0


def _received_at(letter: DeadLetter, corrected: Prepared | None) -> bytes:
    """What was said of its arrival at first; else what the correction says; else when it was appended."""
    said = dict(letter.headers).get(RECEIVED_AT)
    if said is not None and (corrected is None or _is_time(said)):
        return said
    return dict(corrected.headers if corrected else ()).get(RECEIVED_AT, str(letter.occurred_at).encode())


def _is_time(text: bytes) -> bool:
    try:
        milliseconds(int(text))
    except ValueError:
        return False
    return True


def _number(text: bytes | None) -> int | None:
    number = int(text) if text is not None and text.isdigit() and len(text) < 10 else None
    return None if number is None else min(number, _MOST_TRIES)

"""One record of a channel topic: decode, validate, normalise, anchor, send; or a dead letter."""

from hashlib import blake2b, sha256

from touchstone.contracts import reasons
from touchstone.contracts.codec import Codec, bundled_codec
from touchstone.contracts.times import within_calendar
from touchstone.errors import InvariantBroken, RecordRejected
from touchstone.intake.command import CommandReader, Ruled
from touchstone.intake.decode import decode
from touchstone.intake.describing import Describes, describer_of
from touchstone.intake.event_time import arrival
from touchstone.intake.identifiers import Namer
from touchstone.intake.messages import Known
from touchstone.intake.suppress import is_gone, messages_of_forgotten, names_forgotten
from touchstone.intake.touchpoint import Accepted, TouchpointReader
from touchstone.model.erasure import ForgottenTable
from touchstone.model.message import Describe, IdentityMessage
from touchstone.model.output import DeadLetter
from touchstone.model.touchpoint import Touchpoint
from touchstone.observe.metrics import DEAD_LETTERS, IGNORED_IDENTIFIERS, LATE, SKEWED, SUPPRESSED, Counts
from touchstone.runtime.program import Record
from touchstone.topology.compile import Channel, Topology

COMMANDS = "commands"
"""Stands where a record of the commands topic is counted or refused, in place of a channel."""
KEPT_BYTES = 64 * 1024
"""Of a record that is refused, so many bytes are kept."""
KEPT_KEY_BYTES = 1024
KEPT_DETAIL = 1024
KEPT_HEADERS = 32
"""Of its key and of each header so many bytes, of its headers so many: a letter must fit into a record, whatever the record was like."""


class Intake:
    """Stage 1 for all channels; stateless but for memories that only save work."""

    def __init__(
        self, topology: Topology, namer: Namer, counts: Counts, codec: Codec | None = None, forgotten: ForgottenTable | None = None
    ) -> None:
        """`forgotten`: what of identifiers must not be told again; whoever gives it fills it."""
        self._record_bytes = topology.record_bytes
        self._channels: dict[str, Channel] = {}
        for channel in topology.channels.values():  # of several channels on one topic the first is the default
            self._channels.setdefault(channel.topic, channel)
        self._codec = codec or bundled_codec()
        self._reader = TouchpointReader(topology, namer)
        self._commands_topic = topology.topics.commands
        self._commands = CommandReader(topology, namer, self._codec)
        self._known = Known(topology.lateness_ms)
        self._describer = None if topology.matching is None else describer_of(topology.matching, namer.digest)
        self._counts = counts
        self._lateness_ms = topology.lateness_ms
        self._forgotten = ForgottenTable() if forgotten is None else forgotten

    def take(self, record: Record, messages: list[IdentityMessage]) -> Accepted | DeadLetter:
        """Append what identity must be told of the record; or append nothing and return the dead letter it becomes.

        Raises:
            InvariantBroken: the record's topic is no channel's.
        """
        channel = self.channel_of(record.topic)
        try:
            stated = decode(self._value(record), channel.format, self._codec)
            accepted = self._reader.read(stated, channel, arrival(record.timestamp, record.headers))
        except RecordRejected as rejected:
            self._counts.add(DEAD_LETTERS, rejected.reason)
            return dead_letter(record, channel.name, rejected)
        touchpoint, forgotten = accepted.touchpoint, self._forgotten
        if forgotten and names_forgotten(touchpoint, forgotten):
            messages += messages_of_forgotten(touchpoint, self._lateness_ms, forgotten)
        else:
            self._known.send(touchpoint, messages)
        if forgotten and is_gone(touchpoint, forgotten):
            self._counts.add(SUPPRESSED, touchpoint.channel)
        described = None if self._describer is None else self._describe(touchpoint, self._describer)
        if described is not None:
            messages.append(described)
        self._count(accepted)
        return accepted

    def _describe(self, touchpoint: Touchpoint, describer: Describes) -> Describe | None:
        forgotten, at = self._forgotten, touchpoint.occurred_at
        if forgotten and names_forgotten(touchpoint, forgotten):
            return describer.describe_anew(touchpoint, lambda x: forgotten.until(x) >= at)
        return describer.describe(touchpoint)

    def take_command(self, record: Record, messages: list[IdentityMessage]) -> Ruled | DeadLetter:
        """The same for a record of the commands topic."""
        try:
            ruled = self._commands.read(self._value(record), arrival(record.timestamp, record.headers))
        except RecordRejected as rejected:
            self._counts.add(DEAD_LETTERS, rejected.reason)
            return dead_letter(record, COMMANDS, rejected)
        messages += ruled.messages()
        return ruled

    def take_any(self, record: Record, messages: list[IdentityMessage]) -> Accepted | Ruled | DeadLetter:
        """The same for a record of a channel or of the commands, whichever it is."""
        return self.take_command(record, messages) if record.topic == self._commands_topic else self.take(record, messages)

    def name_of(self, topic: str) -> str:
        """What records of this topic are counted under: their channel, or `commands`."""
        return COMMANDS if topic == self._commands_topic else self.channel_of(topic).name

    def channel_of(self, topic: str) -> Channel:
        """The channel whose records lie in this topic."""
        channel = self._channels.get(topic)
        if channel is None:
            raise InvariantBroken(f"expected a record of a channel's topic, found one of {topic}; is the topology another one?")
        return channel

    def forget(self) -> None:
        """Something that was sent did not come about (a transaction was aborted): say it again when it comes."""
        self._known.clear()
        if self._describer is not None:
            self._describer.forget()

    def _value(self, record: Record) -> bytes:
        if record.value is None:
            raise RecordRejected(reasons.NO_VALUE, "expected a touchpoint or command, found a record without a value")
        if len(record.value) > self._record_bytes:
            raise RecordRejected(reasons.TOO_LARGE, f"expected at most {self._record_bytes} bytes, found {len(record.value)}")
        return record.value

    def _count(self, accepted: Accepted) -> None:
        if accepted.is_late:
            self._counts.add(LATE, accepted.touchpoint.channel)
        if accepted.touchpoint.skew is not None:
            self._counts.add(SKEWED, accepted.touchpoint.channel, accepted.touchpoint.skew)
        for kind, reason, count in accepted.ignored:
            self._counts.add(IGNORED_IDENTIFIERS, kind, reason, by=count)


def dead_letter(record: Record, channel: str, rejected: RecordRejected) -> DeadLetter:
    """The letter that keeps a refused record: reason, origin, its bytes. The same record gives the same letter."""
    value = record.value or b""
    origin = f"{record.topic}/{record.partition}/{record.offset}"
    return DeadLetter(
        letter_id=blake2b(origin.encode(), digest_size=16).hexdigest(),
        reason=rejected.reason,
        detail=_writable(rejected.detail[:KEPT_DETAIL]),
        channel=channel,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        occurred_at=within_calendar(record.timestamp),
        key=None if record.key is None else record.key[:KEPT_KEY_BYTES],
        value=value[:KEPT_BYTES],
        size=len(value),
        sha256=sha256(value).hexdigest(),
        headers=tuple((_writable(name[:KEPT_KEY_BYTES]), (data or b"")[:KEPT_KEY_BYTES]) for name, data in record.headers[:KEPT_HEADERS]),
    )


def _writable(text: str) -> str:
    """The text without the halves of characters that no UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode()

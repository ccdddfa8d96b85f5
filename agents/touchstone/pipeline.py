"""The stages joined, without a broker: what the runtime runs on Kafka and the offline twin runs over a file.

    record -> intake -> Seen, Arrive, Claim -> identity -> AddSeen, AddTouchpoint, AddEdge, Absorb -> journey -> moments, customers
                            Describe -> identity -> Compare -> match -> Match -> identity -> AddLikeness -> journey

A message goes where the identifier in its `to` lives; `Out` decides whether that is here or on another worker.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import msgspec

from touchstone.clock import Clock
from touchstone.contracts.codec import Codec
from touchstone.errors import TooManyDeadLetters
from touchstone.identity.agent import Identity
from touchstone.identity.ordering import Ordering
from touchstone.intake.agent import COMMANDS, Intake
from touchstone.intake.command import Ruled
from touchstone.intake.limit import Tallies
from touchstone.intake.touchpoint import Accepted
from touchstone.journey.agent import JourneyPartition
from touchstone.journey.carrier import CONSENT_WITHDRAWN
from touchstone.journey.census import Census
from touchstone.journey.fold import DORMANT
from touchstone.journey.policy import Journeys
from touchstone.journey.speaker import BEFORE_THE_FIRST, Speaker
from touchstone.matching.agent import Matcher, MatchPartition
from touchstone.model import message as m
from touchstone.model.component import IDENTITY_ROWS, JOURNEY_ROWS, MATCH_ROWS, STATE_FORMAT
from touchstone.model.erasure import Forgotten, ForgottenTable
from touchstone.model.output import Carried, Customer, DeadLetter, IdentityChange, Moment, Review
from touchstone.observe.metrics import (
    CONSUMED,
    CORRECTIONS,
    DEAD_LETTERS,
    DUPLICATES,
    IDENTITY_CHANGES,
    LIMITED,
    MOMENTS,
    REVIEWS,
    WITHHELD,
    Counts,
)
from touchstone.runtime.program import Out, Record
from touchstone.state.store import Store
from touchstone.topology.compile import DeadLetterLimit, Output, Topology, deciding
from touchstone.topology.fingerprint import canonical

OutputRecord = Moment | Carried | Customer | IdentityChange | Review | DeadLetter
Publish = Callable[[OutputRecord | Forgotten, Out], None]
Take = Callable[[Record, list[m.IdentityMessage]], Accepted | Ruled | DeadLetter]

IDENTITY, MATCH, JOURNEY = "identity", "match", "journey"
_STAGE_OF: dict[type, str] = dict.fromkeys(get_args(m.MatchMessage), MATCH) | dict.fromkeys(get_args(m.JourneyMessage), JOURNEY)
_encode = msgspec.msgpack.Encoder().encode
_decoders: Mapping[str, msgspec.msgpack.Decoder[Any]] = {
    IDENTITY: msgspec.msgpack.Decoder(m.IdentityMessage),
    MATCH: msgspec.msgpack.Decoder(m.MatchMessage),
    JOURNEY: msgspec.msgpack.Decoder(m.JourneyMessage),
}
_ROWS = {IDENTITY: IDENTITY_ROWS, MATCH: MATCH_ROWS, JOURNEY: JOURNEY_ROWS}


def stages_of(topology: Topology) -> tuple[str, ...]:
    """The stages that have state, in the order of the flow; nobody who matches nothing has topics for it."""
    return (IDENTITY, JOURNEY) if topology.matching is None else (IDENTITY, MATCH, JOURNEY)


class Pipeline:
    """A `Program` (runtime/program.py): owns the stages of the partitions that were opened here."""

    def __init__(
        self,
        topology: Topology,
        ordering: Ordering,
        partitions: int,
        publish: Publish,
        clock: Clock,
        counts: Counts | None = None,
        limit: DeadLetterLimit | None = None,
        codec: Codec | None = None,
    ) -> None:
        """`limit`: how many dead letters stop it; None, as in the twin: no number does."""
        self._topology = topology
        self._ordering = ordering
        self._partitions = partitions
        self._publish = publish
        self._clock = clock
        self._journeys = Journeys(topology, ordering)
        self.forgotten = ForgottenTable()
        self._speaker = Speaker(self._journeys, self._emit, carry=self._carry, withhold=self._withhold, forget=self._forget)
        self.counts = counts or Counts()
        self._sealed_counts = Counts()
        self.committed_counts = Counts()
        self._sealed_censuses: dict[int, Census] = {}
        self._censuses: dict[int, Census] = {}
        self._intake = Intake(topology, ordering, self.counts, codec, self.forgotten)
        self._tallies = None if limit is None else Tallies(limit)
        self._identities: dict[int, Identity] = {}
        self._journey_partitions: dict[int, JourneyPartition] = {}
        self._out: Out | None = None
        alike = self._journeys.alike
        self._matcher: Matcher | None = None
        if topology.matching is not None and alike is not None:
            unique = {name for name, kind in topology.kinds.items() if kind.unique}
            self._matcher = Matcher(alike, topology.matching.limit, ordering.strength, self.counts, unique)
        self._match_partitions: dict[int, MatchPartition] = {}
        self._matching_terms = {} if alike is None else {"matching": alike.terms}

    # -- Program -------------------------------------------------------------------------------------------------------------
    @property
    def stages(self) -> Mapping[str, Mapping[str, Any]]:
        """The stages that have state, with the types of their rows."""
        return {stage: _ROWS[stage] for stage in stages_of(self._topology)}

    @property
    def fingerprint(self) -> bytes:
        """The topology and the key of the hashes: a state made with others cannot be continued."""
        parts = {
            "state format": STATE_FORMAT,
            "topology": self._topology.fingerprint,
            "hash key": self._ordering.digest("fingerprint").hex()[:12],
            "partitions": self._partitions,
        }
        return ", ".join(f"{name} {value}" for name, value in (parts | self._matching_terms).items()).encode()

    @property
    def terms(self) -> Mapping[str, Any]:
        """What the fingerprint was made of."""
        return {
            "state format": STATE_FORMAT,
            "hash key": self._ordering.digest("fingerprint").hex()[:12],
            "partitions": self._partitions,
            "topology": canonical(deciding(self._topology)),
        } | self._matching_terms

    def opened(self, partition: int, stores: Mapping[str, Store]) -> None:
        """The partition is ours.

        What intake remembers of claims it has sent may have been undone with a transaction; forgetting only costs sending them again.
        """
        self._intake.forget()
        self.counts.clear()
        self._sealed_counts.clear()
        self._sealed_censuses.clear()
        self._identities[partition] = Identity(stores[IDENTITY], self._topology.kinds, self._ordering)
        self._journey_partitions[partition] = JourneyPartition(stores[JOURNEY], self._journeys, self.forgotten)
        self._censuses[partition] = self._journey_partitions[partition].census
        if self._matcher is not None:
            self._matcher.forget()
            self._match_partitions[partition] = MatchPartition(stores[MATCH], self._matcher)

    def learn(self, fact: Forgotten) -> None:
        """What the privacy log says: it holds for everything that is processed from now on."""
        if self.forgotten.learn(fact) and fact.is_generic:
            for partition in self._journey_partitions.values():
                partition.look_for(fact.identifier)

    def closed(self, partition: int) -> None:
        """The partition is somebody else's."""
        self._identities.pop(partition, None)
        self._journey_partitions.pop(partition, None)
        self._censuses.pop(partition, None)
        self._match_partitions.pop(partition, None)
        if self._matcher is not None:
            self._matcher.forget()

    def process(self, records: Sequence[Record], out: Out) -> int | None:
        """Records of one partition of one channel, or of the commands: each becomes messages to identity, or a dead letter.

        Raises:
            TooManyDeadLetters: The records before the one it names are done, the others untouched.
        """
        self._begin(out)
        latest: int | None = None
        too_many: str | None = None
        tally = None if self._tallies is None or not records else self._tallies.of(records[0].topic, records[0].partition)
        is_event = self._topology.clock == "event"
        messages: list[m.IdentityMessage] = []
        is_commands = bool(records) and records[0].topic == self._topology.topics.commands
        take: Take = self._intake.take_command if is_commands else self._intake.take
        for record in records:
            taken = take(record, messages)
            if isinstance(taken, DeadLetter):
                if tally is not None and (too_many := tally.refuse(taken.reason)) is not None:
                    self.counts.add(DEAD_LETTERS, taken.reason, by=-1)  # it is read again, by whoever starts next
                    break
                self.counts.add(CONSUMED, taken.channel or "unknown")
                self._publish(taken, out)
            else:
                self.counts.add(CONSUMED, COMMANDS if isinstance(taken, Ruled) else taken.touchpoint.channel)
                if tally is not None:
                    tally.used()
            time = self._source_time(record, taken, is_event=is_event)
            if time is not None and (latest is None or time > latest):
                latest = time
        for message in messages:
            self._send(message)
        if too_many is not None:
            raise self._too_many(record, too_many, latest)
        return latest

    def _too_many(self, record: Record, why: str, latest: int | None) -> TooManyDeadLetters:
        channel = self._intake.name_of(record.topic)
        remedy = (
            "Everything before it is committed, nothing behind it was touched. "
            f"Look with `touchstone deadletters list --channel {channel}`, mend the producer of the channel {channel}, raise "
            "limits.dead_letters in the topology to let pass what is already in the topic, and start again"
        )
        return TooManyDeadLetters(record.topic, record.partition, record.offset, f"{why} {remedy}", latest)

    def note(self, topic: str, partition: int) -> str:
        """What is kept beside the committed offset of a channel's partition: how many dead letters were counted there."""
        return "" if self._tallies is None else self._tallies.note(topic, partition)

    def resume(self, topic: str, partition: int, note: str) -> None:
        """Go on from what was kept beside the offset."""
        if self._tallies is not None:
            self._tallies.resume(topic, partition, note)

    @staticmethod
    def _source_time(record: Record, taken: Accepted | Ruled | DeadLetter, *, is_event: bool) -> int | None:
        """What a record says of the time: the broker's, or with `clock: event` that of its receipt, if it is a touchpoint at all.

        A command says nothing of it: the same ones given to a history afterwards must leave its clock where it was.
        """
        if not is_event:
            return record.timestamp
        return taken.touchpoint.received_at if isinstance(taken, Accepted) else None

    def receive(self, stage: str, payload: bytes) -> Any:
        """A record of an internal topic as a message."""
        return _decoders[stage].decode(payload)

    def encode(self, message: Any) -> bytes:
        """A message as a record of an internal topic."""
        return _encode(message)

    def deliver(self, stage: str, partition: int, message: Any, out: Out) -> None:
        """One message to one stage."""
        self._out = out
        if stage == IDENTITY:
            self._identities[partition].handle(message, self._send)
        elif stage == MATCH:
            self._match_partitions[partition].handle(message, self._send)
        else:
            self._journey_partitions[partition].handle(message, self._send, self._speaker)

    def advance(self, partition: int, now: int, out: Out) -> None:
        """Time has passed in a partition of the journey stage."""
        self._begin(out)
        self._journey_partitions[partition].advance(now, self._speaker)

    def settle(self, out: Out, wall_ms: int) -> bool:
        """Finish what was put off. True: something moved, call again; False: all is said, the customers that changed last."""
        self._out, self._speaker.wall_ms = out, wall_ms
        if self._matcher is not None and self._matcher.compare(self._send):
            return True
        partitions = self._journey_partitions.values()
        moved = [partition.settle(self._send, self._speaker) for partition in partitions]
        if any(moved):
            return True
        for partition in partitions:
            partition.conclude(self._speaker)
            if partition.duplicates:
                self.counts.add(DUPLICATES, by=partition.duplicates)
                partition.duplicates = 0
            if partition.left_out:
                self.counts.add(LIMITED, by=partition.left_out)
                partition.left_out = 0
        return False

    def sealed(self) -> None:
        """What was counted until now counts when the transaction stands that is being committed."""
        self._sealed_counts.take(self.counts)
        self._sealed_censuses = {number: partition.census for number, partition in self._journey_partitions.items()}

    def committed(self) -> None:
        """What was sealed counts, because the transaction stands."""
        self.committed_counts.take(self._sealed_counts)
        self._censuses.update(self._sealed_censuses)

    @property
    def comparing_seconds(self) -> float:
        """What comparing records has taken so far."""
        return 0.0 if self._matcher is None else self._matcher.seconds

    def customers(self) -> dict[tuple[str, ...], float]:
        """Active customers by journey and phase, over the partitions opened here, as of the last commit."""
        found: dict[tuple[str, ...], float] = dict.fromkeys(
            ((j.name, phase) for j in self._topology.journeys for phase in (BEFORE_THE_FIRST, *j.phases, DORMANT)), 0.0
        )
        for counts in self._censuses.values():
            for journey, phases in counts.items():
                for phase, customers in phases.items():
                    found[journey, phase] = found.get((journey, phase), 0.0) + customers
        return found

    # -- inside --------------------------------------------------------------------------------------------------------------
    def _begin(self, out: Out) -> None:
        self._out, self._speaker.wall_ms = out, self._clock.now_ms()

    def _send(self, message: m.IdentityMessage | m.MatchMessage | m.JourneyMessage) -> None:
        stage = _STAGE_OF.get(type(message), IDENTITY)
        self._out.message(stage, self._ordering.partition(message.to, self._partitions), message)  # type: ignore[union-attr]  # set by every entry

    def _emit(self, record: Moment | Customer | IdentityChange | Review) -> None:
        self._count(record)
        self._publish(record, self._out)  # type: ignore[arg-type]  # set by every entry

    def _carry(self, record: Carried) -> None:
        if record.moment.corrects == CONSENT_WITHDRAWN:
            self.counts.add(CORRECTIONS, CONSENT_WITHDRAWN)
        self._publish(record, self._out)  # type: ignore[arg-type]  # set by every entry

    def _forget(self, fact: Forgotten) -> None:
        self._publish(fact, self._out)  # type: ignore[arg-type]  # set by every entry

    def _withhold(self, output: Output) -> None:
        self.counts.add(WITHHELD, output.name)

    def _count(self, record: Moment | Customer | IdentityChange | Review) -> None:
        if isinstance(record, Moment):
            phase = record.to_phase or (DORMANT if record.rule == DORMANT else "none")
            self.counts.add(MOMENTS, record.journey, record.kind, phase, record.action)
            if record.corrects:
                self.counts.add(CORRECTIONS, record.corrects)
        elif isinstance(record, IdentityChange):
            self.counts.add(IDENTITY_CHANGES, record.kind)
        elif isinstance(record, Review):
            self.counts.add(REVIEWS, record.status)

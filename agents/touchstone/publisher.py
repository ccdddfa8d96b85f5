"""Output records on their topics: encoded, keyed and with CloudEvents headers; further outputs get the moments they ask for."""

from touchstone.clock import Clock
from touchstone.contracts.codec import Codec
from touchstone.contracts.envelope import Envelope, Headers
from touchstone.errors import InvariantBroken
from touchstone.model.output import Customer, DeadLetter, IdentityChange, Moment
from touchstone.observe.metrics import OUTPUT_RECORDS, Counts
from touchstone.runtime.program import Out
from touchstone.topology.compile import Output, Topology


class Publisher:
    """Knows the topic, key and wire format of every output record."""

    def __init__(self, topology: Topology, codec: Codec, envelope: Envelope, clock: Clock, counts: Counts) -> None:
        self._topics = topology.topics
        self._outputs = topology.outputs
        self._codec = codec
        self._envelope = envelope
        self._clock = clock
        self._counts = counts

    def __call__(self, record: Moment | Customer | IdentityChange | DeadLetter, out: Out) -> None:
        """Put one record where its readers look; it leaves with the transaction."""
        topics, codec, envelope = self._topics, self._codec, self._envelope
        match record:
            case Moment():
                value, headers = codec.encode_moment(record), envelope.moment(record)
                key = record.customer_id.encode()
                self._put(out, topics.moments, key, value, headers)
                for output in self._outputs:
                    if wants(output, record):
                        self._put(out, output.topic, key, value, headers)
            case Customer():
                headers = envelope.customer(record, self._clock.now_ms())
                self._put(out, topics.customers, record.customer_id.encode(), codec.encode_customer(record), headers)
            case IdentityChange():
                headers = envelope.identity_change(record)
                self._put(out, topics.identities, record.customer_id.encode(), codec.encode_identity_change(record), headers)
            case DeadLetter():
                headers = envelope.dead_letter(record)
                self._put(out, topics.deadletters, record.letter_id.encode(), codec.encode_dead_letter(record), headers)
            case _:
                raise InvariantBroken(f"expected an output record, found {type(record).__name__}")

    def _put(self, out: Out, topic: str, key: bytes, value: bytes, headers: Headers) -> None:
        self._counts.add(OUTPUT_RECORDS, topic)
        out.record(topic, key, value, headers)


def wants(output: Output, moment: Moment) -> bool:
    """Whether a moment belongs to a further output; its retraction goes wherever its assertion went."""
    return (
        (output.journeys is None or moment.journey in output.journeys)
        and (output.kinds is None or moment.kind in output.kinds)
        and (output.phases is None or moment.to_phase in output.phases)
    )

"""Output records on their topics: encoded, keyed and with CloudEvents headers; further outputs get the moments they ask for."""

from touchstone.clock import Clock
from touchstone.contracts.codec import Codec
from touchstone.contracts.envelope import Envelope
from touchstone.errors import InvariantBroken
from touchstone.model.output import Customer, DeadLetter, IdentityChange, Moment
from touchstone.runtime.program import Out
from touchstone.topology.compile import Output, Topology


class Publisher:
    """Knows the topic, key and wire format of every output record."""

    def __init__(self, topology: Topology, codec: Codec, envelope: Envelope, clock: Clock) -> None:
        self._topics = topology.topics
        self._outputs = topology.outputs
        self._codec = codec
        self._envelope = envelope
        self._clock = clock

    def __call__(self, record: Moment | Customer | IdentityChange | DeadLetter, out: Out) -> None:
        """Put one record where its readers look; it leaves with the transaction."""
        topics, codec, envelope = self._topics, self._codec, self._envelope
        match record:
            case Moment():
                value, headers = codec.encode_moment(record), envelope.moment(record)
                key = record.customer_id.encode()
                out.record(topics.moments, key, value, headers)
                for output in self._outputs:
                    if wants(output, record):
                        out.record(output.topic, key, value, headers)
            case Customer():
                headers = envelope.customer(record, self._clock.now_ms())
                out.record(topics.customers, record.customer_id.encode(), codec.encode_customer(record), headers)
            case IdentityChange():
                headers = envelope.identity_change(record)
                out.record(topics.identities, record.customer_id.encode(), codec.encode_identity_change(record), headers)
            case DeadLetter():
                headers = envelope.dead_letter(record)
                out.record(topics.deadletters, record.letter_id.encode(), codec.encode_dead_letter(record), headers)
            case _:
                raise InvariantBroken(f"expected an output record, found {type(record).__name__}")


def wants(output: Output, moment: Moment) -> bool:
    """Whether a moment belongs to a further output; its retraction goes wherever its assertion went."""
    return (
        (output.journeys is None or moment.journey in output.journeys)
        and (output.kinds is None or moment.kind in output.kinds)
        and (output.phases is None or moment.to_phase in output.phases)
    )

"""Output records on their topics: encoded, keyed and with CloudEvents headers; further outputs get the moments they ask for."""

from touchstone.clock import Clock
from touchstone.contracts.codec import Codec
from touchstone.contracts.envelope import Envelope, Headers
from touchstone.errors import InvariantBroken
from touchstone.model.erasure import ERASED, Forgotten, encode_forgotten
from touchstone.model.output import Carried, Customer, DeadLetter, IdentityChange, Moment, Review
from touchstone.observe.metrics import OUTPUT_RECORDS, Counts
from touchstone.runtime.program import Out
from touchstone.topology.compile import Topology


class Publisher:
    """Knows the topic, key and wire format of every output record."""

    def __init__(self, topology: Topology, codec: Codec, envelope: Envelope, clock: Clock, counts: Counts) -> None:
        self._topics = topology.topics
        self._outputs = tuple(output for output in topology.outputs if output.purpose is None)
        self._topics_by_output = {output.name: output.topic for output in topology.asking}
        self._codec = codec
        self._envelope = envelope
        self._clock = clock
        self._counts = counts

    def __call__(self, record: Moment | Carried | Customer | IdentityChange | Review | DeadLetter | Forgotten, out: Out) -> None:
        """Put one record where its readers look; it leaves with the transaction."""
        topics, codec, envelope = self._topics, self._codec, self._envelope
        match record:
            case Moment():
                value, headers = codec.encode_moment(record), envelope.moment(record)
                key = record.customer_id.encode()
                self._put(out, topics.moments, key, value, headers)
                for output in self._outputs:
                    if output.wants(record):
                        self._put(out, output.topic, key, value, headers)
            case Carried(output=name, moment=moment):
                topic, key = self._topics_by_output[name], moment.customer_id.encode()
                self._put(out, topic, key, codec.encode_moment(moment), envelope.moment(moment))
            case Customer():
                headers = envelope.customer(record, self._clock.now_ms())
                self._put(out, topics.customers, record.customer_id.encode(), codec.encode_customer(record), headers)
                if record.status == ERASED:  # readers hear of it, and compaction leaves nothing
                    out.record(topics.customers, record.customer_id.encode(), None)
            case IdentityChange():
                headers = envelope.identity_change(record)
                self._put(out, topics.identities, record.customer_id.encode(), codec.encode_identity_change(record), headers)
            case Review():
                self._put(out, topics.reviews, record.review_id.encode(), codec.encode_review(record), envelope.review(record))
            case DeadLetter():
                headers = envelope.dead_letter(record)
                self._put(out, topics.deadletters, record.letter_id.encode(), codec.encode_dead_letter(record), headers)
            case Forgotten():
                self._put(out, topics.privacy, record.identifier.encode(), encode_forgotten(record), ())
            case _:
                raise InvariantBroken(f"expected an output record, found {type(record).__name__}")

    def _put(self, out: Out, topic: str, key: bytes, value: bytes, headers: Headers) -> None:
        self._counts.add(OUTPUT_RECORDS, topic)
        out.record(topic, key, value, headers)

"""CloudEvents 1.0 headers of an output record, in the Kafka protocol's binary mode: the value stays pure Avro."""

from functools import lru_cache

from touchstone.contracts.times import iso_text
from touchstone.model.output import Customer, DeadLetter, IdentityChange, Moment, Review

Headers = tuple[tuple[str, bytes], ...]

CONTENT_TYPE = b"application/avro"


class Envelope:
    """The headers of everything one installation says. `source` is its URI reference; `ce_source` + `ce_id` name a record once."""

    def __init__(self, source: str) -> None:
        self._fixed = {
            name: (
                ("ce_specversion", b"1.0"),
                ("ce_type", f"touchstone.{name}.v1".encode()),
                ("ce_source", source.encode()),
                ("content-type", CONTENT_TYPE),
            )
            for name in ("moment", "customer", "identity_change", "review", "dead_letter")
        }

    def moment(self, moment: Moment) -> Headers:
        """Of a moment: each revision is an event of its own, at the time it was detected."""
        return self._headers("moment", f"{moment.moment_id}-{moment.revision}", moment.detected_at)

    def customer(self, customer: Customer, now_ms: int) -> Headers:
        """Of a customer: each revision is an event of its own."""
        return self._headers("customer", f"{customer.customer_id}-{customer.revision}", now_ms)

    def identity_change(self, change: IdentityChange) -> Headers:
        """Of an identity change, at the time it was found."""
        return self._headers("identity_change", change.change_id, change.detected_at)

    def review(self, review: Review) -> Headers:
        """Of a review: each revision is an event of its own, at the time it was found."""
        return self._headers("review", f"{review.review_id}-{review.revision}", review.detected_at)

    def dead_letter(self, letter: DeadLetter) -> Headers:
        """Of a dead letter, at the time of the record it is about."""
        return self._headers("dead_letter", letter.letter_id, letter.occurred_at)

    def _headers(self, name: str, event_id: str, time_ms: int) -> Headers:
        return (*self._fixed[name], ("ce_id", event_id.encode()), ("ce_time", _time(time_ms)))


@lru_cache(maxsize=64)
def _time(time_ms: int) -> bytes:
    """Everything that one transaction says carries the same time or two."""
    return iso_text(time_ms).encode()

"""The headers say what a record is without opening it."""

from tests.samples import REVIEW
from touchstone.contracts.envelope import Envelope
from touchstone.model.output import Customer, IdentityChange


def test_a_customer_carries_the_attributes_of_a_cloud_event() -> None:
    """All that CloudEvents 1.0 requires, the time, and the content type; each revision is an event of its own."""
    customer = Customer("c1", 7, "default", "active", None)

    headers = dict(Envelope("touchstone/shop").customer(customer, now_ms=1_718_000_000_123))

    assert headers == {
        "ce_specversion": b"1.0",
        "ce_type": b"touchstone.customer.v1",
        "ce_source": b"touchstone/shop",
        "content-type": b"application/avro",
        "ce_id": b"c1-7",
        "ce_time": b"2024-06-10T06:13:20.123Z",
    }


def test_an_identity_change_is_found_under_its_own_id() -> None:
    """It is said once, so its id is the event's id."""
    change = IdentityChange("x9", "merged", "default", "c1", ("c2",), (), None, "email", 0)

    headers = dict(Envelope("touchstone/shop").identity_change(change))

    assert (headers["ce_id"], headers["ce_time"]) == (b"x9", b"1970-01-01T00:00:00.000Z")


def test_each_revision_of_a_review_is_an_event_of_its_own() -> None:
    """At the time it was found."""
    headers = dict(Envelope("touchstone/shop").review(REVIEW))

    assert headers["ce_type"] == b"touchstone.review.v1"
    assert (headers["ce_id"], headers["ce_time"]) == (b"5e7a90c31b2d4f68-1", b"2024-05-01T10:00:01.000Z")

"""Which topics a record reaches."""

from dataclasses import replace

from tests.samples import MOMENT, REVIEW, moment_with
from touchstone.clock import ManualClock
from touchstone.contracts.codec import bundled_codec
from touchstone.contracts.envelope import Envelope
from touchstone.model.erasure import Forgotten, decode_forgotten
from touchstone.model.output import Carried, Customer, Moment, Review
from touchstone.observe.metrics import OUTPUT_RECORDS, Counts
from touchstone.publisher import Publisher
from touchstone.simulate import Memory
from touchstone.topology.compile import Consent, Output
from touchstone.topology.load import default_topology_path, load_topology

SHOP = replace(
    load_topology(default_topology_path()),
    outputs=(
        Output("all", "all.v1", None, None, None),
        Output("buyers", "buyers.v1", None, None, frozenset({"purchase"})),
        Output("marketing", "marketing.v1", None, None, None, "marketing"),
    ),
    consents={"marketing": Consent()},
)


class Outbox(Memory):
    """Keeps what is sent: topic, key, moment."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, bytes, object]] = []

    def record(self, topic: str, key: bytes, value: bytes | None, headers: object = ()) -> None:
        """Decoded, as a reader would."""
        self.sent.append((topic, key, None if value is None else _decoded(topic, value)))


def _decoded(topic: str, value: bytes) -> object:
    return decode_forgotten(value) if topic == "privacy.v1" else bundled_codec().decode_record(value)


def published(*records: Moment | Carried | Review | Customer | Forgotten) -> tuple[list[tuple[str, bytes, object]], Counts]:
    """What leaves, and what was counted."""
    outbox, counts = Outbox(), Counts()
    publish = Publisher(SHOP, bundled_codec(), Envelope("/test"), ManualClock(1), counts)
    for record in records:
        publish(record, outbox)
    return outbox.sent, counts


def test_a_moment_reaches_the_moments_topic_and_the_outputs_that_want_it() -> None:
    """By journey, kind and phase; outputs that ask for consent are told apart from it."""
    sent, counts = published(MOMENT, bought := moment_with(to_phase="purchase"))

    assert [(topic, said) for topic, _, said in sent] == [
        ("moments.v1", MOMENT), ("all.v1", MOMENT), ("moments.v1", bought), ("all.v1", bought), ("buyers.v1", bought),
    ]  # fmt: skip
    assert counts.of(OUTPUT_RECORDS, "all.v1") == 2


def test_an_output_that_asks_for_consent_gets_only_what_it_may_carry() -> None:
    """What is said there goes nowhere else, under the customer's key and with its own revision."""
    taken_back = moment_with(action="retract", revision=7, corrects="consent_withdrawn")

    sent, _ = published(Carried("marketing", MOMENT), Carried("marketing", taken_back))

    assert sent == [("marketing.v1", b"ada", MOMENT), ("marketing.v1", b"ada", taken_back)]


def test_a_review_lies_under_its_own_id() -> None:
    """All that is said of one question lies in one partition, and compaction keeps its last word."""
    sent, counts = published(REVIEW)

    assert sent == [("reviews.v1", REVIEW.review_id.encode(), REVIEW)]
    assert counts.of(OUTPUT_RECORDS, "reviews.v1") == 1


def test_a_customer_who_was_erased_leaves_a_tombstone() -> None:
    """Readers hear of it first; then compaction leaves nothing of the key."""
    erased = Customer("c0ffee", 7, "default", "erased", None)

    sent, _ = published(erased)

    assert sent == [("customers.v1", b"c0ffee", erased), ("customers.v1", b"c0ffee", None)]


def test_what_was_forgotten_goes_to_the_privacy_log() -> None:
    """Under the key of the identifier, so that compaction keeps the last word on each."""
    fact = Forgotten("default/email:5d41", 10, "x1", 11)

    sent, _ = published(fact)

    assert sent == [("privacy.v1", b"default/email:5d41", fact)]

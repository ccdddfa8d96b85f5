"""The receipt: signed, without values, and honest about where bytes lie."""

import msgspec

from touchstone.privacy.erase import by_kind, places
from touchstone.privacy.pseudonym import Pseudonyms
from touchstone.privacy.receipt import FOR_EVER, Receipt, is_genuine, signed
from touchstone.topology.load import default_topology_path, load_topology

DAY_MS = 86_400_000
RECEIPT = Receipt(
    command_id="x1",
    tenant="default",
    asked_by="ann",
    why="request 4711",
    asked_at="2026-03-02T12:00:00Z",
    written_at="2026-03-02T12:00:01Z",
    until="2026-03-02T12:00:00Z",
    forgotten=("default/email:5d41",),
    by_kind={"email": 1},
    customers=("c0ffee",),
    moments_taken_back=2,
    touchpoints=3,
    places=(),
)


def test_a_receipt_that_was_changed_is_not_genuine() -> None:
    """Nor one that another installation has signed; read back from its file it is what it was."""
    receipt = signed(RECEIPT, b"ours")
    read_back = msgspec.json.decode(msgspec.json.encode(receipt), type=Receipt)

    assert is_genuine(read_back, b"ours")
    assert not is_genuine(msgspec.structs.replace(receipt, touchpoints=2), b"ours")
    assert not is_genuine(receipt, b"theirs")
    assert not is_genuine(RECEIPT, b"ours")


def test_a_topic_says_until_when_it_may_hold_bytes() -> None:
    """By its own settings; without a limit of the time, for ever; a topic that is not there is not named."""
    topology = load_topology(default_topology_path())
    names = topology.topics
    settings = {
        names.commands: {"cleanup.policy": "delete", "retention.ms": "-1"},
        names.moments: {"cleanup.policy": "delete", "retention.ms": str(DAY_MS), "segment.ms": str(7 * DAY_MS)},
        names.customers: {"cleanup.policy": "compact", "max.compaction.lag.ms": str(DAY_MS), "delete.retention.ms": str(DAY_MS)},
        names.reviews: {"cleanup.policy": "compact,delete", "retention.ms": str(DAY_MS), "max.compaction.lag.ms": "9223372036854775807"},
        names.privacy: {"cleanup.policy": "compact", "max.compaction.lag.ms": "9223372036854775807"},
        "app.journey.changelog": {"cleanup.policy": "compact", "max.compaction.lag.ms": "0", "delete.retention.ms": "0"},
    }

    found = {place.topic: place.until for place in places(topology, {"app.journey.changelog": "state"}, settings, 0)}

    assert found == {
        names.commands: FOR_EVER,
        "app.journey.changelog": "1970-01-01T01:00:00Z",
        names.moments: "1970-01-03T01:00:00Z",
        names.customers: "1970-01-03T01:00:00Z",
        names.reviews: "1970-01-03T01:00:00Z",
        names.privacy: FOR_EVER,
    }


def test_identifiers_are_counted_by_kind() -> None:
    """In the order of the kinds' names."""
    assert by_kind(["default/email:a", "x/cookie:b", "default/email:c"]) == {"cookie": 1, "email": 2}


def test_a_pseudonym_holds_for_a_month_and_for_one_installation() -> None:
    """The same person has another one in the next month; who knows the name but not the key cannot make it."""
    march, april = 1_772_452_800_000, 1_775_131_200_000
    ours = Pseudonyms(b"ours")

    assert ours.of("default/email:a", march) == ours.of("default/email:a", march + 3_600_000)
    assert ours.of("default/email:a", march).startswith("2026-03:")
    assert ours.of("default/email:a", march)[8:] != ours.of("default/email:a", april)[8:]
    assert ours.of("default/email:a", march) != Pseudonyms(b"theirs").of("default/email:a", march)

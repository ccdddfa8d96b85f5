"""One record, one line."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.samples import moment_with
from touchstone.cli.lines import line
from touchstone.cli.output import Output
from touchstone.cli.tail import _show, topic_of
from touchstone.contracts.codec import bundled_codec
from touchstone.errors import UsageError
from touchstone.intake.redrive import SETTLED
from touchstone.model.output import Customer, DeadLetter, IdentityChange
from touchstone.runtime.program import Record
from touchstone.topology.load import default_topology_path

MOMENT = moment_with(customer_id="3f2a9c0d11223344", to_phase="decision", skipped=("awareness", "interest"), rule="carted")


@pytest.fixture
def renamed(tmp_path: Path) -> Path:
    """A topology with a name of its own for the moments, and a further output."""
    path = tmp_path / "topology.yaml"
    more = "topics: {moments: shop-moments}\noutputs:\n  service: {topic: service-moments.v1, kinds: [regression]}\n"
    path.write_text(default_topology_path().read_text() + more)
    return path


@pytest.mark.parametrize(
    ("what", "topic"),
    [("moments", "trial.shop-moments"), ("customers", "trial.customers.v1"), ("service", "trial.service-moments.v1")],
)
def test_the_topology_says_what_the_topics_are_called(renamed: Path, what: str, topic: str) -> None:
    """Also those of further outputs, which have names of their own; and the prefix stands before all of them."""
    assert topic_of(what, renamed, "trial.") == topic


def test_without_a_topology_the_shipped_names_hold() -> None:
    """With nothing to load."""
    assert topic_of("moments", None, "trial.") == "trial.moments.v1"


@pytest.mark.parametrize("what", ["moment", "Service", ""])
def test_what_the_topology_does_not_name_is_a_mistake(renamed: Path, what: str) -> None:
    """The answer lists what there is."""
    with pytest.raises(UsageError, match="expected one of moments, customers, identities, deadletters, service, found"):
        topic_of(what, renamed, "")


def test_a_moment_says_when_who_from_where_to_where_and_why() -> None:
    """Time in UTC, the beginning of the customer id, the step with what was skipped, the rule and the channel."""
    assert line(MOMENT).plain == (
        "2024-05-01 10:00:00  3f2a9c0d1122  asserted    start → decision (passing awareness, interest)  purchase: carted on web"
    )


def test_what_was_taken_back_is_marked_with_words_and_cause() -> None:
    """The mark does not depend on colours."""
    withdrawn = msgspec.structs.replace(
        MOMENT, action="retract", revision=2, corrects="merge", kind="timeout", rule="abandoned", skipped=()
    )

    assert line(withdrawn).plain == (
        "2024-05-01 10:00:00  3f2a9c0d1122  TAKEN BACK  start → decision  timeout, purchase: abandoned on web (corrects: merge)"
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "active  purchase: decision, dormant  [1 cookie, 1 email]"),
        ({"journeys": ()}, "active  no phase yet  [1 cookie, 1 email]"),
        ({"status": "merged", "merged_into": "0123456789abcdef"}, "merged into 0123456789ab"),
        ({"status": "retired"}, "retired"),
    ],
    ids=["active", "without a phase", "merged", "retired"],
)
def test_a_customer_says_where_on_the_journey_and_how_known(changed: dict[str, Any], expected: str) -> None:
    """Kinds of identifiers are counted; their values are not shown."""
    identifiers = tuple({"kind": kind, "value": "secret", "first_seen": 0, "last_seen": 0} for kind in ("email", "cookie"))
    journeys = ({"journey": "purchase", "instance": None, "phase": "decision", "since": 0, "cycle": 1, "dormant": True, "deadline": None},)
    made = Customer("3f2a9c0d11223344", 1, "default", "active", None, identifiers=identifiers, journeys=journeys)

    shown = line(msgspec.structs.replace(made, **changed)).plain

    assert shown == f"1970-01-01 00:00:00  3f2a9c0d1122  {expected}"


def test_an_identity_change_names_others_kinds_rule_and_trigger() -> None:
    """Who was merged with whom, over what, and because of which touchpoint."""
    change = IdentityChange("c", "merged", "default", "aaa", ("bbb",), ({"kind": "user_id", "value": "u1"},), "web/e9", "user_id unites", 0)

    assert line(change).plain == "1970-01-01 00:00:00  aaa  merged with bbb over user_id (user_id unites, triggered by web/e9)"


def test_a_dead_letter_names_reason_and_origin_but_not_its_content() -> None:
    """Where the record came from is enough to find it."""
    letter = DeadLetter("l", "invalid_json", "expected one JSON object", "web", "touchpoints.web.v1", 3, 17, 0, None, b"ada@x.org", 9, "")

    assert line(letter).plain == "1970-01-01 00:00:00  invalid_json  expected one JSON object  (touchpoints.web.v1[3]@17, 9 bytes)"


def test_json_names_the_type_of_record(capsys: pytest.CaptureFixture[str]) -> None:
    """A program reading several topics can tell them apart; times are ISO 8601."""
    _show(Record("moments.v1", 0, 0, 0, b"k", bundled_codec().encode_moment(MOMENT)), Output(is_json=True))

    row = msgspec.json.decode(capsys.readouterr().out)
    assert row["record"] == "moment"
    assert row["occurred_at"] == "2024-05-01T10:00:00.000Z"


def test_what_cannot_be_read_is_said_and_the_tail_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    """Foreign bytes in a topic are a message with their place, an erased customer is a line."""
    _show(Record("moments.v1", 2, 5, 0, None, b"foreign"), Output())
    _show(Record("customers.v1", 2, 6, 0, b"3f2a", None), Output())

    said = capsys.readouterr()
    assert "moments.v1[2]@5 cannot be read (invalid_avro)" in said.err
    assert "erased (customers.v1[2]@6)" in said.out


def test_a_settled_letter_is_no_erased_customer(capsys: pytest.CaptureFixture[str]) -> None:
    """A record without a value says in its header what became of the letter."""
    _show(Record("deadletters.v1", 2, 6, 0, b"a1b2", None, ((SETTLED, b"replayed"),)), Output())

    assert capsys.readouterr().out == "dead letter a1b2 was replayed (deadletters.v1[2]@6)\n"

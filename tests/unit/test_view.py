"""The final view: what stands, in a form that can be compared."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.samples import REVIEW, moment_with, review_with
from touchstone.model.output import Customer, DeadLetter, IdentityChange, Moment
from touchstone.view import FinalView, diff, digest

DAY = 86_400_000


def moment(moment_id: str = "m1", revision: int = 1, action: str = "assert", **changed: Any) -> Moment:
    """A purchase decided by Ada."""
    made = moment_with(
        moment_id=moment_id,
        revision=revision,
        action=action,
        from_phase="interest",
        to_phase="decision",
        rule="carted",
        occurred_at=100 * DAY,
        detected_at=100 * DAY + 5,
    )
    return msgspec.structs.replace(made, **changed)


def customer(customer_id: str = "ada", revision: int = 1, status: str = "active", **changed: Any) -> Customer:
    """Ada with two identifiers."""
    identifiers = ({"kind": "email", "value": "ada@x.org"}, {"kind": "cookie", "value": "c1"})
    made = Customer(customer_id, revision, "default", status, None, identifiers=identifiers)
    return msgspec.structs.replace(made, **changed)


def letter(letter_id: str = "l1", value: bytes = b"{broken", **changed: Any) -> DeadLetter:
    """A record that was no JSON."""
    made = DeadLetter(letter_id, "not_json", "expected an object", "web", "touchpoints.web.v1", 3, 17, 5, None, value, 7, "ab")
    return msgspec.structs.replace(made, **changed)


CHANGE = IdentityChange("c1", "merged", "default", "ada", ("bob",), (), None, "user_id", 5)


@given(st.permutations([moment(revision=1), moment(revision=3, action="retract"), moment(revision=2), moment("m2"), CHANGE]))
def test_the_highest_revision_counts_in_any_order(records: list[Any]) -> None:
    """Law: the view is a function of the set of records; a moment taken back last does not stand."""
    final = FinalView(records + records).final(100 * DAY, DAY)

    assert [row["moment_id"] for row in final["moments"]] == ["m2"]


def test_a_moment_at_the_horizon_stands_and_one_before_it_is_final() -> None:
    """Moments older than the retention are no longer compared; the boundary itself is."""
    view = FinalView([moment("at", occurred_at=90 * DAY), moment("before", occurred_at=90 * DAY - 1)])

    assert [row["moment_id"] for row in view.final(100 * DAY, 10 * DAY)["moments"]] == ["at"]


def test_only_active_customers_are_in_the_view() -> None:
    """Who was merged or retired is left out, whatever was said of them earlier."""
    view = FinalView([customer("bob"), customer("bob", 2, "merged", merged_into="ada"), customer()])

    assert [row["customer_id"] for row in view.final(0, 0)["customers"]] == ["ada"]


def test_how_it_was_said_makes_no_difference() -> None:
    """Revisions, times of detection, causes of correction, positions and the order of a customer's lists are not compared."""
    one = FinalView([moment(), customer(), letter()])
    other = FinalView(
        [
            letter("l9", partition=1, offset=99, topic="touchpoints.app.v1", occurred_at=77),
            customer(revision=9, identifiers=tuple(reversed(customer().identifiers))),
            moment(revision=8, detected_at=1, corrects="merge"),
        ]
    )

    left, right = one.final(100 * DAY, DAY), other.final(100 * DAY, DAY)

    assert diff(left, right) == []
    assert digest(left) == digest(right)


def test_a_difference_is_one_readable_line() -> None:
    """The line names the record, the field and both values."""
    left = FinalView([moment(), moment("m2"), customer()]).final(100 * DAY, DAY)
    right = FinalView([moment(rule="quoted"), customer(), customer("bob")]).final(100 * DAY, DAY)

    assert diff(left, right) == [
        'moment m1: rule: live "carted", twin "quoted"',
        "moment m2: only in live: purchase transition interest -> decision by carted at 1970-04-11T00:00:00.000Z of customer ada",
        "customer bob: only in twin: " + json.dumps(right["customers"][1], sort_keys=True, separators=(",", ":")),
    ]
    assert digest(left) != digest(right)


def test_dead_letters_are_counted() -> None:
    """The same broken record sent twice makes two letters; one of them missing is a difference."""
    left = FinalView([letter("l1"), letter("l2")]).final(0, 0)
    right = FinalView([letter("l1"), letter("l1")]).final(0, 0)

    (line,) = diff(left, right, ("worker", "simulate"))

    assert line.startswith("deadletter: 1x more in worker: ")
    assert "not_json" in line


def test_a_view_is_json_whatever_bytes_were_rejected() -> None:
    """Bytes that are no text are kept, and two different values never look the same."""
    final = FinalView([letter("l1", b"\xff\x00"), letter("l2", b"/wA=")]).final(0, 0)

    text, binary = json.loads(json.dumps(final))["deadletters"]

    assert binary["value_base64"] == "/wA="
    assert text["value"] == "/wA="


@given(st.permutations([REVIEW, review_with(revision=3, status="rejected", command="c1"), review_with(revision=2, status="settled")]))
def test_of_a_review_the_highest_revision_counts(records: list[Any]) -> None:
    """Law: in any order and again, what was said last is what stands."""
    (row,) = FinalView(records + records).final(REVIEW.occurred_at, DAY)["reviews"]

    assert (row["review_id"], row["status"], row["command"]) == (REVIEW.review_id, "rejected", "c1")
    assert row.keys().isdisjoint({"revision", "detected_at", "customers"})


@pytest.mark.parametrize("status", ["open", "accepted", "rejected"])
def test_a_question_and_its_answer_are_in_the_view(status: str) -> None:
    """Whether it waits for a steward or was answered by one."""
    assert [row["status"] for row in FinalView([review_with(status=status)]).final(REVIEW.occurred_at, DAY)["reviews"]] == [status]


@pytest.mark.parametrize("status", ["settled", "withdrawn", "UNKNOWN"])
def test_a_question_that_nobody_asks_any_more_is_not_in_the_view(status: str) -> None:
    """That there was one depends on the order of arrival; and a view without questions is the one it always was."""
    assert "reviews" not in FinalView([review_with(status=status)]).final(REVIEW.occurred_at, DAY)
    assert FinalView([review_with(status=status)]).final(0, 0) == FinalView().final(0, 0)


def test_whose_they_were_does_not_matter_but_how_alike_they_are_does() -> None:
    """Customer ids are known when it is said or not; the score is a function of the two records."""
    view = FinalView([REVIEW]).final(REVIEW.occurred_at, DAY)
    elsewhere = FinalView([review_with(customers=(), revision=9, detected_at=5)]).final(REVIEW.occurred_at, DAY)
    less = FinalView([review_with(score=0.5)]).final(REVIEW.occurred_at, DAY)

    assert diff(view, elsewhere) == []
    assert diff(view, less) == [f"review {REVIEW.review_id}: score: live 0.62, twin 0.5"]
    assert diff(view, FinalView().final(0, 0))[0].startswith(f"review {REVIEW.review_id}: only in live: open at 0.620: [{{")

"""What was said against what is true now."""

from typing import Any

import msgspec

from touchstone.journey.publish import ASSERT, RETRACT, differences, moment_of, next_revision, say
from touchstone.model.component import SaidMoment
from touchstone.model.journey import Draft
from touchstone.model.output import MomentContent

ANN = "ann's id"


def draft(**changes: Any) -> Draft:
    """A transition at 100."""
    values: dict[str, Any] = {
        "kind": "transition",
        "from_phase": None,
        "to_phase": "interest",
        "skipped": (),
        "cycle": 1,
        "rule": "searched",
        "at": 100,
        "triggers": ("web/1",),
        "deadline": None,
        "channel": "web",
        "media": "owned",
    }
    return Draft(**(values | changes))


def content(**changes: Any) -> tuple[str, MomentContent]:
    """The id and content of a moment."""
    return moment_of(draft(**changes), "default", ANN, "purchase", 1)


def book(row: MomentContent, **changes: Any) -> SaidMoment:
    """A moment that was said with revision 7 and stands."""
    values: dict[str, Any] = {"revision": 7, "content": row, "stands": True}
    return SaidMoment(**(values | changes))


def test_what_is_new_is_asserted() -> None:
    """A moment nobody has heard of."""
    name, row = content()

    (statement,) = differences({}, {name: row}, horizon=0)

    assert (statement.action, statement.content, statement.is_correction) == (ASSERT, row, False)


def test_what_is_gone_is_retracted_with_what_was_said_of_it() -> None:
    """The consumer learns what is withdrawn."""
    name, row = content()

    (statement,) = differences({name: book(row)}, {}, horizon=0)

    assert (statement.action, statement.content, statement.is_correction) == (RETRACT, row, True)


def test_what_is_the_same_is_not_said_again() -> None:
    """Nothing to say."""
    name, row = content()

    assert differences({name: book(row)}, {name: row}, horizon=0) == []


def test_what_was_retracted_stays_so_until_it_is_true_again() -> None:
    """A retraction is said once; the moment comes back as a correction."""
    name, row = content()
    said = {name: book(row, stands=False)}

    assert differences(said, {}, horizon=0) == []
    assert [s.action for s in differences(said, {name: row}, horizon=0)] == [ASSERT]


def test_changed_content_under_one_id_is_asserted_again() -> None:
    """An earlier sighting moved the time of the touchpoint."""
    (name, row), (same, other) = content(), content(at=90)
    assert name == same

    (statement,) = differences({name: book(row)}, {name: other}, horizon=0)

    assert (statement.action, statement.content, statement.is_correction) == (ASSERT, other, True)


def test_two_different_statements_of_one_id_are_said_once_more() -> None:
    """Whoever joins them says the truth again, last, whatever it is."""
    name, row = content()
    said = {name: book(row, must_repeat=True)}

    assert [s.action for s in differences(said, {name: row}, horizon=0)] == [ASSERT]
    assert [s.action for s in differences(said, {}, horizon=0)] == [RETRACT]
    assert [s.action for s in differences({name: book(row, must_repeat=True, stands=False)}, {}, horizon=0)] == [RETRACT]


def test_what_is_older_than_the_horizon_is_final() -> None:
    """Neither asserted nor retracted."""
    name, row = content(at=100)

    assert differences({}, {name: row}, horizon=101) == []
    assert differences({name: book(row)}, {}, horizon=101) == []
    assert [s.action for s in differences({name: book(row)}, {}, horizon=100)] == [RETRACT]


def test_a_young_statement_whose_truth_lies_behind_the_horizon_is_put_right() -> None:
    """A late variant of the triggering touchpoint moved the moment so far back that it is final; what consumers believe is not."""
    (name, said), (_, truth) = content(at=100), content(at=10)

    (statement,) = differences({name: book(said)}, {name: truth}, horizon=50)

    assert (statement.action, statement.content) == (ASSERT, truth)


def test_the_id_of_a_moment_names_the_customer_and_its_causes() -> None:
    """All revisions lie in one partition; a replay gives the same ids; the time is content."""
    ids = {content(**changes)[0] for changes in ({}, {"rule": "x"}, {"to_phase": None}, {"triggers": ("web/2",)}, {"deadline": 5})}

    assert len(ids) == 5
    assert content()[0] == content(at=1, channel="store", cycle=2)[0]
    assert moment_of(draft(), "default", "bob's id", "purchase", 1)[0] not in ids


def test_revisions_rise_above_the_last_one_and_the_clock() -> None:
    """Also where the state was lost, as long as clocks are roughly right."""
    assert next_revision(0, 1000) == 1000
    assert next_revision(1000, 1000) == 1001
    assert next_revision(5000, 1000) == 5001


def test_a_statement_becomes_a_record_and_a_line_in_the_book() -> None:
    """The record carries the content; the book forgets that it had to repeat."""
    name, row = content()
    (statement,) = differences({name: book(row, must_repeat=True)}, {}, horizon=0)

    moment, line = say(statement, book(row, must_repeat=True), 3, "merge")

    assert (moment.moment_id, moment.revision, moment.action, moment.corrects, moment.detected_at) == (name, 8, RETRACT, "merge", 3)
    assert {field: getattr(moment, field) for field in MomentContent.__struct_fields__} == msgspec.structs.asdict(row)
    assert line == SaidMoment(8, row, stands=False)

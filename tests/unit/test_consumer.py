"""The consumer's rule: keep the highest revision of each moment id."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.samples import moment_with
from touchstone.consumer import Moments
from touchstone.errors import UsageError
from touchstone.model.output import Moment

DAY = 86_400_000


def moment(moment_id: str = "m1", revision: int = 1, action: str = "assert", **changed: Any) -> Moment:
    """Ada decides to buy."""
    made = moment_with(
        moment_id=moment_id,
        revision=revision,
        action=action,
        from_phase="interest",
        to_phase="decision",
        rule="carted",
        occurred_at=100 * DAY,
        detected_at=100 * DAY,
        media=None,
    )
    return msgspec.structs.replace(made, **changed)


def test_an_assertion_then_its_retraction_are_two_changes() -> None:
    """First something is to be believed, then no longer; the retraction says what was believed."""
    moments = Moments()
    said, withdrawn = moment(), moment(revision=2, action="retract", corrects="merge")

    asserted, retracted = moments.apply(said), moments.apply(withdrawn)

    assert asserted is not None
    assert retracted is not None
    assert (asserted.what, asserted.before, asserted.after) == ("asserted", None, said)
    assert (retracted.what, retracted.before, retracted.after) == ("retracted", said, None)
    assert retracted.moment.corrects == "merge"
    assert moments.standing() == []


def test_other_content_under_the_same_id_replaces() -> None:
    """A statement that changed is one change with before and after."""
    moments = Moments()
    moments.apply(moment())

    change = moments.apply(moment(revision=2, guidance="call"))

    assert change is not None
    assert (change.what, change.before, change.after) == ("replaced", moment(), moment(revision=2, guidance="call"))


def test_saying_the_same_again_is_no_change() -> None:
    """The same record read twice, and the same content under a higher revision, change nothing."""
    moments = Moments()
    moments.apply(moment())

    assert moments.apply(moment()) is None
    assert moments.apply(moment(revision=2, detected_at=101 * DAY, corrects="late")) is None


def test_an_overtaken_revision_is_swallowed() -> None:
    """A retraction that comes before its assertion wins all the same."""
    moments = Moments()

    change = moments.apply(moment(revision=2, action="retract"))

    assert change is not None
    assert change.what == "retracted"
    assert change.before is not None
    assert change.before.rule == "carted"
    assert moments.apply(moment(revision=1)) is None
    assert moments.standing() == []


def test_a_retracted_moment_may_be_asserted_again() -> None:
    """The third revision makes it stand again; a retraction of what does not stand changes nothing."""
    moments = Moments()
    moments.apply(moment())
    moments.apply(moment(revision=2, action="retract"))
    moments.apply(moment(revision=3, action="retract"))

    change = moments.apply(moment(revision=4))

    assert change is not None
    assert change.what == "asserted"


@given(
    st.lists(st.tuples(st.sampled_from(["m1", "m2"]), st.integers(1, 6)), unique=True),
    st.randoms(use_true_random=False),
)
def test_what_stands_is_a_function_of_the_set_of_records(said: list[tuple[str, int]], random: Any) -> None:
    """Law: in any order, with repetitions, what stands is the highest revision of each id where that is an assertion."""
    records = [moment(name, revision, "assert" if (revision * 7 + len(name)) % 3 else "retract") for name, revision in said]
    highest = {record.moment_id: record for record in sorted(records, key=lambda record: record.revision)}
    shuffled = records + records
    random.shuffle(shuffled)
    moments = Moments()

    for record in shuffled:
        moments.apply(record)

    assert {record.moment_id: record for record in moments.standing()} == {n: r for n, r in highest.items() if r.action == "assert"}


@given(st.lists(st.integers(1, 5), max_size=12))
def test_the_changes_tell_what_stands(revisions: list[int]) -> None:
    """Law: whoever only follows the changes believes what the memory believes."""
    moments, believed = Moments(), None

    for revision in revisions:
        change = moments.apply(moment(revision=revision, action="retract" if revision % 2 else "assert", cycle=revision // 3))
        if change is not None:
            believed = change.after

    standing = moments.standing()
    assert ([] if believed is None else [believed]) == standing


def test_what_is_older_than_the_retention_is_forgotten_and_no_more_memory_is_needed() -> None:
    """The memory holds what the topic holds; at the limit exactly a moment is still known."""
    moments = Moments(retention=timedelta(days=10))
    for day in range(100):
        moments.apply(moment(f"m{day}", detected_at=day * DAY))

    assert [each.moment_id for each in moments.standing()] == [f"m{day}" for day in sorted(range(89, 100), key=lambda day: f"m{day}")]


def test_partitions_have_memories_of_their_own() -> None:
    """A newer record in one partition makes nothing in another old."""
    moments = Moments(retention=timedelta(days=10))
    moments.apply(moment("old", detected_at=0), partition=1)

    moments.apply(moment("new", detected_at=100 * DAY), partition=2)

    assert {each.moment_id for each in moments.standing()} == {"old", "new"}


def test_without_an_address_the_user_is_told_what_to_give() -> None:
    """Connecting needs a bootstrap address, iterating needs a connection."""

    async def connect() -> None:
        async with Moments():
            pass

    async def read() -> None:
        async for _ in Moments():
            pass

    with pytest.raises(UsageError, match="where Kafka is"):
        asyncio.run(connect())
    with pytest.raises(UsageError, match="async with"):
        asyncio.run(read())

"""Laws of the fold: told step by step is told from nothing, wherever the steps are cut."""

import copy
from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.property.histories import HOUR, SETTINGS, START, TYPES
from tests.unit.journey.desk import Desk, evidence
from touchstone.journey.fold import advance, fold, step
from touchstone.journey.rules import CompiledJourney
from touchstone.model.journey import Draft, JourneyState
from touchstone.model.touchpoint import Touchpoint

TOPOLOGY = SETTINGS["silences"]
JOURNEYS = [CompiledJourney(journey) for journey in TOPOLOGY.journeys]
COOKIE = "default/cookie:c"

hours = st.integers(-2, 40).map(lambda n: START + n * HOUR // 2)
"""On a grid, so that touchpoints meet deadlines and each other exactly."""

moments_in_time = st.one_of(hours, hours.map(lambda at: at - 1), hours.map(lambda at: at + 1))
touchpoints = st.lists(
    st.builds(
        lambda at, n, what, channel: Touchpoint(
            tenant="default",
            source="web",
            event_id=f"e{n}",
            channel=channel,
            type=what,
            occurred_at=at,
            received_at=at,
            identifiers=(COOKIE,),
            content=f"{n:016x}",
        ),
        hours,
        st.integers(0, 99),
        st.sampled_from(TYPES),
        st.sampled_from(["web", "store"]),
    ),
    max_size=14,
    unique_by=lambda t: t.event_id,
)
journeys = st.sampled_from(JOURNEYS)


def ordered(some: Sequence[Touchpoint]) -> list[Touchpoint]:
    """In the order of the fold."""
    return sorted(some, key=lambda t: t.order)


@given(journey=journeys, some=touchpoints, as_of=moments_in_time, seed=st.integers(0, 99))
def test_a_fold_is_a_function_of_the_set(journey: CompiledJourney, some: list[Touchpoint], as_of: int, seed: int) -> None:
    """The order in which touchpoints are handed over does not matter."""
    shuffled = list(some)
    Random(seed).shuffle(shuffled)

    assert fold(shuffled, journey, as_of) == fold(some, journey, as_of)


@given(journey=journeys, some=touchpoints, first=moments_in_time, then=moments_in_time)
def test_time_may_pass_in_any_number_of_steps(journey: CompiledJourney, some: list[Touchpoint], first: int, then: int) -> None:
    """To fold up to one time and to let time pass is to fold up to the later one."""
    early, late = sorted((first, then))
    state, drafts, _ = fold(some, journey, early)

    drafts += advance(state, journey, late)

    assert (state, drafts) == fold(some, journey, late)[:2]


@given(journey=journeys, some=touchpoints, cut=st.integers(0, 14), between=moments_in_time, as_of=moments_in_time)
def test_told_step_by_step_is_told_from_nothing(
    journey: CompiledJourney, some: list[Touchpoint], cut: int, between: int, as_of: int
) -> None:
    """Any cut: fold the older ones up to any time at which no later deadline has fired, then go on with `advance` and `step`."""
    older, newer = ordered(some)[:cut], ordered(some)[cut:]
    state, drafts, fired = fold(older, journey, between)
    if newer and newer[0].occurred_at <= fired:
        return  # a deadline has fired that the newer one would have prevented: the stage folds again

    for touchpoint in newer:
        drafts += advance(state, journey, touchpoint.occurred_at - 1) + step(state, journey, touchpoint)
    drafts += advance(state, journey, max(between, as_of))

    assert (state, drafts) == fold(some, journey, max(between, as_of))[:2]


@given(journey=journeys, some=touchpoints, as_of=moments_in_time)
def test_moments_are_told_in_the_order_of_their_times(journey: CompiledJourney, some: list[Touchpoint], as_of: int) -> None:
    """And each begins where the one before it ended; only a return begins a new cycle."""
    _, drafts, fired = fold(some, journey, as_of)

    assert [draft.at for draft in drafts] == sorted(draft.at for draft in drafts)
    assert fired == max((draft.at for draft in drafts if draft.deadline is not None), default=fired)
    phase: str | None = None
    is_dormant = False
    cycle = 1
    for draft in drafts:
        assert draft.from_phase == phase
        assert (draft.kind == "reentry") == is_dormant
        cycle += is_dormant
        assert draft.cycle == cycle
        _check_direction(journey, draft)
        is_dormant = draft.to_phase is None
        phase = phase if is_dormant else draft.to_phase


def _check_direction(journey: CompiledJourney, draft: Draft) -> None:
    positions = journey.positions
    here = -1 if draft.from_phase is None else positions[draft.from_phase]
    if draft.kind == "transition":
        assert draft.to_phase is not None
        there = positions[draft.to_phase]
        assert there > here
        assert draft.skipped == journey.phases[here + 1 : there]
    else:
        assert draft.skipped == ()
    if draft.kind == "regression":
        assert draft.to_phase is not None
        assert positions[draft.to_phase] < here


@given(some=touchpoints, clocks=st.lists(hours, max_size=15), order=st.sampled_from(["as it happened", "any"]), seed=st.integers(0, 99))
def test_the_short_way_and_all_told_anew_end_the_same(some: list[Touchpoint], clocks: list[int], order: str, seed: int) -> None:
    """A partition that is told one touchpoint after another keeps the same fold and book as one that is told all of them at once."""
    arrival = ordered(some)
    if order == "any":
        Random(seed).shuffle(arrival)
    end = max([START, *clocks])
    one_by_one, at_once = Desk(TOPOLOGY), Desk(TOPOLOGY)

    for n, touchpoint in enumerate(arrival):
        now = [clock for clock in clocks[: n + 1] if clock <= end]
        one_by_one.tell(*evidence(COOKIE, touchpoint), now_ms=max(now, default=None))
    one_by_one.tell(now_ms=end)
    at_once.tell(*(message for t in some for message in evidence(COOKIE, t)), now_ms=end)

    assert one_by_one.people(COOKIE) == at_once.people(COOKIE)
    standing = [
        {name: said.content for name, said in desk.component(COOKIE).rows("m") if said.stands and said.content.occurred_at >= horizon(end)}
        for desk in (one_by_one, at_once)
    ]
    assert standing[0] == standing[1]


def horizon(as_of: int) -> int:
    """Before it, moments are final."""
    return as_of - TOPOLOGY.retention_ms


@given(journey=journeys, some=touchpoints, as_of=moments_in_time)
def test_a_fold_leaves_what_it_is_given_as_it_was(journey: CompiledJourney, some: list[Touchpoint], as_of: int) -> None:
    """Pure: the same call again gives the same, and a state that is no longer advanced stays."""
    state, drafts, _ = fold(some, journey, as_of)
    kept = copy.deepcopy(state)

    assert fold(some, journey, as_of)[:2] == (state, drafts)
    assert advance(state, journey, as_of) == []
    assert state == kept
    assert isinstance(state, JourneyState)

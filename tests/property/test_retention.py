"""The law of retention: to forget early, late, or in between gives the same."""

from hypothesis import given
from hypothesis import strategies as st

from touchstone.journey.retention import expired, group_of, place, surplus
from touchstone.model.touchpoint import Touchpoint

touchpoints = st.lists(
    st.builds(
        lambda at, n, what, x, said: Touchpoint("default", "web", f"e{n}", "web", what, at, at, (x,), f"{n:016x}", consents=said),
        st.integers(-8, 8),
        st.integers(0, 30),
        st.sampled_from("ab"),
        st.sampled_from(["default/cookie:1", "default/cookie:2"]),
        st.sampled_from([{}, {}, {"marketing": True}, {"marketing": False}, {"service": True}]),
    ),
    max_size=14,
    unique_by=lambda t: t.event_id,
)


def kept(some: list[Touchpoint], horizon: int, keep: int) -> list[Touchpoint]:
    """What remains."""
    gone = {t.event_id for t in expired(some, horizon, keep)}
    return [t for t in some if t.event_id not in gone]


@given(some=touchpoints, cut=st.integers(0, 14), first=st.integers(-9, 9), then=st.integers(-9, 9), keep=st.integers(1, 3))
def test_forgetting_commutes_with_what_arrives_later_and_with_the_horizon(
    some: list[Touchpoint], cut: int, first: int, then: int, keep: int
) -> None:
    """Forget some behind an earlier horizon, add the others, forget behind the later one: the same as to do it once at the end."""
    early, late = sorted((first, then))

    in_between = kept(kept(some[:cut], early, keep) + some[cut:], late, keep)

    assert {t.event_id for t in in_between} == {t.event_id for t in kept(some, late, keep)}


@given(some=touchpoints, horizon=st.integers(-9, 9), keep=st.integers(1, 3))
def test_the_last_of_each_kind_stay(some: list[Touchpoint], horizon: int, keep: int) -> None:
    """Nothing younger than the horizon is forgotten, and of what is older the newest stay, per identifiers, type and purposes spoken of."""
    rest = kept(some, horizon, keep)

    assert [t for t in rest if t.occurred_at >= horizon] == [t for t in some if t.occurred_at >= horizon]
    for t in expired(some, horizon, keep):
        newer = [o for o in rest if (o.identifiers, o.type) == (t.identifiers, t.type) and t.occurred_at <= o.occurred_at < horizon]
        assert sum(o.consents.keys() == t.consents.keys() for o in newer) == keep


@given(some=touchpoints, cut=st.integers(0, 14), most=st.integers(1, 4))
def test_what_is_too_much_for_a_day_does_not_depend_on_what_came_first(some: list[Touchpoint], cut: int, most: int) -> None:
    """Leave out some, add the others, leave out again: the same as to do it once at the end. The first of each group stay."""

    def counted(touchpoints: list[Touchpoint]) -> list[Touchpoint]:
        out = [t for _, *excess in surplus(touchpoints, most) for t in excess]
        return [t for t in touchpoints if t not in out]

    in_between = counted(counted(some[:cut]) + some[cut:])

    assert sorted(in_between, key=place) == sorted(counted(some), key=place)
    for last, *excess in surplus(some, most):
        assert excess
        group = [t for t in in_between if group_of(t) == group_of(last)]
        assert len(group) == most
        assert max(map(place, group)) == place(last) < min(map(place, excess))

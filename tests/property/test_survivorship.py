"""Laws of the golden record: what is kept step by step is what one finds who looks at all statements at once."""

from random import Random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.journey.desk import HOUR, NOON, Desk, evidence, topology, touchpoint
from touchstone.journey.survivorship import rank, take
from touchstone.model.golden import Golden
from touchstone.model.touchpoint import Touchpoint
from touchstone.topology.attributes import Attributes, Criterion, Survival

SOURCES = ("crm", "web", "shop")
CHANNELS = ("web", "store")
criteria = st.sampled_from(
    [
        Criterion("most_recent"),
        Criterion("longest"),
        Criterion("most_frequent"),
        Criterion("source", ("crm", "shop")),
        Criterion("channel", ("store",)),
    ]
)
rules = st.lists(criteria, min_size=1, max_size=3).map(tuple)


def statements(values: st.SearchStrategy[Any], most: int = 40) -> st.SearchStrategy[list[Touchpoint]]:
    """What some sources said of an attribute, several at one time, in the order of the fold."""

    def said(at: int, value: Any, source: str, channel: str, n: int) -> Touchpoint:
        one = touchpoint(at, "profile", event_id=f"e{n:03}", profile={"city": value}, channel=channel)
        return msgspec.structs.replace(one, source=source, content=f"{at} {value} {source} {n}")

    one = st.builds(said, st.integers(0, 12), values, st.sampled_from(SOURCES), st.sampled_from(CHANNELS), st.integers(0, 999))
    return st.lists(one, max_size=most, unique_by=lambda t: t.key).map(lambda some: sorted(some, key=lambda t: t.order))


def folded(some: list[Touchpoint], rule: Survival) -> Golden:
    """Taken in one by one."""
    golden = Golden()
    for one in some:
        take(golden, "city", rule, one, one.profile["city"])
    return golden


def best(some: list[Touchpoint], by: tuple[Criterion, ...]) -> str | None:
    """The value that survives, by looking at every statement: rule after rule leaves only those that nothing speaks against."""
    left = list(some)
    for criterion in (*by, Criterion("most_recent")):

        def points(one: Touchpoint, criterion: Criterion = criterion) -> Any:
            ranks = [*criterion.ranks, None]
            match criterion.rule:
                case "most_recent":
                    return one.order
                case "longest":
                    return len(one.profile["city"])
                case "most_frequent":
                    return sum(other.profile["city"] == one.profile["city"] for other in some)
                case "source":
                    return -ranks.index(one.source if one.source in ranks else None)
                case "channel":
                    return -ranks.index(one.channel if one.channel in ranks else None)

        most = max(map(points, left), default=None)
        left = [one for one in left if points(one) == most]
    return left[0].profile["city"] if left else None


def winner(golden: Golden, rule: Survival) -> str | None:
    """The value that survives."""
    found = rank(golden, "city", rule).winner
    return None if found is None else msgspec.json.decode(found.value, type=str)


@given(some=statements(st.sampled_from(["Bonn", "Kiel", "Ulm", "Bad Ems", "Rom"])), by=rules)
def test_what_survives_is_what_nothing_speaks_against(some: list[Touchpoint], by: tuple[Criterion, ...]) -> None:
    """For any rules in any order."""
    rule = Survival(by)

    assert winner(folded(some, rule), rule) == best(some, by)


@given(
    some=statements(st.integers(0, 80).map(lambda n: "x" * (n % 9) + str(n)), most=120),
    by=st.lists(criteria.filter(lambda one: one.rule != "most_frequent"), min_size=1, max_size=3).map(tuple),
)
def test_what_is_left_out_of_many_values_never_would_have_survived(some: list[Touchpoint], by: tuple[Criterion, ...]) -> None:
    """But for how often they were said, of which a value that was left out knows nothing."""
    rule = Survival(by)

    assert winner(folded(some, rule), rule) == best(some, by)


@given(some=statements(st.one_of(st.sampled_from("abc"), st.lists(st.sampled_from("abc"), max_size=2))), at=st.integers(-1, 13))
def test_a_value_holds_at_a_time_if_some_source_had_it_in_its_last_statement(some: list[Touchpoint], at: int) -> None:
    """Several statements of a source at one time: the last of them."""
    golden = folded(some, Survival((Criterion("most_recent"),), multi=True))
    now = NOON + at * HOUR

    periods = {
        msgspec.json.decode(one.value)
        for one in golden.spells.get("city", [])
        if one.since <= now and (one.until is None or now < one.until)
    }

    last = {one.source: one.profile["city"] for one in some if one.occurred_at <= now}
    assert periods == {value for stated in last.values() for value in (stated if isinstance(stated, list) else [stated])}


@given(some=statements(st.sampled_from(["Bonn", "Kiel", "Ulm"])), by=rules, multi=st.booleans(), seed=st.integers(0, 99))
def test_the_short_way_and_all_told_anew_keep_the_same(some: list[Touchpoint], by: tuple[Criterion, ...], multi: bool, seed: int) -> None:
    """One after the other, in any order of arrival, or all at once: the same person."""
    shop = topology(attributes=Attributes({"city": Survival(by, multi)}))
    cookie = "default/cookie:c"
    shuffled = list(some)
    Random(seed).shuffle(shuffled)
    desks = [Desk(shop) for _ in range(3)]

    for one in some:
        desks[0].tell(*evidence(cookie, one))
    for one in shuffled:
        desks[1].tell(*evidence(cookie, one))
    desks[2].tell(*(message for one in shuffled for message in evidence(cookie, one)))

    assert desks[0].people(cookie) == desks[1].people(cookie) == desks[2].people(cookie)

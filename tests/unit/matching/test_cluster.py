import itertools

from hypothesis import given
from hypothesis import strategies as st

from touchstone.matching.cluster import SUPPORT, Edge, Protection, cluster
from touchstone.matching.records import Record

_ACCEPT = 2.5


def _edge(one: str, other: str, score: float) -> Edge:
    return Edge(score, min(one, other), max(one, other))


def _people(records: list[Record], edges: list[Edge], support: float = SUPPORT) -> list[set[str]]:
    return [set(person) for person in cluster(records, edges, _ACCEPT, support=support)[0]]


def test_a_chain_of_sixty_is_not_moved_by_one_weak_edge() -> None:
    """Two sure chains of thirty stay two when a single barely accepted edge appears between their ends, though others there disagree."""
    names = [f"{n:02}" for n in range(60)]
    sure = [_edge(one, other, 20.0) for half in (names[:30], names[30:]) for one, other in itertools.pairwise(half)]
    seen = [_edge("28", "30", -9.0), _edge("29", "31", -9.0)]
    records = [Record(name, {}) for name in names]

    people = _people(records, [*sure, *seen, _edge("29", "30", 2.6)])

    assert people == [set(names[:30]), set(names[30:])]
    assert _people(records, [*sure, _edge("29", "30", 2.6)]) == [set(names)], "it is the disagreement that keeps them apart"


def test_a_weak_edge_does_not_move_a_long_chain_where_anybody_can_be_compared() -> None:
    """A stream can compare any two records of two groups: the few that agree at the ends are outvoted, wherever the edge lies."""
    names = [f"{n:02}" for n in range(61)]
    chain = [_edge(one, other, 20.0) for one, other in itertools.pairwise(names[:60])]
    weak = [_edge("60", end, 2.6) for end in ("00", "31", "59")]
    records = [Record(name, {}) for name in names]

    people = [cluster(records, [*chain, edge], _ACCEPT, between=_near)[0] for edge in weak]

    assert people == [people[0]] * 3
    assert frozenset(["60"]) in people[0], "the sixtieth stays alone"
    assert max(map(len, cluster(records[:60], chain, _ACCEPT, between=_near)[0])) == max(map(len, people[0])), "the chain is what it was"


def _near(one: str, other: str) -> float:
    return 6.0 if abs(int(one) - int(other)) < 12 and "60" not in {one, other} else -6.0


def test_protection_can_be_asked_about_any_two_groups() -> None:
    """It keeps no groups itself: what it says follows from the sets that it is asked about, however often."""
    records = {name: Record(name, {"generation": mark} if mark else {}) for name, mark in zip("abcd", ["1", "", "2", ""], strict=True)}
    edges = [_edge("a", "b", 9.0), _edge("b", "c", 8.0), _edge("b", "d", 7.0)]
    protection = Protection(records, edges, lambda one, other: -9.0 if {one, other} == {"a", "d"} else 9.0, neighbours=2)

    assert protection.why_not(edges[0], {"a"}, {"b"}) is None
    assert protection.why_not(edges[1], {"a", "b"}, {"c"}) == "generation"
    assert protection.why_not(edges[1], {"b"}, {"c"}) is None
    assert protection.why_not(_edge("a", "d", 3.0), {"a"}, {"d"}) == "support"
    assert protection.why_not(edges[2], {"b"}, {"d"}) is None
    protection.take(edges[0])
    protection.take(edges[1])
    assert protection.why_not(edges[2], {"b"}, {"d"}) == "neighbours"
    assert protection.why_not(edges[1], {"b", "c"}, {"b", "c"}) == "neighbours"


def test_a_large_group_is_asked_through_those_next_to_the_edge() -> None:
    """Of two hundred records a dozen speak, those first that resemble the end of the edge: it costs no more than for a small group."""
    names = [f"{n:03}" for n in range(200)]
    records = {name: Record(name, {}) for name in [*names, "x"]}
    asked: list[tuple[str, str]] = []

    def between(one: str, other: str) -> float:
        asked.append((one, other))
        return 1.0

    protection = Protection(records, [_edge("100", "150", 9.0), _edge("100", "x", 9.0)], between)

    assert protection.why_not(_edge("100", "x", 9.0), set(names), {"x"}) is None
    assert len(asked) == 12
    assert {("100", "x"), ("150", "x")} <= set(asked)


@given(
    scores=st.dictionaries(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda pair: pair[0] < pair[1]), st.integers(-12, 12)),
    random=st.randoms(use_true_random=False),
    marks=st.lists(st.sampled_from(["", "1", "2"]), min_size=9, max_size=9),
)
def test_people_do_not_depend_on_the_order(scores: dict[tuple[int, int], int], random: object, marks: list[str]) -> None:
    """Any order of records and edges, ties included, gives the same people."""
    records = [Record(str(n), {"generation": mark} if mark else {}) for n, mark in enumerate(marks)]
    edges = [_edge(str(one), str(other), float(score)) for (one, other), score in scores.items()]
    before = cluster(records, edges, _ACCEPT)

    getattr(random, "shuffle")(records)  # noqa: B009 - hypothesis' random has no type of its own
    getattr(random, "shuffle")(edges)  # noqa: B009

    assert cluster(records, edges, _ACCEPT) == before


def test_two_generations_are_two_people() -> None:
    """Father and son of one name: unique kinds are never joined, also not through a third record."""
    records = [Record("a", {"generation": "1"}), Record("b", {}), Record("c", {"generation": "2"})]

    people = _people(records, [_edge("a", "b", 20.0), _edge("b", "c", 19.0), _edge("a", "c", 3.0)])

    assert {"a", "c"} not in [person & {"a", "c"} for person in people]


def test_a_record_that_fits_two_people_belongs_to_neither() -> None:
    """John Smith without a date of birth, where two of them live: whoever came first must not have him."""
    records = [Record("a", {"birth_date": "19701010"}), Record("b", {"birth_date": "19900315"}), Record("c", {})]

    people, refused = cluster(records, [_edge("a", "c", 8.0), _edge("b", "c", 8.0), _edge("a", "b", -3.0)], _ACCEPT)

    assert len(people) == 3
    assert {each.why for each in refused} == {"ambiguous"}


def test_a_record_that_fits_two_people_belongs_to_whose_number_it_has() -> None:
    """The same without a date of birth, but with the driving licence of one of them: his."""
    licensed = {"driving_licence": "112233"}
    records = [Record("a", {"birth_date": "19701010"} | licensed), Record("b", {"birth_date": "19900315"}), Record("c", licensed)]

    people = _people(records, [_edge("a", "c", 12.0), _edge("b", "c", 8.0), _edge("a", "b", -9.0)], support=1.0)

    assert people == [{"a", "c"}, {"b"}]


def test_neighbours_are_capped_best_score_first() -> None:
    """One record cannot gather everybody around it."""
    records = [Record("hub", {}), *(Record(f"r{n}", {}) for n in range(5))]

    people, refused = cluster(records, [_edge("hub", f"r{n}", 10.0 + n) for n in range(5)], _ACCEPT, neighbours=2)

    assert {"hub", "r4", "r3"} in [set(person) for person in people]
    assert [each.why for each in refused] == ["neighbours"] * 3

import itertools

from hypothesis import given
from hypothesis import strategies as st

from touchstone.matching.cluster import Edge, cluster
from touchstone.matching.records import Record

_ACCEPT = 2.5


def _edge(one: str, other: str, score: float) -> Edge:
    return Edge(score, min(one, other), max(one, other))


def _people(records: list[Record], edges: list[Edge]) -> list[set[str]]:
    return [set(person) for person in cluster(records, edges, _ACCEPT)[0]]


def test_a_chain_of_sixty_is_not_moved_by_one_weak_edge() -> None:
    """Two sure chains of thirty stay two when a single barely accepted edge appears between their ends, though others there disagree."""
    names = [f"{n:02}" for n in range(60)]
    sure = [_edge(one, other, 20.0) for half in (names[:30], names[30:]) for one, other in itertools.pairwise(half)]
    seen = [_edge("28", "30", -9.0), _edge("29", "31", -9.0)]
    records = [Record(name, {}) for name in names]

    people = _people(records, [*sure, *seen, _edge("29", "30", 2.6)])

    assert people == [set(names[:30]), set(names[30:])]
    assert _people(records, [*sure, _edge("29", "30", 2.6)]) == [set(names)], "it is the disagreement that keeps them apart"


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


def test_neighbours_are_capped_best_score_first() -> None:
    """One record cannot gather everybody around it."""
    records = [Record("hub", {}), *(Record(f"r{n}", {}) for n in range(5))]

    people, refused = cluster(records, [_edge("hub", f"r{n}", 10.0 + n) for n in range(5)], _ACCEPT, neighbours=2)

    assert {"hub", "r4", "r3"} in [set(person) for person in people]
    assert [each.why for each in refused] == ["neighbours"] * 3

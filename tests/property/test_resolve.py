"""Laws of resolve: people are a function of the evidence, keep every limit, and know no first comer."""

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.property.histories import KINDS, ORDERING, SETTINGS
from touchstone.identity.resolve import MERGE_LIMIT, REFUSED_APART, Evidence, Likely, People, Policy, resolve
from touchstone.model.identifier import kind_of

POLICIES = {
    name: Policy(topology.kinds, topology.identifiers_per_person, topology.merges_per_person, ORDERING.strength)
    for name, topology in SETTINGS.items()
}
identifiers = st.builds("default/{}:{}".format, st.sampled_from(KINDS), st.integers(0, 3))
edges = st.tuples(identifiers, identifiers).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: _directed(*pair))
policies = st.sampled_from(sorted(POLICIES)).map(POLICIES.__getitem__)


def _directed(x: str, y: str) -> tuple[str, str]:
    strong, weak = sorted((x, y), key=ORDERING.strength)
    return weak, strong


@st.composite
def evidence(draw: st.DrawFn) -> Evidence:
    """Of few identifiers, so that they contest each other."""
    sure, maybe = draw(st.sets(edges, max_size=16)), draw(st.sets(edges, max_size=3))
    likely = {Likely(*pair, draw(st.sampled_from([3.0, 9.0])), ("", "")) for pair in maybe}
    named = {x for edge in sure | maybe for x in edge} | draw(st.sets(identifiers, max_size=3))
    unseen = draw(st.sets(identifiers, max_size=1))
    some = st.sets(st.sampled_from(sorted(named)), max_size=2) if named else st.just(set[str]())
    return Evidence(
        seen=named - unseen,
        sure=sure,
        likely=likely,
        generic=draw(some),
        apart={frozenset(pair) for pair in draw(st.sets(edges, max_size=2))},
        anchors=draw(some),
        joined={frozenset(pair) for pair in draw(st.sets(edges, max_size=2))},
        ghosts=dict.fromkeys(draw(some), draw(st.integers(1, 2))),
    )


def home_of(people: People) -> dict[str, frozenset[str]]:
    """Identifier -> its person."""
    return {x: group for group in people.groups for x in group}


@given(found=evidence(), policy=policies, seed=st.integers(0, 99))
def test_people_do_not_depend_on_the_order_of_the_evidence(found: Evidence, policy: Policy, seed: int) -> None:
    """Sets that are walked in another order give the same people, the same nobodies and the same reasons."""
    random = Random(seed)

    def walked_otherwise(some: object) -> object:
        if isinstance(some, dict):
            return dict(random.sample(sorted(some.items(), key=repr), len(some)))
        items = sorted(some, key=repr)  # type: ignore[call-overload]  # a set of anything
        random.shuffle(items)
        return dict.fromkeys(items).keys()

    other = Evidence(*(walked_otherwise(getattr(found, name)) for name in Evidence.__dataclass_fields__))  # type: ignore[arg-type]

    first, second = resolve(found, policy), resolve(other, policy)

    assert set(first.groups) == set(second.groups)
    assert (first.nobody, first.refused) == (second.nobody, second.refused)


@given(found=evidence(), policy=policies)
def test_everybody_seen_is_in_exactly_one_person(found: Evidence, policy: Policy) -> None:
    """And nobody else is."""
    people = resolve(found, policy)

    assert sorted(x for group in people.groups for x in group) == sorted(found.seen)


@given(found=evidence(), policy=policies)
def test_no_person_breaks_a_limit(found: Evidence, policy: Policy) -> None:
    """Never two values of a unique kind, too many of a kind, too many identifiers, too many merges, nor a pair that is kept apart."""
    for group in resolve(found, policy).groups:
        for kind, limits in policy.kinds.items():
            of_kind = sum(kind_of(x) == kind for x in group)
            assert of_kind <= (1 if limits.unique else of_kind)
            assert limits.per_person is None or of_kind <= limits.per_person
        assert len(group) <= max(1, policy.identifiers_per_person)
        assert len(group & found.anchors) - 1 <= policy.merges_per_person + sum(pair <= group for pair in found.joined)
        assert not any(pair <= group for pair in found.apart if len(pair) == 2)


@given(found=evidence(), policy=policies)
def test_a_contested_identifier_belongs_to_nobody(found: Evidence, policy: Policy) -> None:
    """It stands alone, and with it nobody else; an identifier past the guard always does."""
    people = resolve(found, policy)
    homes = home_of(people)

    assert all(homes[x] == {x} for x in people.nobody)
    assert found.generic & found.seen <= people.nobody.keys()
    assert not people.nobody.keys() & people.refused.keys()
    assert set(people.refused.values()) <= {MERGE_LIMIT, REFUSED_APART}


@given(found=evidence(), policy=policies)
def test_an_identifier_that_meets_one_person_joins_it_or_is_told_why_not(found: Evidence, policy: Policy) -> None:
    """Nothing observed together stays apart without a reason; a steward's word is one for what it gives to one of several."""
    people = resolve(found, policy)
    homes = home_of(people)
    reasons = people.nobody.keys() | people.refused.keys() | {x for pair in found.joined for x in pair}

    for weak, strong in found.sure:
        if {weak, strong} <= found.seen and not {weak, strong} & reasons:
            assert homes[weak] == homes[strong]


@given(found=evidence(), policy=policies)
def test_who_is_joined_by_a_steward_is_one_person_or_it_is_said_why_not(found: Evidence, policy: Policy) -> None:
    """A word about somebody who was never seen says nothing yet."""
    people = resolve(found, policy)
    homes = home_of(people)

    for pair in found.joined:
        x, y = sorted(pair)
        if pair <= found.seen:
            assert (homes[x] == homes[y]) != (pair in people.unjoined)
    assert people.unjoined.keys() <= found.joined


@given(left=evidence(), right=evidence(), policy=policies)
def test_what_else_lies_in_a_component_does_not_matter(left: Evidence, right: Evidence, policy: Policy) -> None:
    """Two bodies of evidence that share no identifier give the same people together as each alone: only people are a function of the facts."""

    def elsewhere(x: str) -> str:
        return x.replace(":", ":other")

    other = Evidence(
        seen={elsewhere(x) for x in right.seen},
        sure={_directed(elsewhere(x), elsewhere(y)) for x, y in right.sure},
        likely={one._replace(weak=elsewhere(one.weak), strong=elsewhere(one.strong)) for one in right.likely},
        generic={elsewhere(x) for x in right.generic},
        apart={frozenset(map(elsewhere, pair)) for pair in right.apart},
        anchors={elsewhere(x) for x in right.anchors},
        joined={frozenset(map(elsewhere, pair)) for pair in right.joined},
        ghosts={elsewhere(x): count for x, count in right.ghosts.items()},
    )
    both = Evidence(*(getattr(left, name) | getattr(other, name) for name in Evidence.__dataclass_fields__))

    together, alone = resolve(both, policy), [resolve(left, policy), resolve(other, policy)]

    assert set(together.groups) == set(alone[0].groups) | set(alone[1].groups)
    assert together.nobody == {**alone[0].nobody, **alone[1].nobody}


@given(found=evidence(), policy=policies, values=st.permutations(range(4)))
def test_names_do_not_decide(found: Evidence, policy: Policy, values: list[int]) -> None:
    """No first comer, not even by name: whoever the values of the weakest kind are, how many of them belong to nobody is the same."""
    alone = replace(found, likely=set(), apart=set(), generic=set(), anchors=set(), joined=set())
    weakest = KINDS[-1]

    def renamed(x: str) -> str:
        kind, value = x.rsplit(":", 1)
        return f"{kind}:{values[int(value)]}" if kind_of(x) == weakest else x

    other = Evidence(
        seen={renamed(x) for x in alone.seen},
        sure={(renamed(weak), renamed(strong)) for weak, strong in alone.sure if kind_of(strong) != weakest},
        ghosts={renamed(x): count for x, count in alone.ghosts.items()},
    )
    alone = replace(alone, sure={edge for edge in alone.sure if kind_of(edge[1]) != weakest})
    reasons = {x: why for x, why in resolve(alone, policy).nobody.items() if why == "persons"}

    assert {renamed(x) for x in reasons} == {x for x, why in resolve(other, policy).nobody.items() if why == "persons"}

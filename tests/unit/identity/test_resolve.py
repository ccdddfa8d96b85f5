"""Evidence of a component -> people: each rule and each limit once."""

from collections.abc import Iterable
from typing import Any

import pytest

from tests.unit.journey.desk import kinds
from touchstone.identity.ordering import Ordering
from touchstone.identity.resolve import GENERIC, MERGE_LIMIT, PERSONS, REFUSED_APART, Evidence, Likely, People, Policy, resolve


def people(
    *sure: str, likely: Iterable[str] = (), seen: Iterable[str] = (), most: int = 1000, merges: int = 10, limits: Any = None, **more: Any
) -> People:
    """Resolve claims such as "cookie:1 email:a" (weak, strong)."""
    edges, maybe = [tuple(words.split()) for words in sure], [tuple(words.split()) for words in likely]
    named = {x for edge in edges + maybe for x in edge} | set(seen)
    evidence = Evidence(
        seen=set(map(_key, named)),
        sure={(_key(weak), _key(strong)) for weak, strong in edges},
        likely=[Likely(_key(weak), _key(strong), 9.0 - n, ("", "")) for n, (weak, strong) in enumerate(maybe)],
        generic={_key(x) for x in more.get("generic", ())},
        apart={frozenset(map(_key, words.split())) for words in more.get("apart", ())},
        anchors={_key(x) for x in more.get("anchors", ())},
        joined={frozenset(map(_key, words.split())) for words in more.get("joined", ())},
    )
    some = kinds(**(limits or {}))
    return resolve(evidence, Policy(some, most, merges, Ordering(some).strength))


def _key(x: str) -> str:
    return f"default/{x}"


def groups(found: People) -> set[str]:
    """Each person's identifiers in one line."""
    return {" ".join(sorted(x.removeprefix("default/") for x in group)) for group in found.groups}


def reasons(found: People) -> dict[str, str]:
    """Who belongs to nobody, and why."""
    return {x.removeprefix("default/"): why for x, why in found.nobody.items()}


def test_what_was_observed_together_is_one_person() -> None:
    """Also across a bridge."""
    assert groups(people("cookie:1 email:a", "cookie:2 email:a")) == {"cookie:1 cookie:2 email:a"}


def test_an_identifier_that_meets_more_people_than_its_kind_allows_belongs_to_none_of_them() -> None:
    """Symmetric: not to the first comer."""
    found = people("cookie:1 user_id:a", "cookie:1 user_id:b", limits={"cookie": {"persons": 1}})

    assert groups(found) == {"user_id:a", "user_id:b", "cookie:1"}
    assert reasons(found) == {"cookie:1": PERSONS}


def test_sharing_counts_people_not_neighbours() -> None:
    """Her cookie meets her e-mail, her card and her user id: one person."""
    found = people(
        "email:a user_id:a",
        "loyalty_id:l user_id:a",
        "cookie:1 email:a",
        "cookie:1 loyalty_id:l",
        "cookie:1 user_id:a",
        limits={"cookie": {"persons": 1}},
    )

    assert groups(found) == {"cookie:1 email:a loyalty_id:l user_id:a"}
    assert not reasons(found)


def test_two_people_may_be_united_by_what_may_unite_two() -> None:
    """A telephone number that comes with two e-mail addresses: one person with two addresses."""
    found = people("phone:1 email:a", "phone:1 email:b", limits={"phone": {"persons": 2}})

    assert groups(found) == {"email:a email:b phone:1"}


@pytest.mark.parametrize("kind", ["user_id", "loyalty_id"])
def test_two_values_of_a_unique_kind_are_never_one_person(kind: str) -> None:
    """Whatever else they share: what would unite them belongs to nobody."""
    found = people(f"email:a {kind}:1", f"email:a {kind}:2")

    assert groups(found) == {f"{kind}:1", f"{kind}:2", "email:a"}
    assert reasons(found) == {"email:a": f"unique:{kind}"}


def test_one_person_has_no_more_values_of_a_kind_than_it_may() -> None:
    """The one too many is contested."""
    found = people("phone:1 email:a", "phone:1 email:b", limits={"email": {"per_person": 1}})

    assert reasons(found) == {"phone:1": "per_person:email"}


def test_one_person_has_no_more_identifiers_than_it_may() -> None:
    """A runaway is stopped, with a reason."""
    found = people("phone:1 email:a", "cookie:1 email:a", most=2)

    assert groups(found) == {"email:a phone:1", "cookie:1"}
    assert reasons(found) == {"cookie:1": "identifiers_per_person"}


def test_what_a_steward_keeps_apart_stays_apart() -> None:
    """And what would unite it belongs to nobody."""
    found = people("cookie:1 email:a", "cookie:1 email:b", apart=["email:a email:b"])

    assert groups(found) == {"email:a", "email:b", "cookie:1"}
    assert reasons(found) == {"cookie:1": "apart"}


def test_whom_a_steward_keeps_from_one_is_a_person_or_belongs_to_the_others() -> None:
    """The claim that says otherwise counts no more, and is told as refused; what hangs on it stays with it."""
    found = people(
        "phone:1 email:a", "cookie:1 phone:1", "phone:2 email:a", "phone:2 email:b", apart=["phone:1 email:a", "phone:2 email:a"]
    )

    assert groups(found) == {"email:a", "cookie:1 phone:1", "email:b phone:2"}
    assert reasons(found) == {}
    assert found.refused == {"default/phone:1": REFUSED_APART, "default/phone:2": REFUSED_APART}


def test_a_join_outweighs_the_limit_of_merges_and_is_none() -> None:
    """Who was refused is in, and as many others may still be united by what they did."""
    anchors = "email:a", "phone:1", "phone:2", "cookie:1"
    claims = "phone:1 email:a", "phone:2 email:a", "cookie:1 email:a"

    refused = people(*claims, anchors=anchors, merges=2)
    overruled = people(*claims, anchors=anchors, merges=2, joined=["cookie:1 email:a"])
    besides = people(*claims[1:], seen=["phone:1"], anchors=anchors, merges=2, joined=["phone:1 email:a"])

    assert refused.refused == {"default/cookie:1": MERGE_LIMIT}
    for found in (overruled, besides):
        assert groups(found) == {"cookie:1 email:a phone:1 phone:2"}
        assert found.refused == {}


def test_a_join_gives_what_is_shared_to_somebody() -> None:
    """And to nobody where it would unite whom another limit keeps apart: then it says which."""
    claims, limits = ("cookie:1 user_id:a", "cookie:1 user_id:b"), {"cookie": {"persons": 1}, "user_id": {"unique": True}}
    given = people(*claims, limits=limits, joined=["cookie:1 user_id:b"])
    contested = people(*claims, limits=limits, joined=["cookie:1 user_id:a", "cookie:1 user_id:b"])

    assert groups(given) == {"user_id:a", "cookie:1 user_id:b"}
    assert reasons(given) == {}
    assert list(contested.unjoined.values()) == ["unique:user_id"]
    assert len(groups(contested)) == 2


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"apart": ["email:a email:b", "phone:1 email:b"]}, "apart"),
        ({"generic": ["phone:1"]}, GENERIC),
        ({"limits": {"email": {"per_person": 1}}}, "per_person:email"),
        ({"most": 2}, "identifiers_per_person"),
    ],
)
def test_a_join_that_a_limit_forbids_is_in_vain_and_says_why(more: dict[str, Any], why: str) -> None:
    """All limits but the two that a steward may judge."""
    found = people("phone:1 email:a", seen=["email:b", "cookie:1"], joined=["email:b phone:1", "cookie:1 phone:1"], **more)

    assert why in found.unjoined.values()


def test_a_join_with_somebody_never_seen_waits_for_her() -> None:
    """It is no evidence that she exists."""
    assert groups(people(seen=["email:a"], joined=["email:a email:unseen"])) == {"email:a"}


def test_a_pair_of_which_one_was_never_seen_keeps_nobody_apart() -> None:
    """The word waits for her."""
    assert groups(people("cookie:1 email:a", apart=["email:a email:unseen"])) == {"cookie:1 email:a"}


def test_a_generic_identifier_unites_nobody() -> None:
    """It is alone, and nobody meets others through it."""
    found = people("cookie:1 phone:hotline", "cookie:2 phone:hotline", "phone:hotline email:a", generic=["phone:hotline"])

    assert groups(found) == {"email:a", "phone:hotline", "cookie:1", "cookie:2"}
    assert reasons(found) == {"phone:hotline": GENERIC}


def test_who_belongs_to_nobody_is_met_by_nobody() -> None:
    """What hangs on a contested identifier alone is a person of its own."""
    found = people("phone:1 user_id:a", "phone:1 user_id:b", "cookie:1 phone:1")

    assert groups(found) == {"user_id:a", "user_id:b", "phone:1", "cookie:1"}


def test_more_merges_than_allowed_are_refused_and_the_identifier_stays_a_person() -> None:
    """Counted by the anchors of touchpoints: people who did something."""
    found = people("phone:1 email:a", "phone:1 email:b", anchors=["email:a", "email:b"], merges=0)

    assert groups(found) == {"email:a", "email:b", "phone:1"}
    assert not reasons(found)
    assert set(found.refused.values()) == {MERGE_LIMIT}


def test_identifiers_without_touchpoints_of_their_own_are_no_merge() -> None:
    """A cookie that only comes along."""
    assert groups(people("phone:1 email:a", "phone:1 email:b", anchors=["email:a"], merges=0)) == {"email:a email:b phone:1"}


def test_likeness_unites_after_what_was_observed_where_it_may() -> None:
    """And never against a limit."""
    assert groups(people(likely=["email:b email:a"])) == {"email:a email:b"}
    assert groups(people(likely=["user_id:b user_id:a"])) == {"user_id:a", "user_id:b"}
    assert groups(people("email:a user_id:a", "email:b user_id:b", likely=["email:b email:a"])) == {
        "email:a user_id:a",
        "email:b user_id:b",
    }


def test_likeness_does_not_move_who_belongs_to_nobody_or_was_never_seen() -> None:
    """Nor does it bring anybody about."""
    assert groups(people(likely=["phone:1 email:a"], generic=["phone:1"])) == {"email:a", "phone:1"}
    alone = Evidence(seen={"default/email:a"}, likely=[Likely("default/phone:1", "default/email:a", 9.0, ("", ""))])
    assert groups(resolve(alone, Policy(kinds(), 9, 9, Ordering(kinds()).strength))) == {"email:a"}


def test_no_evidence_is_nobody() -> None:
    """Nothing in, nothing out."""
    assert groups(people()) == set()

"""Why two identifiers are one person, or why not."""

import pytest

from tests.property.histories import ORDERING, SETTINGS
from touchstone.identity.evidence import evidence_of
from touchstone.identity.explanation import Known, explain, members, refused
from touchstone.identity.resolve import Policy
from touchstone.model.component import Edge, Node, Ruling

TOPOLOGY = SETTINGS["wide"]
POLICY = Policy(TOPOLOGY.kinds, TOPOLOGY.identifiers_per_person, TOPOLOGY.merges_per_person, ORDERING.strength)
ADA, BOB, TABLET, COOKIE, PHONE = (
    f"default/{name}" for name in ("user_id:ada", "user_id:bob", "device_id:tablet", "cookie:c", "phone:+49301")
)


def known(*claims: tuple[str, str], rulings: tuple[Ruling, ...] = (), likely: tuple[tuple[str, str], ...] = ()) -> Known:
    """What a component knows of these claims (weak, strong), each seen by a touchpoint of its own."""
    edges = [Edge(weak, strong, n, 10 + n) for n, (weak, strong) in enumerate(claims)]
    named = {(min(pair), max(pair)): f"web/e{n}" for n, pair in enumerate(claims)}
    nodes = {x: Node(since=0) for pair in (*claims, *likely, (ADA, BOB)) for x in pair}
    return Known(evidence_of(nodes, edges, rulings, {ADA, BOB}), POLICY, tuple(edges), rulings, named)


def split(x: str, y: str) -> Ruling:
    """A steward's word."""
    return Ruling((min(x, y), max(x, y)), "split", 7, "s1", "")


def test_a_path_leads_from_claim_to_claim() -> None:
    """Turned the way it is gone, each with its times and the touchpoint that names both."""
    explanation = explain(known((TABLET, ADA), (COOKIE, TABLET)), ADA, COOKIE)

    assert explanation.verdict == "one"
    assert [(step.left, step.right, step.by, step.first, step.last, step.touchpoint, step.refused) for step in explanation.path] == [
        (ADA, TABLET, "sure", 0, 10, "web/e0", None),
        (TABLET, COOKIE, "sure", 1, 11, "web/e1", None),
    ]


def test_a_shared_identifier_on_the_way_is_named_with_its_rule() -> None:
    """Both claims lead to it, and neither counts."""
    explanation = explain(known((TABLET, ADA), (TABLET, BOB)), ADA, BOB)

    assert explanation.verdict == "two"
    assert [step.refused for step in explanation.path] == ["persons", "persons"]
    assert explanation.nobody == {TABLET: "persons"}


def test_a_steward_s_word_between_them_is_named() -> None:
    """The claim is there, and the word that outweighs it."""
    explanation = explain(known((TABLET, ADA), rulings=(split(ADA, TABLET),)), TABLET, ADA)

    assert explanation.verdict == "two"
    assert [step.refused for step in explanation.path] == ["forbid"]
    assert [ruling.command for ruling in explanation.kept_apart] == ["s1"]


def test_a_join_is_a_step_with_its_command() -> None:
    """It counts, and the claim to somebody else that it outweighs says so."""
    found = known((TABLET, ADA), (TABLET, BOB), rulings=(Ruling((min(ADA, TABLET), max(ADA, TABLET)), "join", 7, "s2", ""),))

    assert [(step.by, step.command) for step in explain(found, ADA, TABLET).path] == [("sure", None)]
    assert [step.refused for step in refused(found, BOB)] == ["join"]
    joined = known((PHONE, BOB), rulings=(Ruling((ADA, PHONE) if ADA < PHONE else (PHONE, ADA), "join", 7, "s3", ""),))
    assert [step.refused for step in refused(joined, ADA)] == ["unique:user_id"]


@pytest.mark.parametrize(("second", "verdict"), [(BOB, "unrelated"), ("default/cookie:never", "unknown")])
def test_who_has_nothing_in_common_is_not_explained_away(second: str, verdict: str) -> None:
    """Nothing leads there, or nobody has seen it."""
    assert explain(known((TABLET, ADA)), ADA, second).verdict == verdict


def test_a_likeness_is_told_from_what_was_seen() -> None:
    """It names no touchpoint."""
    (step,) = explain(known((COOKIE, ADA), likely=((TABLET, COOKIE),)), COOKIE, TABLET).path

    assert (step.by, step.touchpoint) == ("likely", None)


def test_a_person_is_listed_from_whom_was_asked_for() -> None:
    """Then from strong to weak; nobody where it was never seen."""
    found = known((TABLET, ADA), (COOKIE, TABLET))

    assert members(found, TABLET) == [TABLET, ADA, COOKIE]
    assert members(found, "default/cookie:never") == []
    assert refused(found, ADA) == []

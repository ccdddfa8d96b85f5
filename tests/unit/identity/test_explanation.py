"""Why two identifiers are one person, or why not."""

import pytest

from tests.property.histories import ORDERING, SETTINGS
from touchstone.identity.evidence import Likenesses, evidence_of
from touchstone.identity.explanation import Known, Resemblance, explain, members, refused
from touchstone.identity.resolve import Policy
from touchstone.model.component import Described, Edge, Likeness, Node, Ruling

TOPOLOGY = SETTINGS["wide"]
POLICY = Policy(TOPOLOGY.kinds, TOPOLOGY.identifiers_per_person, TOPOLOGY.merges_per_person, ORDERING.strength)
ADA, BOB, TABLET, COOKIE, PHONE = (
    f"default/{name}" for name in ("user_id:ada", "user_id:bob", "device_id:tablet", "cookie:c", "phone:+49301")
)


ACCEPT = 5.0
VALUES = {"r1": {"given": "ada"}, "r2": {"given": "ida"}, "r3": {"given": "ada", "city": "london"}}


def alike(weak: str, strong: str, score: float, *blocks: str, records: tuple[str, str] = ("r1", "r2")) -> Likeness:
    """They look alike by so many bits."""
    return Likeness(weak, strong, records, score, 9, blocks or ("open",), (9, 9))


def known(
    *claims: tuple[str, str], rulings: tuple[Ruling, ...] = (), likely: tuple[Likeness, ...] = (), closed: frozenset[str] = frozenset()
) -> Known:
    """What a component knows of these claims (weak, strong), each seen by a touchpoint of its own, and of who looks alike."""
    edges = [Edge(weak, strong, n, 10 + n) for n, (weak, strong) in enumerate(claims)]
    named = {(min(pair), max(pair)): f"web/e{n}" for n, pair in enumerate(claims)}
    pairs = [(one.weak, one.strong) for one in likely]
    nodes = {x: Node(since=0) for pair in (*claims, *pairs, (ADA, BOB)) for x in pair}
    described = [Described(x, r, VALUES[r], 9) for one in likely for x, r in zip((one.weak, one.strong), one.records, strict=True)]
    likenesses = Likenesses(likely, described, closed)
    evidence = evidence_of(nodes, edges, rulings, {ADA, BOB}, likenesses, ACCEPT)
    return Known(evidence, POLICY, tuple(edges), rulings, named, likenesses, ACCEPT)


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
    """It names no touchpoint, but the records by which they look alike, the likeliest, turned the way it is gone."""
    found = known(
        (COOKIE, ADA), likely=(alike(TABLET, COOKIE, 6.0, records=("r1", "r2")), alike(TABLET, COOKIE, 7.0, records=("r3", "r2")))
    )

    (step,) = explain(found, COOKIE, TABLET).path

    assert (step.by, step.touchpoint, step.refused, step.first) == ("likely", None, None, 9)
    assert step.alike == Resemblance(7.0, (VALUES["r2"], VALUES["r3"]))


def test_what_counts_in_an_open_block_goes_before_what_was_likelier_in_a_closed_one() -> None:
    """The records that counted are shown."""
    open_one, closed_one = alike(TABLET, COOKIE, 6.0, records=("r1", "r2")), alike(TABLET, COOKIE, 9.0, "crowd", records=("r3", "r2"))

    (step,) = explain(known((COOKIE, ADA), likely=(open_one, closed_one), closed=frozenset({"crowd"})), TABLET, COOKIE).path

    assert step.refused is None
    assert step.alike == Resemblance(6.0, (VALUES["r1"], VALUES["r2"]))


@pytest.mark.parametrize(
    ("likely", "closed", "rule"),
    [
        (alike(COOKIE, TABLET, 4.9), frozenset[str](), "score"),
        (alike(COOKIE, TABLET, 9.0, "crowd"), frozenset({"crowd"}), "closed"),
        (alike(COOKIE, TABLET, 9.0), frozenset({TABLET}), "neighbours"),
        (alike(COOKIE, TABLET, 9.0), frozenset[str](), "unique:user_id"),
    ],
)
def test_a_likeness_that_unites_nobody_says_why(likely: Likeness, closed: frozenset[str], rule: str) -> None:
    """It is below acceptance, its blocks are closed, one resembles everybody, or a limit forbids it."""
    found = known((COOKIE, ADA), (TABLET, BOB), likely=(likely,), closed=closed)

    explanation = explain(found, ADA, BOB)

    assert explanation.verdict == "two"
    assert [(step.by, step.refused) for step in explanation.path] == [("sure", None), ("likely", rule), ("sure", None)]
    assert [(step.by, step.refused) for step in refused(found, ADA)] == [("likely", rule)]


def test_a_likeness_below_acceptance_inside_one_person_is_not_refused() -> None:
    """Nothing was refused where they are one by what was seen."""
    found = known((COOKIE, ADA), likely=(alike(COOKIE, ADA, 1.0),))

    assert refused(found, ADA) == []
    assert [step.by for step in explain(found, ADA, COOKIE).path] == ["sure"]


def test_an_accepted_review_is_a_step_under_its_own_name() -> None:
    """With the command."""
    pair = (min(ADA, PHONE), max(ADA, PHONE))

    (step,) = explain(known((PHONE, PHONE), rulings=(Ruling(pair, "accept", 7, "s2", ""),)), ADA, PHONE).path

    assert (step.by, step.command, step.refused) == ("accept", "s2", None)


def test_a_rejected_review_keeps_apart_who_look_alike() -> None:
    """The ruling is named, and what it outweighs."""
    pair = (min(TABLET, COOKIE), max(TABLET, COOKIE))
    found = known((COOKIE, ADA), likely=(alike(TABLET, COOKIE, 9.0),), rulings=(Ruling(pair, "reject", 7, "s4", ""),))

    explanation = explain(found, TABLET, ADA)

    assert explanation.verdict == "two"
    assert [ruling.action for ruling in explanation.kept_apart] == ["reject"]
    assert [step.refused for step in refused(found, ADA)] == ["apart"]


def test_a_person_is_listed_from_whom_was_asked_for() -> None:
    """Then from strong to weak; nobody where it was never seen."""
    found = known((TABLET, ADA), (COOKIE, TABLET))

    assert members(found, TABLET) == [TABLET, ADA, COOKIE]
    assert members(found, "default/cookie:never") == []
    assert refused(found, ADA) == []

"""Who was who, against who is who now."""

import pytest

from tests.unit.journey.desk import touchpoint
from touchstone.identity.resolve import GENERIC, MERGE_LIMIT, PERSONS, REFUSED_APART
from touchstone.journey.changes import (
    Change,
    ChangeLog,
    Was,
    causes,
    last_words,
    people_changes,
    sharing_change,
    with_commands,
    with_triggers,
)
from touchstone.model.component import Ruling
from touchstone.model.touchpoint import Touchpoint

ANN, BOB, CAT = "ann", "bob", "cat"


def was(origin: str, *others: str) -> Was:
    """A person as she was told."""
    return Was(origin, frozenset((origin, *others)))


def test_nothing_changes_where_everybody_stays_who_she_is() -> None:
    """No noise."""
    assert people_changes({ANN: was("a", "x")}, {ANN: frozenset("ax")}) == []
    assert causes({ANN: was("a", "x")}, {ANN: frozenset("ax")}) == {}


def test_a_person_who_gains_an_identifier_is_linked() -> None:
    """Named with one that she had before."""
    assert people_changes({ANN: was("a", "b")}, {ANN: frozenset("abxy")}) == [Change("linked", ANN, (), ("a", "x", "y"), "claim")]


def test_a_person_who_is_new_is_linked_when_she_has_more_than_one() -> None:
    """One identifier alone is no link."""
    assert people_changes({}, {ANN: frozenset("ax")}) == [Change("linked", ANN, (), ("a", "x"), "claim")]
    assert people_changes({}, {ANN: frozenset("a")}) == []


def test_two_people_who_become_one_are_merged_into_the_survivor() -> None:
    """What came over is named; journeys are corrected because of it."""
    before, after = {ANN: was("a"), BOB: was("b", "x")}, {ANN: frozenset("abx")}

    assert people_changes(before, after) == [Change("merged", ANN, (BOB,), ("b", "x"), "claim")]
    assert causes(before, after) == {ANN: "merge", BOB: "merge"}


def test_a_person_who_becomes_two_is_split() -> None:
    """The part that holds what her id was made of keeps the id."""
    before, after = {ANN: was("a", "x", "y")}, {ANN: frozenset("a"), BOB: frozenset("xy")}

    assert people_changes(before, after) == [Change("split", ANN, (BOB,), ("a", "x", "y"), "claim")]
    assert causes(before, after) == {ANN: "split", BOB: "split"}


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (PERSONS, "shared"),
        (GENERIC, "shared"),
        ("identifiers_per_person", "refused"),
        ("unique:user_id", "conflict"),
        ("apart", "conflict"),
    ],
)
def test_an_identifier_that_ceases_to_belong_to_somebody_says_why(reason: str, kind: str) -> None:
    """And says so when it does again."""
    assert sharing_change("x", ANN, (BOB,), None, reason) == Change(kind, ANN, (BOB,), ("x",), reason)
    assert sharing_change("x", ANN, (BOB,), reason, None) == Change("unshared", ANN, (), ("x",), reason)


@pytest.mark.parametrize("reason", [MERGE_LIMIT, REFUSED_APART])
def test_a_refused_merge_is_said_and_its_end_is_the_merge(reason: str) -> None:
    """The identifier belonged to its own person all the time."""
    assert sharing_change("x", ANN, (BOB,), None, reason) == Change("refused", ANN, (BOB,), ("x",), reason)
    assert sharing_change("x", ANN, (BOB,), reason, None) is None


def test_another_reason_for_the_same_is_no_change() -> None:
    """It belonged to nobody before and does not now."""
    assert sharing_change("x", ANN, (), PERSONS, GENERIC) is None
    assert sharing_change("x", ANN, (), None, None) is None


def test_what_changes_back_within_one_transaction_is_not_said() -> None:
    """The log says what was before it and what is after it."""
    log = ChangeLog()
    log.share("x", ANN, (BOB,), None, PERSONS)
    log.share("x", BOB, (), PERSONS, None)
    log.share("y", ANN, (CAT,), None, PERSONS)
    log.share("y", BOB, (ANN,), PERSONS, GENERIC)

    assert [change for change, _ in log.changes(is_here=True)] == [Change("shared", BOB, (ANN,), ("y",), GENERIC)]


def test_a_component_that_moved_away_leaves_its_people_to_its_new_home() -> None:
    """What only it knows is said here: conflicts under one key, with the key as trigger."""
    log = ChangeLog([Change("linked", ANN, (), ("a", "x"), "claim")], "web/1", {(ANN, "web/2"): None})

    assert [(change.kind, trigger) for change, trigger in log.changes(is_here=False)] == [("conflict", "web/2")]
    assert [(change.kind, trigger) for change, trigger in log.changes(is_here=True)] == [("linked", "web/1"), ("conflict", "web/2")]


def test_a_merge_names_the_touchpoint_that_shows_it() -> None:
    """Of several that name both sides the last received; one that names a single side is no evidence of a union."""
    merged = Change("merged", ANN, (BOB,), ("default/loyalty_id:l7",), "claim")
    after = {ANN: frozenset({"default/user_id:ann", "default/loyalty_id:l7"})}
    told = [
        sighting("early", 1, "default/user_id:ann", "default/loyalty_id:l7"),
        sighting("login", 2, "default/user_id:ann", "default/loyalty_id:l7"),
        sighting("call", 3, "default/loyalty_id:l7"),
    ]

    assert [change.trigger for change in with_triggers([merged], after, told)] == ["web/login"]


def sighting(event_id: str, at: int, *identifiers: str) -> Touchpoint:
    """A touchpoint received at this time."""
    return Touchpoint("default", "web", event_id, "web", "login", at, at, identifiers, event_id)


def test_what_an_identifier_shares_is_shown_by_the_last_touchpoint_that_names_it_with_others() -> None:
    """Whatever order they come in: the last received that names it beside another identifier, else any that names it."""
    told = [
        touchpoint(0, "login", "user_id:a", "device_id:d", event_id="first"),
        touchpoint(1, "login", "user_id:b", "device_id:d", event_id="second"),
        touchpoint(2, "search", "device_id:d", event_id="alone"),
        touchpoint(3, "search", "cookie:c", event_id="other"),
    ]

    for order in (told, told[::-1]):
        words = last_words(order)

        assert (words["default/device_id:d"], words["default/cookie:c"]) == ("web/second", "web/other")


def test_a_split_is_shown_by_the_last_touchpoint_that_names_what_was_lost() -> None:
    """Else by the last that names anything she had; none, where nobody speaks of her any more."""
    told = [touchpoint(n, "login", f"cookie:{x}", event_id=x) for n, x in enumerate("axb")]
    split = Change("split", ANN, (BOB,), ("default/cookie:a", "default/cookie:b", "default/cookie:x"), "claim")
    apart = {ANN: frozenset(("default/cookie:a",)), BOB: frozenset(("default/cookie:b",))}

    assert [change.trigger for change in with_triggers([split], apart, told)] == ["web/x"]
    assert [change.trigger for change in with_triggers([split], {ANN: frozenset(split.identifiers)}, told)] == ["web/b"]
    assert [change.trigger for change in with_triggers([split], apart, [])] == [None]


def test_shared_says_its_trigger_also_where_the_evidence_comes_after_the_touchpoint() -> None:
    """The claim that shows that a device has two users may come in a transaction of its own; a steward's word has no touchpoint."""
    log = ChangeLog()
    log.share("x", ANN, (BOB,), None, PERSONS, "web/login")
    log.share("y", ANN, (BOB,), None, "apart", "web/login", "s1")
    log.share("z", ANN, (BOB,), None, "unique:user_id", "web/order")

    assert [(change.kind, trigger) for change, trigger in log.changes(is_here=True)] == [
        ("shared", "web/login"),
        ("conflict", None),
        ("conflict", "web/order"),
    ]


def ruling(action: str, command: str, *, undone_by: str | None = None) -> Ruling:
    """About cookies a and b."""
    return Ruling(("default/cookie:a", "default/cookie:b"), action, 5, command, "", undone_by)


@pytest.mark.parametrize(
    ("word", "undone", "cause"),
    [
        (ruling("split", "s1"), set[str](), ("split", "s1")),
        (ruling("forbid", "s1"), set[str](), ("forbid", "s1")),
        (ruling("reject", "s1"), set[str](), ("reject", "s1")),
        (ruling("join", "s1"), set[str](), ("claim", None)),
        (ruling("accept", "s1"), set[str](), ("claim", None)),
        (ruling("accept", "s1", undone_by="w1"), {"s1"}, ("undo", "w1")),
        (ruling("join", "s1", undone_by="w1"), {"s1"}, ("undo", "w1")),
        (ruling("join", "s1", undone_by="w1"), set[str](), ("claim", None)),
        (ruling("split", "s1", undone_by="w1"), {"s1"}, ("claim", None)),
    ],
)
def test_a_split_by_a_steward_names_the_command(word: Ruling, undone: set[str], cause: tuple[str, str | None]) -> None:
    """Or the command that took a join back, in the transaction in which that became known."""
    split = Change("split", ANN, (BOB,), ("default/cookie:a", "default/cookie:b"), "claim", "web/x")
    after = {ANN: frozenset(("default/cookie:a",)), BOB: frozenset(("default/cookie:b",))}
    standing = [word] if word.undone_by is None else []

    (change,) = with_commands([split], after, [word], standing, undone)

    assert (change.rule, change.command) == cause
    assert change.trigger == (None if change.command else "web/x")


@pytest.mark.parametrize("kind", ["merged", "linked"])
def test_a_union_by_a_steward_names_the_command(kind: str) -> None:
    """If it speaks of what came and of what was there; or the one that took a split back."""
    identifiers = ("default/cookie:b",) if kind == "merged" else ("default/cookie:a", "default/cookie:b")
    union = Change(kind, ANN, (), identifiers, "claim", "web/x")
    after = {ANN: frozenset(("default/cookie:a", "default/cookie:b"))}
    join, undone = ruling("join", "s1"), ruling("split", "s1", undone_by="w1")

    assert [change.command for change in with_commands([union], after, [join], [join], set())] == ["s1"]
    assert [change.rule for change in with_commands([union], after, [], [ruling("accept", "s1")], set())] == ["accept"]
    assert [change.command for change in with_commands([union], after, [undone], [], {"s1"})] == ["w1"]
    assert with_commands([union], {ANN: frozenset(("default/cookie:b",))}, [join], [join], set()) == [union]


def test_a_claim_that_a_split_overrules_is_not_said_as_well() -> None:
    """The split says it; where nobody was split, the refusal is what happened."""
    split = Change("split", ANN, (BOB,), ("x", "y"), "split", command="s1")
    for people, kinds in (([split], ["split"]), ([], ["refused"])):
        log = ChangeLog(people)
        log.share("x", ANN, (BOB,), None, REFUSED_APART, "web/1", "s1")

        said = list(log.changes(is_here=True))

        assert [change.kind for change, _ in said] == kinds
        assert [(change.command, trigger) for change, trigger in said] == [("s1", None)]

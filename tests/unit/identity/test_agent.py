"""One partition of the identity stage: claims, guards, pointers."""

from typing import Any

import msgspec
import pytest

from tests.unit.journey.desk import kinds, touchpoint
from touchstone.identity.agent import Identity
from touchstone.identity.ordering import Ordering
from touchstone.identity.sharing import MOST_ALIKE
from touchstone.model import message as m
from touchstone.model.component import IDENTITY_ROWS, Described, Likeness, Ruling
from touchstone.state.memory import DictBackend
from touchstone.state.rows import RowStore

COOKIE, PHONE, EMAIL = "default/cookie:1", "default/phone:1", "default/email:a"


class Desk:
    """A partition of identity, all identifiers of which are here."""

    def __init__(self, **limits: Any) -> None:
        self.ordering = Ordering(kinds(**limits))
        self.identity = Identity(RowStore(DictBackend(), IDENTITY_ROWS), kinds(**limits), self.ordering)

    def tell(self, *messages: m.IdentityMessage) -> list[Any]:
        """What follows from them."""
        sent: list[Any] = []
        for message in messages:
            self.identity.handle(message, sent.append)
        return sent

    def settle(self, *messages: m.IdentityMessage) -> list[Any]:
        """What follows for the journey stage, when identity has heard itself out."""
        said: list[Any] = []
        waiting = list(messages)
        while waiting:
            for answer in self.tell(waiting.pop(0)):
                (waiting if isinstance(answer, m.IdentityMessage) else said).append(answer)
        return said


def test_a_claim_asks_the_strong_end() -> None:
    """The weak end has counted it and still unites."""
    assert Desk().tell(m.Claim(COOKIE, EMAIL, 1, 2)) == [m.Ask(EMAIL, COOKIE, granted=True, first=1, last=2)]


def test_a_claim_that_says_nothing_new_is_not_passed_on() -> None:
    """An earlier one is; a later one is not, because touchpoints tell who was seen when."""
    desk = Desk()
    desk.tell(m.Claim(COOKIE, EMAIL, 1, 5))

    assert desk.tell(m.Claim(COOKIE, EMAIL, 2, 9)) == []
    assert desk.tell(m.Claim(COOKIE, EMAIL, 0, 3)) == [m.Ask(EMAIL, COOKIE, granted=True, first=0, last=5)]


def test_both_ends_granting_makes_an_edge_and_one_component() -> None:
    """Whichever hooks higher hangs itself up."""
    desk = Desk()

    said = desk.settle(m.Claim(COOKIE, EMAIL, 1, 1))

    high, low = sorted((COOKIE, EMAIL), key=desk.ordering.hook, reverse=True)
    assert said == [m.AddEdge(EMAIL, COOKIE, EMAIL, 1, 1), m.Absorb(high, low)]


def test_a_weak_end_that_became_generic_asks_but_does_not_grant() -> None:
    """The strong end must count it all the same."""
    desk = Desk(phone={"guard_stronger": 1})
    desk.tell(m.Claim(PHONE, EMAIL, 1, 1))

    second = desk.tell(m.Claim(PHONE, "default/email:b", 1, 1))
    third = desk.tell(m.Claim(PHONE, "default/email:c", 1, 1))

    assert second == [m.AddGeneric(PHONE, PHONE), m.Ask("default/email:b", PHONE, granted=False, first=1, last=1)]
    assert third == [m.Ask("default/email:c", PHONE, granted=False, first=1, last=1)]


def test_a_strong_end_with_too_many_weaker_neighbours_grants_nothing_more() -> None:
    """A hot line; those who were counted before stay in its component, which is told."""
    desk = Desk(phone={"guard_weaker": 1})
    first = desk.tell(m.Ask(PHONE, COOKIE, granted=True, first=1, last=1))

    second = desk.tell(m.Ask(PHONE, "default/cookie:2", granted=True, first=1, last=1))

    assert m.AddEdge(PHONE, COOKIE, PHONE, 1, 1) in first
    assert [type(message) for message in second] == [m.AddGeneric]


def test_a_strong_end_that_was_not_granted_makes_no_edge() -> None:
    """It counts the neighbour all the same."""
    desk = Desk(phone={"guard_weaker": 1})

    assert desk.tell(m.Ask(PHONE, COOKIE, granted=False, first=1, last=1)) == []
    assert desk.tell(m.Ask(PHONE, "default/cookie:2", granted=False, first=1, last=1)) == [m.AddGeneric(PHONE, PHONE)]


def test_the_same_neighbour_is_counted_once() -> None:
    """However often it asks."""
    desk = Desk(phone={"guard_weaker": 1})

    answers = [desk.tell(m.Ask(PHONE, COOKIE, granted=True, first=n, last=n)) for n in range(3)]

    assert all(any(isinstance(answer, m.AddEdge) for answer in some) for some in answers)


def test_a_touchpoint_goes_to_the_component_of_its_anchor() -> None:
    """Or to its next identifier where the anchor is generic; the last one keeps it whatever it is."""
    desk = Desk(phone={"guard_weaker": 0})
    called = touchpoint(0, "call", "phone:1", "cookie:1")
    assert desk.tell(m.Arrive(PHONE, 0, called)) == [m.AddTouchpoint(PHONE, 0, called)]
    desk.tell(m.Ask(PHONE, COOKIE, granted=True, first=1, last=1))

    assert desk.tell(m.Arrive(PHONE, 0, called)) == [m.Arrive(COOKIE, 1, called)]
    alone = touchpoint(0, "call", "phone:1")
    assert [type(answer) for answer in desk.tell(m.Arrive(PHONE, 0, alone))] == [m.AddTouchpoint]


def test_a_sight_goes_to_the_component() -> None:
    """With its time."""
    assert Desk().tell(m.Seen(COOKIE, 7)) == [m.AddSeen(COOKIE, COOKIE, 7)]


def test_a_sight_that_says_nothing_new_is_not_passed_on() -> None:
    """Intake forgets what it has said; the component need not hear it again. Only an earlier one is news."""
    desk = Desk()
    desk.tell(m.Seen(COOKIE, 5))

    assert desk.tell(m.Seen(COOKIE, 5), m.Seen(COOKIE, 7)) == []
    assert desk.tell(m.Seen(COOKIE, 3)) == [m.AddSeen(COOKIE, COOKIE, 3)]


def _match(weak: str, strong: str, *, is_accepted: bool = True) -> m.Match:
    likeness = Likeness(weak, strong, ("a", "b"), 9.0, 3, ("default/block:x",), (3, 4))
    return m.Match(weak, likeness, (Described(weak, "a", {}, 3), Described(strong, "b", {}, 4)), is_accepted)


def test_a_likeness_unites_components_where_it_is_accepted() -> None:
    """It is evidence of its own class; resolve decides. One that is for review brings nobody under one root."""
    found, only_for_review = _match(PHONE, EMAIL), _match(PHONE, EMAIL, is_accepted=False)

    said = Desk().settle(found)

    assert said[0] == m.AddLikeness(PHONE, found.likeness, found.records)
    assert [type(message) for message in said[1:]] == [m.Absorb]
    assert Desk().settle(only_for_review) == [m.AddLikeness(PHONE, only_for_review.likeness, only_for_review.records)]


def test_a_description_goes_to_its_blocks_once() -> None:
    """And again only where it turns out to be older."""
    desk = Desk()
    described = Described(PHONE, "a", {"given": "ada"}, 5)

    def said(at: int) -> list[object]:
        return list(desk.tell(m.Describe(PHONE, msgspec.structs.replace(described, at=at), ("default/block:x", "default/block:y"))))

    assert said(5) == [m.Compare("default/block:x", described), m.Compare("default/block:y", described)]
    assert said(5) == said(6) == []
    assert [message.described.at for message in said(4)] == [4, 4]  # type: ignore[attr-defined]  # a Compare, as above


def test_who_resembles_everybody_resembles_nobody() -> None:
    """A tablet in a shop, described as each of its users: likeness to it counts no more, at whichever end it stands."""
    weak_end, strong_end = Desk(), Desk()

    heard = [weak_end.settle(_match(PHONE, f"default/email:{n}")) for n in range(MOST_ALIKE + 2)]
    met = [strong_end.settle(m.Meet(EMAIL, f"default/phone:{n}")) for n in range(MOST_ALIKE + 2)]

    assert [message.block for said in heard for message in said if isinstance(message, m.AddClosed)] == [PHONE]
    assert not any(isinstance(message, m.AddLikeness | m.Meet) for message in heard[-1])
    assert [message.block for said in met for message in said if isinstance(message, m.AddClosed)] == [EMAIL]
    assert met[-1] == []


def test_a_steward_s_word_reaches_the_component_of_both() -> None:
    """They must lie together for the word to be seen; the pair has one name."""
    desk = Desk()

    said = desk.settle(m.Order("default/command:s1", "split", 3, "hash", ((EMAIL, PHONE),)))

    rulings = [answer.ruling for answer in said if isinstance(answer, m.AddRuling)]
    assert rulings == [Ruling((EMAIL, PHONE), "split", 3, "s1", "hash")]
    assert any(isinstance(answer, m.Absorb) for answer in said)


@pytest.mark.parametrize("is_undone_first", [False, True])
def test_an_undo_reaches_every_pair_of_its_command_whichever_comes_first(is_undone_first: bool) -> None:
    """It knows no more of a command than its id; of several that undo one, the smallest is named, and what comes twice says nothing."""
    desk = Desk()
    name = "default/command:s1"
    order = m.Order(name, "split", 3, "hash", ((EMAIL, PHONE), (EMAIL, COOKIE)))
    undo = m.Undo(name, "w2")

    said = desk.settle(*((undo, order) if is_undone_first else (order, undo)))

    rulings = [answer.ruling for answer in said if isinstance(answer, m.AddRuling)]
    assert {ruling.pair for ruling in rulings if ruling.undone_by == "w2"} == {(EMAIL, PHONE), (EMAIL, COOKIE)}
    assert len(rulings) == (2 if is_undone_first else 4)
    assert desk.settle(order, undo, m.Undo(name, "w3")) == []
    again = [answer.ruling.undone_by for answer in desk.settle(m.Undo(name, "w1")) if isinstance(answer, m.AddRuling)]
    assert again == ["w1", "w1"]


def test_a_pointer_is_shortened_only_downwards() -> None:
    """To where the component lives now; a root never hangs itself up this way, and an old message does no harm."""
    desk = Desk()
    ordered = sorted((COOKIE, PHONE, EMAIL, "default/email:b"), key=desk.ordering.hook)
    lowest, low, high, highest = ordered
    desk.tell(m.Unite(highest, high))

    desk.tell(m.Compress(highest, lowest))
    desk.tell(m.Compress(highest, low))
    desk.tell(m.Compress(low, lowest))

    assert desk.tell(m.Seen(highest, 1)) == [m.AddSeen(lowest, highest, 1)]
    assert desk.tell(m.Seen(low, 1)) == [m.AddSeen(low, low, 1)]


def test_a_request_goes_to_the_component_and_a_decision_drops_what_is_kept_of_records() -> None:
    """Those stated until then; who hangs where, and since when, stays."""
    desk = Desk()
    early, late = (Described(EMAIL, record, {"city": "Bonn"}, at, last=at) for record, at in (("r1", 5), ("r2", 15)))
    desk.tell(m.Seen(EMAIL, 5, "ada@x.org"), m.Describe(EMAIL, early, ()), m.Describe(EMAIL, late, ()))

    assert desk.tell(m.Erase(EMAIL, 10, "x1")) == [m.AddRequest(EMAIL, EMAIL, 10, "x1")]
    assert desk.tell(m.Forget(EMAIL, 10)) == [m.AddForgotten(EMAIL, EMAIL, 10)]

    kept = {name: row.described.values for name, row in desk.identity._store.scan(EMAIL, "r")}
    assert kept == {"rr1": {}, "rr2": {"city": "Bonn"}}, "that there was one counts, what it said is gone"


def test_times_that_no_touchpoint_tells_are_passed_on() -> None:
    """Of touchpoints that are suppressed: a later sighting, and a known pair seen together later."""
    desk = Desk()
    desk.tell(m.Seen(COOKIE, 1, "1"), m.Claim(COOKIE, EMAIL, 1, 1))

    assert desk.tell(m.Seen(COOKIE, 7, None, 7)) == [m.AddSeen(COOKIE, COOKIE, 7, None, 7)]
    assert desk.tell(m.Seen(COOKIE, 6, None, 6)) == []
    assert desk.tell(m.Claim(COOKIE, EMAIL, 7, 7, is_bare=True)) == [m.Ask(EMAIL, COOKIE, granted=True, first=1, last=7)]
    assert desk.tell(m.Claim(COOKIE, EMAIL, 7, 7, is_bare=True)) == []


def test_a_description_goes_where_it_was_sent_when_the_identifier_is_forgotten() -> None:
    """To all its blocks, once; one that comes late is forgotten at once, and one that was stated since stays."""
    desk = Desk()
    described = Described(PHONE, "a", {"given": "ada"}, 5, "+49", 5)

    desk.tell(m.Describe(PHONE, described, ("default/block:x",)))
    said = desk.tell(m.Forget(PHONE, 7))
    late = desk.tell(m.Describe(PHONE, msgspec.structs.replace(described, record="b"), ("default/block:y",)))
    back = desk.tell(m.Describe(PHONE, msgspec.structs.replace(described, at=9, last=9), ("default/block:x",)))

    assert m.Withdraw("default/block:x", PHONE, "a", 7) in said
    assert m.Withdraw("default/block:y", PHONE, "b", 7) in late
    assert [message.described.values for message in back if isinstance(message, m.Compare)] == [{"given": "ada"}]
    assert [message for message in desk.tell(m.Forget(PHONE, 7)) if not isinstance(message, m.AddForgotten)] == []


def test_a_record_that_holds_the_value_of_another_identifier_goes_with_it() -> None:
    """The e-mail address of somebody who is forgotten stands in nobody's record, whichever is heard first."""
    early, late = Desk(), Desk()
    message = m.Describe(PHONE, Described(PHONE, "a", {"email": "ada@x.org"}, 5, "+49", 5), ("default/block:x",), (EMAIL,))

    lent = early.tell(message)
    early.tell(*(one for one in lent if isinstance(one, m.Lend)))
    revoked = early.tell(m.Forget(EMAIL, 7))
    late.tell(m.Forget(EMAIL, 7))
    at_once = late.tell(*(one for one in late.tell(message) if isinstance(one, m.Lend)))

    assert m.Revoke(PHONE, "a", 7) in revoked
    assert at_once == [m.Revoke(PHONE, "a", 7)]
    assert early.tell(m.Revoke(PHONE, "a", 7)) == [m.Withdraw("default/block:x", PHONE, "a", 7)]

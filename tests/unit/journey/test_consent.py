"""What a person consents to: which statements count, what they decide, now and at any time before."""

import msgspec
import pytest

from tests.unit.journey.desk import HOUR, NOON, touchpoint
from touchstone.journey.consent import MOST_CHANGES, agrees, listen, told
from touchstone.model.component import Person
from touchstone.model.touchpoint import Touchpoint
from touchstone.topology.compile import Consent

CAREFUL, LAST_WORD, PRESUMED = Consent(), Consent(denial_wins=False), Consent(assumed=True)
LARGE = 1 << 16


def ann(*touchpoints: Touchpoint, policy: Consent = CAREFUL, room: int = LARGE) -> Person:
    """A person with an account, an e-mail address and two cookies who said this; what she buys is nobody's purpose."""
    names = ("user_id:ann", "email:ann", "cookie:1", "cookie:2")
    person = Person(members={f"default/{name}": None for name in names}, is_nobody=False, states={})
    for one in sorted(touchpoints, key=lambda one: one.order):
        listen(person, one, {"marketing": policy}, room)
    return person


def says(
    at: float, granted: bool, *identifiers: str, source: str = "web", purpose: str = "marketing", event_id: str | None = None
) -> Touchpoint:
    """A statement `at` hours after noon."""
    plain = touchpoint(at, "consent", *identifiers, event_id=event_id)
    return msgspec.structs.replace(plain, source=source, consents={purpose: granted})


def now(person: Person, policy: Consent = CAREFUL) -> bool:
    """Whether she agrees, now and for a year."""
    return agrees(person, "marketing", policy, NOON + 9000 * HOUR)


def at(person: Person, hours: float, policy: Consent = CAREFUL) -> bool:
    """Whether what happened then may be used."""
    return agrees(person, "marketing", policy, NOON + int(hours * HOUR))


def test_who_has_not_spoken_has_not_consented_unless_that_is_assumed() -> None:
    """A purpose that nobody spoke about is denied by default."""
    assert not now(ann())
    assert now(ann(policy=PRESUMED), PRESUMED)


@pytest.mark.parametrize("granted", [True, False])
def test_a_later_word_of_a_source_about_the_same_identifier_replaces_its_earlier_one(granted: bool) -> None:
    """Granted and withdrawn, or denied and granted: no conflict, whichever rule there is for conflicts."""
    statements = says(1, not granted, "cookie:1"), says(2, granted, "user_id:ann", "cookie:1")

    assert [now(ann(*statements, policy=policy), policy) for policy in (CAREFUL, LAST_WORD, PRESUMED)] == [granted] * 3


@pytest.mark.parametrize(("policy", "expected"), [(CAREFUL, False), (LAST_WORD, True)])
def test_another_identifier_that_denied_is_a_conflict(policy: Consent, expected: bool) -> None:
    """Two who turned out to be one person: the denial wins, or the later word where the topology says so."""
    person = ann(says(1, False, "cookie:1"), says(2, True, "user_id:ann"), policy=policy)

    assert now(person, policy) is expected


@pytest.mark.parametrize(("policy", "expected"), [(CAREFUL, False), (LAST_WORD, True)])
def test_another_source_that_denied_is_a_conflict(policy: Consent, expected: bool) -> None:
    """What was denied on the telephone is not granted by a click."""
    person = ann(says(1, False, "user_id:ann", source="call_center"), says(2, True, "user_id:ann"), policy=policy)

    assert now(person, policy) is expected


def test_who_names_both_sides_of_a_conflict_settles_it() -> None:
    """A later statement of that source that names what each of them named replaces both."""
    person = ann(says(1, False, "cookie:1"), says(2, True, "user_id:ann"), says(3, True, "user_id:ann", "cookie:1"))

    assert now(person)


def test_what_was_replaced_stays_so_when_its_successor_is_replaced() -> None:
    """The first one named only a cookie that the third one does not know."""
    person = ann(says(1, False, "cookie:1"), says(2, False, "user_id:ann", "cookie:1"), says(3, True, "user_id:ann"))

    assert now(person)


def test_identifiers_that_are_not_the_persons_connect_nothing() -> None:
    """A kiosk that both statements name belongs to nobody."""
    person = ann(says(1, False, "email:ann", "device_id:kiosk"), says(2, True, "user_id:ann", "device_id:kiosk"))

    assert not now(person)


@pytest.mark.parametrize("policy", [CAREFUL, LAST_WORD])
def test_at_the_same_millisecond_the_denial_counts(policy: Consent) -> None:
    """No source's name and no event id decides what somebody consents to."""
    for first, second in (("a", "z"), ("z", "a")):
        sources = says(1, True, "user_id:ann", source=first), says(1, False, "user_id:ann", source=second)
        events = says(1, True, "user_id:ann", event_id=first), says(1, False, "user_id:ann", event_id=second)

        assert [now(ann(*both, policy=policy), policy) for both in (sources, events)] == [False, False]


def test_what_happened_may_be_used_if_consent_was_there_then_and_is_now() -> None:
    """Granted from 1 to 2 and from 3 on."""
    person = ann(says(1, True, "cookie:1"), says(2, False, "cookie:1"), says(3, True, "cookie:1"))

    assert [at(person, hours) for hours in (0.5, 1, 1.5, 2, 2.5, 3, 4)] == [False, True, True, False, False, True, True]


def test_nothing_may_be_used_of_who_has_withdrawn() -> None:
    """Neither of the time in which she consented."""
    person = ann(says(1, True, "cookie:1"), says(2, False, "cookie:1"))

    assert [at(person, hours) for hours in (0, 1, 1.5, 2, 3)] == [False] * 5


def test_whoever_changes_her_mind_for_ever_takes_no_room() -> None:
    """Of the past only so many changes are known; before them nothing may be used, whatever is assumed."""
    person = ann(*(says(n, bool(n % 2), "cookie:1") for n in range(2 * MOST_CHANGES)), policy=PRESUMED)

    assert len(person.agreed["marketing"]) <= MOST_CHANGES
    assert (at(person, 2 * MOST_CHANGES - 1, PRESUMED), at(person, 3, PRESUMED), at(person, -1, PRESUMED)) == (True, False, False)


def test_a_record_shows_the_decision_its_rule_and_every_statement_that_counts() -> None:
    """With source, time and touchpoint; a purpose that the topology does not know is decided with caution."""
    person = ann(says(1, False, "cookie:1"), says(2, True, "user_id:ann", source="crm"), says(3, True, "email:ann", purpose="research"))

    denied = {"granted": False, "occurred_at": NOON + HOUR, "source": "web", "touchpoint": "web/consent@1"}
    granted = {"granted": True, "occurred_at": NOON + 2 * HOUR, "source": "crm", "touchpoint": "crm/consent@2"}
    research = {"granted": True, "occurred_at": NOON + 3 * HOUR, "source": "web", "touchpoint": "web/consent@3"}
    assert told(person, {"marketing": CAREFUL}) == (
        {"purpose": "marketing", **denied, "rule": "most_restrictive", "statements": [denied, granted]},
        {"purpose": "research", **research, "rule": "most_restrictive", "statements": [research]},
    )
    assert told(person, {"marketing": LAST_WORD})[0] == {
        "purpose": "marketing", **granted, "rule": "most_recent", "statements": [denied, granted],
    }  # fmt: skip


def test_what_the_topology_does_not_ask_for_is_left_out_first_where_there_is_no_room() -> None:
    """The longest unsaid first; it is counted."""
    person = ann(*(says(n, True, "user_id:ann", purpose=f"p{n}") for n in range(9)), says(0.5, False, "user_id:ann"), room=300)

    assert list(person.consents)[0:1] == ["marketing"]
    assert max(person.consents) == "p8"
    assert person.left_out == 9 - (len(person.consents) - 1)


def test_nobody_consents_because_a_denial_found_no_room() -> None:
    """Grants go first, then all denials become one that nothing replaces; whatever is assumed, and by either rule."""
    many = [says(n, False, "cookie:1", source=f"shop{n}") for n in range(40)]
    for policy in (CAREFUL, PRESUMED):
        person = ann(
            *many, says(50, True, "cookie:1", source="shop39"), says(60, True, "cookie:1", source="shop3"), policy=policy, room=400
        )

        assert not now(person, policy)
        assert person.left_out > 30
        assert sum(not one.granted for one in person.consents["marketing"]) <= 7

"""What identity is told, and what it need not be told again."""

from hypothesis import given
from hypothesis import strategies as st

from touchstone.intake.messages import Known, messages_of
from touchstone.intake.recent import Recent
from touchstone.model.message import Arrive, Claim, IdentityMessage, Seen
from touchstone.model.touchpoint import Touchpoint

LATENESS = 5


def arrived(number: int, at: int, received: int, identifiers: tuple[str, ...]) -> Touchpoint:
    """A touchpoint with nothing but its identifiers and times."""
    return Touchpoint("default", "web", str(number), "web", "search", at, received, identifiers, "")


def test_every_pair_claims_to_belong_together() -> None:
    """Three identifiers make three claims, each by the weaker about the stronger."""
    claims = [message for message in messages_of(arrived(0, 7, 7, ("a", "b", "c")), LATENESS) if isinstance(message, Claim)]

    assert claims == [Claim("b", "a", 7, 7), Claim("c", "a", 7, 7), Claim("c", "b", 7, 7)]


def test_a_very_late_touchpoint_cannot_make_an_identifier_known_longer() -> None:
    """Known since is max(occurred, received - lateness)."""
    assert messages_of(arrived(0, 7, 100, ("a",)), LATENESS)[0] == Seen("a", 95)


def told(messages: list[IdentityMessage]) -> tuple[dict[str, int], dict[tuple[str, str], int], list[str]]:
    """What whoever joins the messages knows in the end: since when, first together, and all touchpoints."""
    since: dict[str, int] = {}
    first: dict[tuple[str, str], int] = {}
    touchpoints = []
    for message in messages:
        if isinstance(message, Seen):
            since[message.to] = min(message.since, since.get(message.to, message.since))
        elif isinstance(message, Claim):
            pair = message.to, message.strong
            first[pair] = min(message.first, first.get(pair, message.first))
        elif isinstance(message, Arrive):
            touchpoints.append(message.touchpoint.event_id)
    return since, first, touchpoints


@given(
    st.lists(
        st.tuples(
            st.integers(0, 30), st.integers(0, 30), st.lists(st.sampled_from("abcd"), min_size=1, unique=True).map(sorted).map(tuple)
        ),
        max_size=30,
    ),
    st.integers(0, 3),
)
def test_leaving_out_what_is_known_leaves_out_nothing_new(facts: list[tuple[int, int, tuple[str, ...]]], capacity: int) -> None:
    """For any touchpoints, with a memory of any size: whoever gets the messages that are sent knows what all would have told."""
    touchpoints = [arrived(number, *fact) for number, fact in enumerate(facts)]
    known, sent = Known(LATENESS, capacity), list[IdentityMessage]()

    for touchpoint in touchpoints:
        known.send(touchpoint, sent)

    assert told(sent) == told([message for touchpoint in touchpoints for message in messages_of(touchpoint, LATENESS)])


def test_the_memory_is_bounded_and_keeps_what_is_used() -> None:
    """A key that is asked for again and again survives any number of others."""
    recent = Recent[int, int](10)
    recent[0] = 7

    for other in range(1, 1_000):
        recent[other] = other
        assert recent.get(0) == 7

    assert len(recent) <= 22
    assert recent.get(1) is None

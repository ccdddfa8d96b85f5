"""A component's rows: evidence joins without loss, moves in pieces, and is joined only when it is whole."""

from random import Random

import pytest

from tests.unit.journey.desk import HOUR, NOON, Desk, evidence, journey, moments, rule, topology, touchpoint
from touchstone.journey import component as component_module
from touchstone.journey.component import Component, held_name
from touchstone.model import message as m
from touchstone.model.component import Described, Edge, Likeness, Ruling
from touchstone.model.output import Customer

RECORDS = (Described("w", "r1", {}, 3), Described("s", "r2", {}, 3))
LIKENESS = Likeness("w", "s", ("r1", "r2"), 9.0, 3, ("default/block:a",), (3, 3))
HERE, THERE = "default/cookie:here", "default/cookie:there"
SEARCHED = rule("searched", "interest", "search")
BOUGHT = rule("bought", "purchase", "order_paid")


@pytest.fixture
def desk() -> Desk:
    """A partition that follows one journey."""
    return Desk(topology(journey(SEARCHED, BOUGHT, dormant_ms=100 * HOUR)))


@pytest.fixture
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row travels in a piece of its own."""
    monkeypatch.setattr(component_module, "PIECE_BYTES", 0)


def moved(desk: Desk, source: str = HERE, target: str = THERE) -> list[m.Piece]:
    """Let a component leave; returns what is on its way."""
    desk.sent.clear()
    desk.tell(m.Absorb(source, target))
    return [message for message in desk.sent if isinstance(message, m.Piece)]


def test_known_since_only_moves_back(desk: Desk) -> None:
    """And says whether it did."""
    component = Component(desk.store, HERE)

    assert [component.add_seen("default/email:a", at) for at in (5, 7, 5, 3)] == [True, False, False, True]


def test_an_edge_is_news_once_and_its_times_only_widen(desk: Desk) -> None:
    """That the two were seen together again is nothing new."""
    component = Component(desk.store, HERE)

    news = [component.add_edge(Edge("w", "s", first, last)) for first, last in ((5, 6), (4, 9))]

    assert news == [True, False]
    assert [(edge.first, edge.last) for _, edge in component.rows("e")] == [(4, 9)]


def test_a_likeness_is_news_when_it_is_found_in_another_block(desk: Desk) -> None:
    """Its blocks and records are joined by union; a block that is closed takes it away only where it was the last."""
    component = Component(desk.store, HERE)
    one, other = Described("w", "r1", {"given": "ada"}, 7, last=7), Described("s", "r2", {"given": "ada"}, 3, last=3)

    news = [
        component.add_likeness(Likeness("w", "s", ("r1", "r2"), 9.0, 3, blocks, (7, 3)), (one, other))
        for blocks in (("a",), ("b",), ("a",))
    ]

    assert news == [True, True, False]
    assert component.likenesses().described == [other, one]
    assert component.add_closed("a")
    assert not component.add_closed("a")
    assert [likeness.blocks for likeness in component.likenesses().open()] == [("a", "b")]
    assert component.add_closed("b")
    assert component.likenesses().open() == []


def test_the_earliest_of_equal_descriptions_is_kept(desk: Desk) -> None:
    """Whichever comes first."""
    component = Component(desk.store, HERE)

    for at in (7, 3, 5):
        component.add_described(Described("w", "r", {"given": "ada"}, at))

    assert [row.at for _, row in component.rows("d")] == [3]


def test_every_ruling_is_kept_and_stays_undone(desk: Desk) -> None:
    """The same again says nothing; an undo does once, and then only if its id is smaller."""
    component = Component(desk.store, HERE)
    pair = "default/email:a", "default/email:b"
    undone = [None, None, "w2", None, "w3", "w1"]

    news = [component.add_ruling(Ruling(pair, "split", 5, "s1", "", by)) for by in undone]

    assert news == [True, False, True, False, False, True]
    assert component.add_ruling(Ruling(pair, "join", 5, "s2", ""))
    assert [(ruling.command, ruling.undone_by) for _, ruling in component.rows("a")] == [("s1", "w1"), ("s2", None)]


def test_a_touchpoint_is_kept_once_under_its_key(desk: Desk) -> None:
    """The same again changes nothing; what is said of others is a variant; an earlier sighting and a later anchor count."""
    component = Component(desk.store, HERE)
    one, other = touchpoint(1, "search", "phone:1", "cookie:c", event_id="x"), touchpoint(2, event_id="x")
    earlier = touchpoint(0.5, "search", "phone:1", "cookie:c", event_id="x", content=one.content)

    news = [component.add_variant(*said) for said in ((0, one), (0, one), (0, other), (1, one), (0, one), (0, earlier))]

    assert news == ["new", "known", "changed", "changed", "known", "changed"]
    held = component.get(held_name(one))
    assert held is not None
    assert (held.variant.index, held.variant.touchpoint, held.has_others) == (1, earlier, True)


@pytest.mark.usefixtures("_small_pieces")
def test_a_component_that_moves_leaves_only_a_redirect(desk: Desk) -> None:
    """Its timer too is gone; what was published travels first."""
    desk.meet(HERE, touchpoint(0))
    assert desk.timers()

    pieces = moved(desk)

    assert [name for name, _ in desk.component(HERE).rows("")] == ["h"]
    assert desk.component(HERE).header().redirect == THERE
    assert desk.timers() == []
    assert [piece.rows[0][0][0] for piece in pieces] == ["c", "m", "n", "t"]
    assert [(piece.number, piece.total) for piece in pieces] == [(n, 4) for n in range(4)]


@pytest.mark.usefixtures("_small_pieces")
@pytest.mark.parametrize("seed", range(5))
def test_half_a_component_says_nothing(desk: Desk, seed: int) -> None:
    """Its pieces wait in any order; the whole of it is the same person with the same moments, and nothing is taken back."""
    desk.meet(HERE, touchpoint(0, "search", "email:a", "cookie:c"), touchpoint(1, "order_paid", "cookie:c"))
    pieces = moved(desk)
    Random(seed).shuffle(pieces)

    said = [record for piece in pieces[:-1] for record in desk.tell(piece)]
    last = desk.tell(pieces[-1])

    assert said == []
    assert moments(last) == []
    assert not desk.component(THERE).rows("s")
    (person,) = desk.people(THERE).values()
    assert person.states["purchase"].phase == "purchase"


@pytest.mark.usefixtures("_small_pieces")
def test_pieces_on_their_way_follow_a_component_that_moves_on(desk: Desk) -> None:
    """Those that have arrived are sent after it; those that come later find the redirect."""
    onward = "default/cookie:onward"
    desk.meet(HERE, touchpoint(0))
    first, *rest = moved(desk)
    desk.tell(first)

    forwarded = moved(desk, THERE, onward)
    desk.tell(*forwarded)
    desk.sent.clear()
    desk.tell(*rest)
    desk.tell(*desk.sent)

    assert [(person.states["purchase"].phase) for person in desk.people(onward).values()] == ["interest"]
    assert not desk.component(onward).rows("s")


def test_a_component_is_told_up_to_the_time_that_it_brings_along(desk: Desk) -> None:
    """The clock of its new partition lags; a silence that has spoken is not unsaid."""
    desk.meet(HERE, touchpoint(0), now=100)
    (piece,) = moved(desk)
    other = Desk(desk.journeys.topology)

    said = other.tell(piece, now=1)

    assert moments(said) == []
    assert [person.fired for person in other.people(THERE).values()] == [NOON + 100 * HOUR]
    assert other.component(THERE).header().as_of == NOON + 100 * HOUR


def test_two_halves_that_said_different_things_of_one_id_say_the_truth_once_more(desk: Desk) -> None:
    """Last, and with a revision above both."""
    first = touchpoint(1)
    desk.meet(THERE, touchpoint(2, "order_paid"))
    desk.meet(HERE, first)
    (piece,) = moved(desk)

    said = desk.tell(piece)

    assert moments(said) == [("assert", "interest", "purchase", 2), ("retract", None, "purchase", 2)]
    (record,) = [one for one in said if isinstance(one, Customer)]
    assert record.revision > 2
    assert [one["phase"] for one in record.journeys] == ["purchase"]


def test_what_is_said_to_a_component_that_moved_is_passed_on(desk: Desk) -> None:
    """Every kind of it; who sends touchpoints and sights is told where it lives now."""
    t = touchpoint(0)
    desk.tell(*evidence(HERE, t))
    moved(desk)
    desk.sent.clear()
    ruling = Ruling(("default/email:a", "default/email:b"), "split", 3, "s1", "")

    desk.tell(
        m.AddTouchpoint(HERE, 0, t),
        m.AddSeen(HERE, "default/email:a", 1),
        m.AddEdge(HERE, "w", "s", 1, 2),
        m.AddLikeness(HERE, LIKENESS, RECORDS),
        m.AddClosed(HERE, "default/block:a"),
        m.AddRuling(HERE, ruling),
        m.AddGeneric(HERE, "default/email:a"),
        m.Piece(HERE, "default/cookie:x", 1, 2, 5, ()),
        m.Absorb(HERE, "default/cookie:x"),
    )

    assert desk.sent == [
        m.AddTouchpoint(THERE, 0, t),
        m.Compress("default/cookie:c", THERE),
        m.AddSeen(THERE, "default/email:a", 1),
        m.Compress("default/email:a", THERE),
        m.AddEdge(THERE, "w", "s", 1, 2),
        m.AddLikeness(THERE, LIKENESS, RECORDS),
        m.AddClosed(THERE, "default/block:a"),
        m.AddRuling(THERE, ruling),
        m.AddGeneric(THERE, "default/email:a"),
        m.Piece(THERE, "default/cookie:x", 1, 2, 5, ()),
    ]


def test_a_piece_that_comes_twice_does_no_harm(desk: Desk) -> None:
    """The component was joined already."""
    desk.meet(HERE, touchpoint(0))
    (piece,) = moved(desk)
    desk.tell(piece)
    before = desk.people(THERE)

    desk.tell(piece)

    assert desk.people(THERE) == before


def test_no_piece_grows_past_what_a_topic_takes(desk: Desk) -> None:
    """Large records close a piece early."""
    blob = "x" * 60_000
    desk.meet(HERE, *(touchpoint(n, event_id=f"e{n}", properties={"blob": blob}) for n in range(9)))

    pieces = moved(desk)

    sizes = [sum(len(name) + len(row) for name, row in piece.rows) for piece in pieces]
    assert len(pieces) > 1
    assert max(sizes) < 256 * 1024


def test_a_producer_that_uses_one_event_id_for_everything_does_not_fill_a_row(desk: Desk) -> None:
    """Of many statements under one key about the same identifiers only the earliest of each day can ever count: no other is kept."""
    blob = "x" * 1000

    for n in range(50):
        desk.meet(HERE, touchpoint(50 - n, event_id="1", properties={"n": n, "blob": blob}))

    rows = desk.component(HERE).rows("t")
    assert [held.variant.touchpoint.occurred_at for _, held in rows] == [NOON + at * HOUR for at in (36, 12, 1)]


def moved_rows(desk: Desk) -> list[tuple[str, bytes]]:
    """The rows of the component as they travel."""
    return [row for piece in moved(desk) for row in piece.rows]


def test_one_event_id_for_many_people_does_not_fill_a_row(desk: Desk) -> None:
    """Each statement about other identifiers is a row of its own, and no row is larger than one touchpoint."""
    blob = "x" * 60_000
    many = [touchpoint(n, "search", "cookie:c", f"phone:{n}", event_id="1", properties={"blob": blob}) for n in range(50)]

    desk.meet(HERE, *many)

    assert len(desk.component(HERE).rows("t")) == 50
    assert all(len(value or b"") < 62_000 for _, value in moved_rows(desk))


def test_a_statement_that_stays_when_the_first_under_its_key_goes_is_known_again(desk: Desk) -> None:
    """The first row stays without its statement: it says that there are others."""
    component = Component(desk.store, HERE)
    one, other = touchpoint(1, event_id="x"), touchpoint(2, "search", "cookie:c", "cookie:d", event_id="x")
    assert [component.add_variant(0, t) for t in (one, other)] == ["new", "changed"]

    component.drop_variants({held_name(one)}, dict(component.rows("t")))

    assert [component.add_variant(0, t) for t in (other, one)] == ["known", "changed"]
    component.drop_variants({name for name, _ in component.rows("t")}, dict(component.rows("t")))
    assert component.rows("t") == []


def test_what_was_said_of_other_identifiers_is_kept(desk: Desk) -> None:
    """Another person may own it one day."""
    one, other = touchpoint(1, event_id="x"), touchpoint(2, "search", "cookie:c", "cookie:d", event_id="x")

    component = Component(desk.store, HERE)

    assert [component.add_variant(0, t) for t in (one, other, one)] == ["new", "changed", "known"]


def test_what_the_other_half_said_of_a_person_is_put_right_though_nothing_else_changes_for_her(desk: Desk) -> None:
    """Here it is known that the telephone is nobody's; there its calls were taken for hers."""
    call = touchpoint(0, "search", "phone:1")
    for home in (HERE, THERE):
        desk.tell(m.AddSeen(home, "default/email:a", NOON), m.AddSeen(home, "default/phone:1", NOON + HOUR))
    desk.tell(m.AddGeneric(THERE, "default/phone:1"))
    said = desk.tell(m.AddEdge(HERE, "default/phone:1", "default/email:a", NOON, NOON), m.AddTouchpoint(HERE, 0, call))
    assert moments(said) == [("assert", None, "interest", 0)]
    (piece,) = moved(desk)

    said = desk.tell(piece)

    assert sorted(moments(said)) == [("assert", None, "interest", 0), ("retract", None, "interest", 0)]

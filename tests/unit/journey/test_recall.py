"""What is read back from the outputs after a loss: from whom it was, when it is heard, and what then becomes of it."""

from tests.unit.journey.desk import NOON, Desk, journey, moments, rule, topology, touchpoint
from touchstone.journey.recall import Book
from touchstone.model.component import NEVER
from touchstone.model.output import Customer, Moment

LOSS = NOON + 10 * 3_600_000
SHOP = topology(journey(rule("searched", "interest", "search"), rule("wanted", "decision", "cart_add")))
ROOT = "default/cookie:c"


def book_of(desk: Desk, *said: object) -> Book:
    """What the outputs hold."""
    book = Book(desk.journeys.ordering)
    for record in said:
        if isinstance(record, Moment | Customer):
            book.add(record)
    return book


def test_what_is_found_again_is_neither_taken_back_nor_said_again() -> None:
    """Until the replay has come to the time of the loss nothing is heard; then what was said anew has the last word."""
    before = Desk(SHOP)
    said = before.meet(ROOT, touchpoint(0), touchpoint(1, "cart_add"), now=10)
    book = book_of(before, *said)
    assert not book.find_origins()

    after = Desk(SHOP)
    after.wall = 100
    first = after.tell(*book.recalls(LOSS), now=0)
    again = after.meet(ROOT, touchpoint(0), touchpoint(1, "cart_add"), now=5)
    at_last = after.tell(now=10)

    assert first == at_last == []
    assert moments(again) == [("assert", None, "interest", 0), ("assert", "interest", "decision", 1)]
    assert [(name, at) for at, name in after.timers() if at == 10] == []


def test_what_is_not_found_again_is_retracted_when_the_time_of_the_loss_has_come() -> None:
    """The cart is not told again: what was said of it goes, with a higher revision."""
    before = Desk(SHOP)
    book = book_of(before, *before.meet(ROOT, touchpoint(0), touchpoint(1, "cart_add"), now=10))
    book.find_origins()

    after = Desk(SHOP)
    after.tell(*book.recalls(LOSS), now=0)
    after.meet(ROOT, touchpoint(0), now=9)
    said = after.tell(now=10)

    assert moments(said) == [("retract", "interest", "decision", 1)]
    assert all(record.revision > 1 for record in said if isinstance(record, Moment))


def test_a_replay_whose_clock_went_back_says_the_truth_again_as_the_last_word() -> None:
    """Readers believe the higher revision: it must be the one that is true now."""
    before = Desk(SHOP)
    before.wall = 1_000
    book = book_of(before, *before.meet(ROOT, touchpoint(0), now=10))
    book.find_origins()

    after = Desk(SHOP)
    after.tell(*book.recalls(LOSS), now=0)
    after.meet(ROOT, touchpoint(0), now=9)
    said = after.tell(now=10)

    assert moments(said) == [("assert", None, "interest", 0)]
    assert all(record.revision > 1_000 for record in said if isinstance(record, Moment | Customer))


def test_an_id_that_no_record_names_is_found_among_the_identifiers_of_touchpoints() -> None:
    """Of somebody whose component was just moving there may be moments and no record."""
    before = Desk(SHOP)
    said = before.meet(ROOT, touchpoint(0), now=1)
    book = book_of(before, *(record for record in said if isinstance(record, Moment)))

    missing = book.find_origins()
    book.trace(["default/cookie:other", ROOT])

    assert len(missing) == 1
    assert book.find_origins() == set()
    assert [recall.to for recall in book.recalls(NEVER)] == [ROOT]


def test_what_was_said_of_the_time_before_touchpoints_are_left_is_not_touched() -> None:
    """Only the lost state knew whether it is true: it stands, and so does the record of who was not seen since."""
    before = Desk(SHOP)
    old = before.meet("default/cookie:old", touchpoint(0, "search", "cookie:old"), now=1)
    both = before.meet(ROOT, touchpoint(0), touchpoint(6, "cart_add"), now=7)
    book = book_of(before, *old, *both)

    left = book.leave_before(NOON + 5 * 3_600_000)

    assert left == (2, 1)
    assert book.find_origins() == set()
    assert [recall.to for recall in book.recalls(NEVER)] == [ROOT]
    assert sorted(name[0] for recall in book.recalls(NEVER) for name, _ in recall.rows) == ["c", "m"]

"""How many dead letters of a channel stop a worker."""

from touchstone.contracts.reasons import INVALID_JSON, MISSING_FIELD
from touchstone.intake.limit import Tallies, Tally
from touchstone.topology.compile import DeadLetterLimit

LIMIT = DeadLetterLimit(refused=3, of=10, in_a_row=2)
ROOMY = DeadLetterLimit(refused=5, of=10, in_a_row=100)


def taken(tally: Tally, records: str) -> int:
    """How many of the records (`x` is refused) were taken before the tally said no."""
    for number, record in enumerate(records):
        if record == "x":
            if tally.refuse(INVALID_JSON) is not None:
                return number
        else:
            tally.used()
    return len(records)


def test_a_run_ends_with_the_first_usable_record() -> None:
    """Two in a row pass, a third does not; with a usable one between them all three do."""
    assert taken(Tally(LIMIT), "xxx") == 2
    assert taken(Tally(LIMIT), "xx.x") == 4


def test_the_share_is_judged_within_each_run_of_so_many_records() -> None:
    """Three of ten pass, the fourth does not; with the eleventh record the count begins anew."""
    assert taken(Tally(LIMIT), "x.x.x.x") == 6
    assert taken(Tally(LIMIT), "x.x.x.....x.x.x") == 15


def test_the_share_of_everything_never_stops() -> None:
    """`ratio: 1` with a run that cannot be reached: a flood passes."""
    assert taken(Tally(DeadLetterLimit(refused=10, of=10, in_a_row=1_000)), "x" * 500) == 500


def test_the_one_too_many_is_not_counted_so_it_is_refused_again() -> None:
    """A worker that starts again at the same record stops at the same record."""
    tally = Tally(ROOMY)
    taken(tally, "xxxxx")
    note = tally.note

    assert tally.refuse(INVALID_JSON) is not None
    assert tally.note == note
    assert Tally(ROOMY, note).refuse(INVALID_JSON) is not None


def test_a_note_goes_on_where_the_count_was_whatever_was_cut_in_between() -> None:
    """The verdict depends on the records alone: after every record handed on to a successor, it falls at the same one."""
    records = "x..xx.x.x.xx.xxxxx"
    tallies, stopped_at = Tallies(ROOMY), None
    for number, record in enumerate(records):
        note = tallies.note("web", 3)
        tallies = Tallies(ROOMY)
        tallies.resume("web", 3, note)
        if taken(tallies.of("web", 3), record) == 0:
            stopped_at = number
            break

    assert stopped_at == taken(Tally(ROOMY), records) < len(records)


def test_a_raised_limit_lets_the_same_record_pass() -> None:
    """What was counted stays; only what it is held against changes."""
    tally = Tally(LIMIT)
    taken(tally, "xx")

    assert Tally(ROOMY, tally.note).refuse(INVALID_JSON) is None


def test_notes_of_somebody_else_begin_anew() -> None:
    """A text that is no note, or a count beyond a smaller `of`, is no reason to stop."""
    for note in ("", "a b c", "1 2", "-1 0 0", "9 9 9 9", "٣ ٣ ٣", "99 50 0"):
        assert Tally(ROOMY, note).refuse(INVALID_JSON) is None


def test_the_verdict_says_how_many_of_how_many_and_why() -> None:
    """The sentence names both limits' numbers and the reasons, the most frequent first."""
    tally = Tally(ROOMY)
    taken(tally, "xx.xx")
    tally.refuse(MISSING_FIELD)

    verdict = tally.refuse(MISSING_FIELD)

    assert verdict is not None
    assert "dead letter number 6 among 7 records; limits.dead_letters allows 5 of 10" in verdict
    assert verdict.index("invalid_json (4)") < verdict.index("missing_field (2)")

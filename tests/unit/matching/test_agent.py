"""The match stage of one partition: blocks fill, are compared before the commit, and close."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.journey.desk import kinds
from touchstone.identity.ordering import Ordering
from touchstone.matching.agent import BATCH, Matcher, MatchPartition
from touchstone.matching.judge import judge_of
from touchstone.matching.records import make_record
from touchstone.model import message as m
from touchstone.model.component import MATCH_ROWS, Block, Described
from touchstone.observe.metrics import CLOSED_BLOCKS, COMPARED, LIKENESSES, WEIGHED_PAIRS, Counts
from touchstone.state.memory import DictBackend
from touchstone.state.rows import RowStore
from touchstone.topology.compile import Matching
from touchstone.topology.roles import Role

ROLES: dict[str, Role] = {"first": "given_name", "last": "family_name", "born": "birth_date", "code": "postcode"}
ADA = {"first": "Augusta", "last": "Lovelace", "born": "1975-12-10", "code": "24103"}
BLOCK, OTHER_BLOCK = "default/block:a", "default/block:b"


class Desk:
    """A partition whose blocks hold `limit` records, and what it says."""

    def __init__(self, limit: int = 3) -> None:
        judge = judge_of(Matching(ROLES, {}, None, limit, 0.9, 0.1, 50, None))
        self.store = RowStore(DictBackend(), MATCH_ROWS)
        self.counts = Counts()
        self.matcher = Matcher(judge, limit, Ordering(kinds()).strength, self.counts)
        self.partition = MatchPartition(self.store, self.matcher)
        self.said: list[Any] = []

    def tell(self, *records: Described, block: str = BLOCK) -> None:
        """Records come into a block."""
        for record in records:
            self.partition.handle(m.Compare(block, record), self.said.append)

    def compare(self) -> list[Any]:
        """What is said before the commit, with what was said before."""
        self.matcher.compare(self.said.append)
        said, self.said = self.said, []
        return said


@pytest.fixture
def desk() -> Desk:
    """A partition of small blocks."""
    return Desk()


def described(identifier: str, at: int = 5, stated: Mapping[str, str] = ADA) -> Described:
    """A record of an identifier, as identity sends it."""
    record = make_record(identifier, stated, ROLES)
    return Described(f"default/{identifier}", "+".join(record.values.values()), record.values, at, identifier, at)


def test_two_that_look_alike_are_told_to_the_weaker_identifier(desk: Desk) -> None:
    """With both records, the score, since when both are known, and the blocks where they met."""
    one, other = described("user_id:a", 7), described("email:b", 5, ADA | {"last": "Lovlace"})
    desk.tell(one, other)
    desk.tell(other, one, block=OTHER_BLOCK)

    (match,) = desk.compare()

    assert match.to == "default/email:b"
    assert match.records == (other, one)
    assert match.is_accepted
    assert (match.likeness.weak, match.likeness.strong, match.likeness.at) == ("default/email:b", "default/user_id:a", 7)
    assert match.likeness.blocks == (BLOCK, OTHER_BLOCK), "a pair that meets twice is weighed once"


def test_nothing_is_said_before_the_comparison_nor_twice(desk: Desk) -> None:
    """What was compared is not compared again, and a record that comes again is no news; an earlier one is."""
    one, other = described("user_id:a", 2), described("email:b")
    desk.tell(one, other)
    assert desk.said == []
    assert len(desk.compare()) == 1

    desk.tell(one, other)
    assert desk.compare() == []

    desk.tell(described("email:b", 3))
    (match,) = desk.compare()
    assert match.likeness.at == 3


def test_records_of_one_identifier_are_not_compared_with_each_other(desk: Desk) -> None:
    """She is herself already."""
    desk.tell(described("user_id:a"), described("user_id:a", 5, ADA | {"code": "89073"}))

    assert desk.compare() == []


def test_who_does_not_look_alike_is_not_said(desk: Desk) -> None:
    """A block is only a place to meet."""
    desk.tell(described("user_id:a"), described("email:b", 5, {"first": "Byron", "last": "King", "born": "2006-01-01", "code": "10115"}))

    assert desk.compare() == []


def test_a_block_past_its_limit_closes_for_ever_and_says_so(desk: Desk) -> None:
    """Those who were told of a likeness in it hear; its records go, and what comes later is not looked at."""
    desk.tell(described("user_id:a"), described("email:b"))
    assert len(desk.compare()) == 1
    desk.tell(described("email:c", 5, {"first": "Byron"}), described("email:d", 5, {"first": "Ann"}))

    assert desk.said == [m.Close("default/email:b", BLOCK)]
    assert [name for name, _ in desk.store.scan(BLOCK, "")] == ["h"]
    desk.said.clear()
    desk.tell(described("email:e"), described("email:f"))
    assert desk.compare() == []


def test_a_block_that_closes_before_the_comparison_links_nobody(desk: Desk) -> None:
    """Its records are gone when it is their turn."""
    desk.tell(*(described(f"email:{n}") for n in range(4)))

    assert desk.compare() == []


def test_a_full_batch_is_compared_at_once(desk: Desk) -> None:
    """A transaction may bring more records than one comparison should take; who is the first in a block does not wait."""
    for n in range(BATCH - 1):
        herself = [described(f"email:{n}", 5, {"first": f"Name{n}", "code": code}) for code in ("24103", "89073")]
        desk.tell(*herself, block=f"default/block:{n}")
    desk.tell(described("user_id:a"))
    assert desk.said == []
    desk.tell(described("phone:b"))

    assert [match.to for match in desk.said] == ["default/phone:b"]


def test_what_waits_is_dropped_with_its_partition(desk: Desk) -> None:
    """It is somebody else's to compare: the records are in the rows."""
    desk.tell(described("user_id:a"), described("email:b"))
    desk.matcher.forget()

    assert desk.compare() == []


def test_what_was_compared_found_and_closed_is_counted_before_the_commit(desk: Desk) -> None:
    """Once for each block that a record came to; what comes to a closed block is counted as such, and nothing twice."""
    desk.tell(described("user_id:a"), described("email:b"), described("phone:c", 5, {"first": "Byron", "last": "King", "code": "10115"}))
    desk.compare()
    desk.tell(described("email:d"), described("email:e"))
    desk.compare()
    desk.compare()

    assert desk.counts.of(COMPARED, "open") == 3
    assert desk.counts.of(COMPARED, "closed") == 1
    assert desk.counts.of(WEIGHED_PAIRS) == 3
    assert (desk.counts.of(LIKENESSES, "accepted"), desk.counts.of(LIKENESSES, "review")) == (1, 0)
    assert desk.counts.of(CLOSED_BLOCKS) == 1
    assert desk.matcher.seconds > 0


def test_what_was_met_before_the_partition_went_is_not_counted(desk: Desk) -> None:
    """Its transaction did not come about."""
    desk.tell(*(described(f"email:{n}") for n in range(5)))
    desk.matcher.forget()
    desk.compare()

    assert desk.counts.items() == []


def test_who_was_forgotten_before_she_came_is_forgotten_also_after_a_commit(desk: Desk) -> None:
    """A withdrawal that overtakes the record finds an empty block; what it leaves there is found again from disk."""
    late = described("email:b")
    desk.partition.handle(m.Withdraw(BLOCK, late.identifier, late.record, 9), desk.said.append)
    desk.store.seal()
    desk.store.commit(1)
    desk.store.rollback()  # nothing is in memory any more

    desk.tell(late, described("user_id:a"))

    assert desk.compare() == []


def withdraw(desk: Desk, identifier: str, record: Described, until: int) -> None:
    """A record is forgotten up to then."""
    desk.partition.handle(m.Withdraw(BLOCK, f"default/{identifier}", record.record, until), desk.said.append)


def test_what_a_closed_block_has_held_leaves_the_disk_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows were deleted when it closed; their bytes may lie on the disk until somebody asks for them to go."""
    scrubbed: list[str] = []
    monkeypatch.setattr(desk.store, "scrub", scrubbed.append)
    desk.tell(*(described(f"email:{n}") for n in range(4)))

    withdraw(desk, "email:0", described("email:0"), 5)

    assert scrubbed == [BLOCK]


def test_a_record_that_is_forgotten_leaves_nothing_but_that_it_was_there(desk: Desk) -> None:
    """Its values go, whoever was told of a likeness hears of it, nobody meets it, and it still counts for the limit of the block."""
    one, other = described("user_id:a"), described("email:b")
    desk.tell(one, other)
    assert len(desk.compare()) == 1

    withdraw(desk, "user_id:a", one, 5)

    assert desk.said == [m.Drop("default/email:b", "default/user_id:a", one.record, 5)]
    kept = [placed.described for _, placed in desk.store.scan(BLOCK, "r") if placed.described.identifier == "default/user_id:a"]
    assert [(described.values, described.value) for described in kept] == [({}, None)]
    desk.said.clear()
    desk.tell(one, described("phone:c"))
    assert [match.records[0].identifier for match in desk.compare()] == ["default/phone:c"]
    desk.tell(described("phone:d"))
    assert {type(said) for said in desk.said} == {m.Close}, "the fourth record, with that of who was forgotten"


def test_what_is_stated_again_after_it_was_forgotten_is_known_again(desk: Desk) -> None:
    """Whichever of the two comes first."""
    one, again, other = described("user_id:a", 5), described("user_id:a", 9), described("email:b")
    first, second = Desk(), Desk()
    for there in (first, second):
        there.tell(other)
    first.tell(one)
    withdraw(first, "user_id:a", one, 7)
    first.tell(again)
    withdraw(second, "user_id:a", one, 7)
    second.tell(again, one)

    for there in (first, second):
        found = [said for said in there.compare() if isinstance(said, m.Match)]
        assert [(match.likeness.weak, match.likeness.lasts) for match in found] == [("default/email:b", (5, 9))]
        assert there.store.get(BLOCK, "h") == Block(2)

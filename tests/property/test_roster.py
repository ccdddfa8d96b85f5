"""Law: 750 people with four ids each come out as exactly these people, in whatever order and however often their touchpoints arrive."""

import json
from collections import Counter
from random import Random

import pytest

from touchstone.devkit.roster import Member, members, touchpoints
from touchstone.simulate import LINES_AT_ONCE, Twin
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.view import FinalView

TOPOLOGY = load_topology(default_topology_path())
PEOPLE = members()
TRUTH = {frozenset(member.pairs) for member in PEOPLE}


def found(lines: list[bytes], partitions: int) -> list[frozenset[tuple[str, str]]]:
    """The ids of each active customer in the end."""
    view = FinalView()
    twin = Twin(TOPOLOGY, view.apply, partitions=partitions)
    for start in range(0, len(lines), LINES_AT_ONCE):
        twin.feed(lines[start : start + LINES_AT_ONCE])
    active = [customer for customer in view.customers.values() if customer.status == "active"]
    return [frozenset((row["kind"], row["value"]) for row in customer.identifiers) for customer in active]


def test_there_are_750_people_and_no_id_belongs_to_two() -> None:
    """The truth that is measured against is one."""
    ids = Counter(pair for member in PEOPLE for pair in member.pairs)

    assert len(PEOPLE) == len(TRUTH) == 750
    assert len(ids) == 3_000
    assert set(ids.values()) == {1}


def test_no_touchpoint_shows_two_people_and_none_shows_more_than_two_ids() -> None:
    """Nobody is connected by what would also connect others; and nobody could be told from one touchpoint."""
    owner: dict[tuple[str, str], Member] = {pair: member for member in PEOPLE for pair in member.pairs}
    shown = [list(json.loads(line)["identifiers"].items()) for line in touchpoints(PEOPLE, 7)]

    assert {len(pairs) for pairs in shown} == {1, 2}
    assert all(len({owner[pair] for pair in pairs}) == 1 for pairs in shown)
    assert {pair for pairs in shown for pair in pairs} == set(owner)
    assert touchpoints(PEOPLE, 7) == touchpoints(PEOPLE, 7) != touchpoints(PEOPLE, 8)


@pytest.mark.parametrize(("partitions", "seed"), [(1, 1), (3, 2), (12, 3), (12, 4)])
def test_they_come_out_as_exactly_750_people_with_exactly_their_four_ids(partitions: int, seed: int) -> None:
    """Any order, a fifth of all twice, 1, 3 and 12 partitions: nobody is in two, nobody is two in one, no id is missing or foreign."""
    random = Random(seed)
    lines = touchpoints(PEOPLE, seed, alone=2)
    lines += random.sample(lines, len(lines) // 5)
    random.shuffle(lines)

    people = found(lines, partitions)

    assert len(people) == 750
    assert set(people) == TRUTH

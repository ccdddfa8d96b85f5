"""Law: every shipped data set ends in the same view in any order, on any number of partitions."""

import json
from random import Random

import pytest

from touchstone.contracts.times import milliseconds
from touchstone.devkit.datasets import DATASETS, read_lines
from touchstone.model.component import NEVER
from touchstone.simulate import LINES_AT_ONCE, Twin
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.view import Final, FinalView, diff

TOPOLOGY = load_topology(default_topology_path())


def received(line: bytes) -> int:
    """When a touchpoint was received, or occurred."""
    fields = json.loads(line)
    return milliseconds(fields.get("received_at") or fields["occurred_at"])


def told(lines: list[bytes], partitions: int) -> tuple[int, Final]:
    """What readers believe in the end."""
    view = FinalView()
    twin = Twin(TOPOLOGY, view.apply, partitions=partitions)
    for start in range(0, len(lines), LINES_AT_ONCE):
        twin.feed(lines[start : start + LINES_AT_ONCE])
    return twin.now, view.final(twin.now, TOPOLOGY.retention_ms)


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] if name == "adobe-luma" else []) for name in DATASETS])
def test_four_orders_on_1_3_and_12_partitions_end_in_the_same_view(name: str) -> None:
    """As in the file, as received, and shuffled twice."""
    lines = list(read_lines(name))
    first, second = list(lines), list(lines)
    Random(1).shuffle(first)
    Random(2).shuffle(second)
    as_of, truth = told(lines, 1)

    others = [told(sorted(lines, key=received), 3), told(first, 12), told(second, 3)]

    assert truth["customers"]
    assert as_of > NEVER
    assert [at for at, _ in others] == [as_of] * 3
    assert [diff(view, truth) for _, view in others] == [[], [], []]

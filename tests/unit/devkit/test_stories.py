"""The stories of the demo, told to the offline twin."""

import json

import pytest

from touchstone.devkit.stories import in_order_of_receipt, received_at, stories_after
from touchstone.model.output import Moment
from touchstone.simulate import simulate
from touchstone.topology.load import default_topology_path, load_topology

DATA_END = 1_671_715_600_000
"""2022-12-22T13:26:40Z, the latest receipt among the demo's data sets."""


def test_both_stories_end_with_one_purchase_and_every_wrong_word_taken_back() -> None:
    """What the demo waits for does come: an abandonment asserted and retracted, two strangers' orders retracted, two purchases."""
    stories = stories_after(DATA_END)
    topology = load_topology(default_topology_path())

    simulation = simulate(stories.lines, topology, lines_at_once=1)

    moments = [record for record in simulation.records if isinstance(record, Moment)]
    retracted = sorted(moment.rule for moment in moments if moment.action == "retract")
    assert retracted == ["abandoned", "purchased", "purchased"]
    assert all(moment.corrects == "merge" for moment in moments if moment.action == "retract")
    standing = sorted((m["from_phase"] or "start", m["to_phase"]) for m in simulation.final["moments"])
    assert standing == sorted([("start", "interest"), ("interest", "decision"), ("decision", "purchase")] * 2)
    assert len(simulation.final["customers"]) == 3
    assert not simulation.final["deadletters"]


def test_the_stories_lie_behind_the_data_and_in_order() -> None:
    """They move the clock forward only; otherwise they would be late, and no deadline would pass."""
    times = [received_at(line) for line in stories_after(DATA_END).lines]

    assert all(at is not None and at > DATA_END for at in times)
    later = times[5:]
    assert later == sorted(later, key=lambda at: at or 0)


def test_a_story_names_its_touchpoints_as_moments_do() -> None:
    """Source and event id, so that the demo knows which moment a touchpoint has caused."""
    story = stories_after(0).known_too_late

    stated = [json.loads(line) for line in story.before]

    assert [f"{each['channel']}/{each['event_id']}" for each in stated] == list(story.names)


@pytest.mark.parametrize(
    ("line", "at"),
    [
        (b'{"occurred_at": 5, "received_at": 7}', 7),
        (b'{"occurred_at": 5, "attributes": {"received_at": "1970-01-01T00:00:01Z"}}', 1000),
        (b'{"occurred_at": 5}', 5),
        (b'{"occurred_at": "yesterday"}', None),
        (b"{}", None),
        (b"[]", None),
        (b"{torn", None),
    ],
    ids=["stated", "among attributes", "occurred", "not a time", "nothing", "no object", "no JSON"],
)
def test_the_time_of_a_line_is_its_receipt_or_else_its_occurrence(line: bytes, at: int | None) -> None:
    """A line that says no time has none; nothing is raised."""
    assert received_at(line) == at


def test_lines_are_ordered_by_receipt() -> None:
    """What has no time comes first, equal times stay as they were."""
    lines = [b'{"occurred_at": 9}', b'{"occurred_at": 3, "n": 1}', b"garbage", b'{"occurred_at": 3, "n": 2}']

    assert in_order_of_receipt(lines) == [lines[2], lines[1], lines[3], lines[0]]

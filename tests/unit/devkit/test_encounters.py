"""The stories of `make demo-identity`, told to the offline twin."""

from touchstone.devkit.encounters import encounters, who_topology_path
from touchstone.devkit.roster import members
from touchstone.model.output import Moment, Review
from touchstone.simulate import simulate
from touchstone.topology.load import load_topology

STORIES = encounters()
TOPOLOGY = load_topology(who_topology_path())


def test_everything_that_the_demo_waits_for_comes() -> None:
    """A provisional moment that becomes sure, an open review, an order taken for another's; nothing is refused."""
    lines = STORIES.lines[len(STORIES.crowd) :]

    simulation = simulate(lines, TOPOLOGY, lines_at_once=1)

    of_the_caller = [m for m in simulation.records if isinstance(m, Moment) and STORIES.caller.name in m.touchpoints]
    assert [(m.action, m.provisional) for m in of_the_caller] == [("assert", True), ("assert", False)]
    open_pairs = {
        frozenset(each["value"] for each in r.identifiers) for r in simulation.records if isinstance(r, Review) and r.status == "open"
    }
    assert frozenset({"augusta", "L7"}) in open_pairs
    of_the_tablet = [m for m in simulation.records if isinstance(m, Moment) and STORIES.brothers[1].name in m.touchpoints]
    assert sorted((m.action, m.corrects or "") for m in of_the_tablet) == [("assert", ""), ("assert", "merge"), ("retract", "merge")]
    assert not simulation.final["deadletters"]


def test_the_crowd_is_everybody_in_an_order_that_the_seed_decides() -> None:
    """No device is left out, and the stories come after the crowd in time as in order."""
    again, other = encounters(), encounters(seed=8)

    assert STORIES.people == tuple(members())
    assert again.crowd == STORIES.crowd != other.crowd
    assert sorted(STORIES.crowd) != list(STORIES.crowd)
    assert STORIES.lines[: len(STORIES.crowd)] == STORIES.crowd

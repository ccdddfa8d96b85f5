"""What the demo of who is who says in the end, and when it calls a promise broken."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from touchstone.cli.demo import demo
from touchstone.cli.output import Output
from touchstone.cli.who_acts import Recognised, Split, recognised
from touchstone.cli.who_demo import WhoOutcome, tell
from touchstone.devkit.encounters import encounters, who_topology_path
from touchstone.model.output import Customer
from touchstone.simulate import simulate
from touchstone.topology.load import load_topology

WELL = WhoOutcome(750, Recognised(750, 750, 8.04), Split(b"{}", 1, is_as_shown=True), [], 0, {"kafka": 3.0, "people": 8.0})


def test_the_end_says_how_long_it_took_and_that_the_twin_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    """Where all is as promised, nothing else is said."""
    tell(WELL, Output())

    said = capsys.readouterr().out.split("\n")
    assert WELL.broken == []
    assert said == ["", "seconds: kafka 3.0, people 8.0", "equal to the offline twin: yes", ""]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"found": Recognised(751, 749, 8.0)}, "expected 750 people, each with exactly their ids, found 751, of whom 749 are so"),
        ({"found": Recognised(750, 748, 8.0)}, "expected 750 people, each with exactly their ids, found 750, of whom 748 are so"),
        ({"split": Split(b"{}", 1, is_as_shown=False)}, "what the steward was shown was not all said"),
        ({"split": Split(b"{}", 0, is_as_shown=True)}, "expected a moment that is taken back by the split, found none"),
        ({"differences": ["moment m1: only in live: …"]}, "live system and twin differ in 1 places"),
        ({"repeated": 2}, "2 revisions were seen twice"),
    ],
    ids=["one too many", "confused", "not as shown", "nothing taken back", "the twin differs", "said twice"],
)
def test_a_broken_promise_is_named(changed: dict[str, Any], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each by itself, in words, for people and for programs."""
    outcome = WELL._replace(**changed)

    tell(outcome, Output())
    tell(outcome, Output(is_json=True))

    *said, program = capsys.readouterr().out.splitlines()
    assert outcome.broken == [why]
    assert f"✗ {why}" in said
    assert json.loads(program)["broken"] == [why]
    assert json.loads(program)["equal"] == ("differences" not in changed)


def test_people_are_counted_and_held_against_those_who_are() -> None:
    """Somebody with an id of another's is a person, but not the expected one; who was merged away is nobody."""
    people = encounters().people[:3]
    owned = {pair for member in people for pair in member.pairs}
    lines = [line for line in encounters().crowd if owned & set(json.loads(line)["identifiers"].items())]
    said = simulate(lines, load_topology(who_topology_path())).records
    last = {record.customer_id: record for record in said if isinstance(record, Customer)}
    truth = [frozenset(member.pairs) for member in people]

    found = recognised(list(last.values()), truth, 1.0)
    wrong = recognised(list(last.values()), [truth[0], truth[1] | truth[2]], 1.0)

    assert found == Recognised(3, 3, 1.0)
    assert wrong == Recognised(3, 1, 1.0)


def test_only_the_other_demo_can_be_kept() -> None:
    """Asked for both, it says so before anything is started."""
    result = CliRunner().invoke(demo, ["--identity", "--keep"], obj=Output())

    assert result.exit_code == 2
    assert "--keep is for the demo without --identity" in result.output

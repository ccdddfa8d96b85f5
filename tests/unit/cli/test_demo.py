"""How the demo shows what goes on, and what it says in the end."""

import json

import pytest
from rich.console import Console

from tests.unit.devkit.test_audience import moment
from touchstone.cli.acts import Crowd, Pace
from touchstone.cli.demo import Outcome, _tell
from touchstone.cli.output import Output
from touchstone.cli.stage import Scene, Stage
from touchstone.devkit.audience import Tally

CROWD = Crowd(victim="w2", unread=1_200, undecided=4, pause_s=6.25, seconds=12.0, rate=4_000.4)


def outcome(differences: list[str] | None = None, repeated: int = 0) -> Outcome:
    """A demo in which one moment was said and taken back, and another stands."""
    tally = Tally([moment(), moment(revision=2, action="retract", corrects="merge"), moment(moment_id="m2", to_phase="purchase")])
    return Outcome(23_897, 9, CROWD, tally, differences or [], repeated, {"kafka": 3.0, "workers": 4.0})


def test_where_nobody_looks_there_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """Not one for every look, and no control characters."""
    stage = Stage(Output(), Tally([moment()]))

    with stage:
        for read in range(100):
            stage.show(Scene(total=1_000, sent=500, read=read, rate=123.4, note="w2 is dead"))

    said = capsys.readouterr().out
    assert said == (
        "500 of 1,000 touchpoints sent, 0 read and committed (123/s now); heard so far: 0 people, 0 merges, 1 moments, 0 taken back, "
        "0 dead letters; w2 is dead\n"
    )


def test_the_pace_is_that_of_the_last_seconds() -> None:
    """While a worker is dead the figure says so; an average since the beginning would sink for as long as one looks."""
    pace = Pace(0.0)

    told = [pace.now(second, read) for second, read in ((1.0, 1_000), (2.0, 3_000), (4.0, 7_000), (7.0, 7_000), (8.0, 7_500))]

    assert told == [1_000, 1_500, 2_000, 0, 125]


def test_in_a_terminal_there_is_one_picture_that_goes_when_it_is_over() -> None:
    """With bars, figures and the latest moments; what is said meanwhile stays above it."""
    output = Output()
    output.stdout = Console(force_terminal=True, width=120, record=True, force_interactive=True)
    stage = Stage(output, Tally([moment()]))

    with stage:
        stage.show(Scene(total=1_000, sent=500, read=250, rate=123.4))
        stage.say("worker w2 is killed")
        picture = stage._picture(Scene(total=1_000, sent=500, read=250, rate=123.4, note="w2 is dead"))
    plain = Console(width=120, record=True)
    plain.print(picture)

    shown = plain.export_text()
    assert "250 of 1,000" in shown
    assert "start → interest" in shown
    assert "w2 is dead" in shown
    assert "worker w2 is killed" in output.stdout.export_text()


def test_a_program_sees_nothing_of_the_show(capsys: pytest.CaptureFixture[str]) -> None:
    """Only results belong on its standard output."""
    stage = Stage(Output(is_json=True), Tally())

    with stage:
        stage.say("look!")
        stage.show(Scene(1, 1, 1, 1.0))

    assert capsys.readouterr().out == ""


def test_the_end_is_a_table_and_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """Moments by kind and phase, corrections by cause, and whether the twin agrees."""
    _tell(outcome(), Output())

    said = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "touchpoints 23,897 (the crowd's 23,888, the stories' 9)" in said
    assert "moments: transition → purchase 1" in said
    assert "statements that correct 1 (merge 1)" in said
    assert said[-1] == "equal to the offline twin: yes"


def test_a_difference_is_shown_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    """No is no, with what differs."""
    _tell(outcome(["moment m1: only in live: …"]), Output())

    said = capsys.readouterr().out
    assert "moment m1: only in live" in said
    assert "equal to the offline twin: no, 1 differences" in said


def test_a_program_gets_the_final_table_as_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    """With the names that a script would look for."""
    _tell(outcome(repeated=1), Output(is_json=True))

    told = json.loads(capsys.readouterr().out)
    assert told["equal"] is False
    assert told["moments"] == [{"kind": "transition", "phase": "purchase", "count": 1}]
    assert told["killed"] == {"worker": "w2", "unread": 1_200, "undecided": 4, "pause_s": 6.2}
    assert (told["taken_back"], told["rate"]) == (1, 4_000)

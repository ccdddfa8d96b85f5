"""Text for people, JSON Lines for programs."""

import msgspec
import pytest

from touchstone.cli.output import Output


def test_a_result_is_a_line_of_json_or_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Never both; a result without a text is for programs only."""
    for output in (Output(), Output(is_json=True)):
        output.emit({"customer": "c1", "at": 5}, "c1 decided")
        output.emit({"internal": True})

    told = capsys.readouterr().out.splitlines()
    assert told == ["c1 decided", '{"customer":"c1","at":5}', '{"internal":true}']


def test_a_table_is_one_object_a_row_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """With the columns as names; people see the numbers grouped and on the right."""
    rows = [("purchase", 12345), ("use", 6)]
    Output().table(["phase", "moments"], rows, title="Moments")
    text = capsys.readouterr().out
    Output(is_json=True).table(["phase", "moments"], rows)
    lines = capsys.readouterr().out.splitlines()

    assert "12,345" in text
    assert text.splitlines()[-1].rstrip().endswith(" 6")
    assert [msgspec.json.decode(line) for line in lines] == [{"phase": "purchase", "moments": 12345}, {"phase": "use", "moments": 6}]


def test_brackets_and_long_lines_come_out_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """A customer's words are no markup, and whoever reads a pipe wants whole lines."""
    text = "[bold]rules[2][/bold] :smile: " + "x" * 100

    Output().text(text)

    assert capsys.readouterr().out == text + "\n"


def test_progress_is_silent_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a file nor a program gets a bar."""
    for output in (Output(), Output(is_json=True)):
        with output.progress("sending", 2) as show:
            show(1)
            show(2, 2)

    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")

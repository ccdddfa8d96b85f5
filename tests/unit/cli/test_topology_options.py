"""Commands mean the topology and the topics of the workers beside which they are called."""

from collections.abc import Iterable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from touchstone.cli.main import cli
from touchstone.cli.simulate import simulate

VARIABLES = {"topology": "TOUCHSTONE_TOPOLOGY", "topic_prefix": "TOUCHSTONE_TOPIC_PREFIX"}


def options(command: click.Command, path: str = "touchstone") -> Iterable[tuple[str, click.Option]]:
    """All options of a command and of those below it, with the path to each."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from options(below, f"{path} {name}")
    yield from ((f"{path} {each.opts[0]}", each) for each in command.params if isinstance(each, click.Option))


def test_every_command_listens_to_the_variables_of_the_workers() -> None:
    """In a worker's pod they are set already, and `deadletters replay` must not judge by the shipped topology there."""
    meant = [(path, each) for path, each in options(cli) if each.name in VARIABLES]

    assert len(meant) > 20
    assert [path for path, each in meant if each.envvar != VARIABLES[each.name or ""]] == []


def test_the_topology_of_the_variable_is_the_one_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it had been given on the command line."""
    monkeypatch.setenv("TOUCHSTONE_TOPOLOGY", str(tmp_path / "ours.yaml"))

    result = CliRunner().invoke(simulate, ["adobe-luma"])

    assert "ours.yaml" in str(result.exception)

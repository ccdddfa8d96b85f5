"""How quickly, and how quietly, the command line starts: what it must not load, and Ctrl-C while it loads."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from touchstone.cli.main import COMMANDS, cli

ENGINE = ("faust", "mode", "aiokafka", "aiohttp")
"""Kafka's libraries; they alone take a second."""
HEAVY = (*ENGINE, "rocksdict", "jgo", "requests", "pydantic", "ruamel", "rich.progress", "structlog", "fastavro")


def run(program: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in an interpreter of its own."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*map(str, paths), *sys.path])}
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--help"], HEAVY),
        (["--version"], HEAVY),
        (["validate", "--output", "json"], (*ENGINE, "rocksdict", "jgo", "requests", "rich.progress")),
        (["simulate", "--help"], (*ENGINE[:2], "jgo", "requests", "rich.progress")),
        (["tail", "--help"], (*ENGINE[:2], "jgo", "requests", "ruamel", "rich.progress")),
        (["produce", "--help"], (*ENGINE[:2], "jgo", "requests", "rich.progress")),
        (["inspect", "--help"], (*ENGINE[:2], "jgo", "requests", "rich.progress")),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_command_loads_only_what_it_uses(arguments: list[str], unwanted: tuple[str, ...]) -> None:
    """Whoever asks for help does not wait for Kafka's libraries."""
    ended = run(
        "import sys\nfrom touchstone.cli.main import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as left:\n    assert not left.code\n"
        f"print('loaded:', *(name for name in {unwanted!r} if name in sys.modules), file=sys.stderr)"
    )

    assert ended.stderr.splitlines() == ["loaded:"]


def test_ctrl_c_while_the_command_line_loads_shows_no_traceback(tmp_path: Path) -> None:
    """It ends as any other program does."""
    (tmp_path / "click.py").write_text(
        "import os, signal\nprint('loading', flush=True)\nos.kill(os.getpid(), signal.SIGINT)\nprint('on')\n"
    )

    ended = run("from touchstone.cli.start import main; main()", tmp_path)

    assert (ended.stdout, ended.stderr) == ("loading\n", "")
    assert ended.returncode == -2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_help_lists_can_be_loaded(name: str) -> None:
    """The list is written by hand; the modules are what it says."""
    command = cli.get_command(click.Context(cli), name)

    assert command is not None
    assert command.name == name


def every_command() -> list[tuple[str, ...]]:
    """The words of every command and group."""
    found: list[tuple[str, ...]] = [()]
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        found += [(name,), *((name, inner) for inner in getattr(command, "commands", ()))]
    return found


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_help_fits_a_terminal_of_80_columns(words: tuple[str, ...]) -> None:
    """Examples, too."""
    command: click.Command = cli
    context = click.Context(cli, info_name="touchstone", terminal_width=80)
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(context, word)
        assert found is not None
        command, context = found, click.Context(found, context, word)

    assert [line for line in command.get_help(context).splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["simulat"], "No such command 'simulat'; did you mean 'simulate'?"),
        (["topics", "aply"], "No such command 'aply'; did you mean 'apply'?"),
        (["xyz"], "No such command 'xyz'; there are demo, validate, "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_misspelt_command_is_answered_with_the_nearest_one(words: list[str], said: str) -> None:
    """Or with all there are."""
    with pytest.raises(click.UsageError) as refused:
        cli.main(words, standalone_mode=False)

    assert said in refused.value.format_message()

"""The options `--topology` and `--topic-prefix` of commands beside the workers, and the names that follow from them.

They listen to the variables that workers listen to, so that a command in a worker's pod means the worker's topics.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from touchstone.topology.topics import Topics

_F = TypeVar("_F", bound=Callable[..., Any])


def prefix_option(command: _F) -> _F:
    """Give a command `--topic-prefix TEXT`, as the workers were given it; it receives `topic_prefix: str`."""
    return click.option(
        "--topic-prefix",
        default="",
        metavar="TEXT",
        envvar="TOUCHSTONE_TOPIC_PREFIX",
        show_envvar=True,
        help="what the workers put before the names of their topics",
    )(command)


def topology_option(what_for: str = "", **how: Any) -> Callable[[_F], _F]:
    """Give a command `--topology FILE`, as the workers were given it; it receives `topology`, what `how` makes of it."""
    return click.option(
        "--topology",
        type=click.Path(path_type=Path),
        metavar="FILE",
        envvar="TOUCHSTONE_TOPOLOGY",
        show_envvar=True,
        help=f"{what_for}by default the shipped topology",
        **how,
    )


def output_topics(prefix: str) -> Topics:
    """The names of the output topics under a prefix."""
    return Topics(**{what: prefix + name for what, name in asdict(Topics()).items()})

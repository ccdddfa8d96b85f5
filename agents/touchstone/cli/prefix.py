"""The option `--topic-prefix` of commands that only read or write topics, and the names that follow from it."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

import click

from touchstone.topology.topics import Topics

_F = TypeVar("_F", bound=Callable[..., Any])


def prefix_option(command: _F) -> _F:
    """Give a command `--topic-prefix TEXT`, as the workers were given it; it receives `topic_prefix: str`."""
    return click.option("--topic-prefix", default="", metavar="TEXT", help="what the workers put before the names of their topics")(command)


def output_topics(prefix: str) -> Topics:
    """The names of the output topics under a prefix."""
    return Topics(**{what: prefix + name for what, name in asdict(Topics()).items()})

"""The options that say which topology and whose topics a command means, and the names that follow from them.

All listen to the variables that workers listen to, so that a command in a worker's pod means the worker's topics.
"""

import shlex
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click

from touchstone.topology.compile import Topology
from touchstone.topology.prefix import prefixed
from touchstone.topology.topics import Topics

_F = TypeVar("_F", bound=Callable[..., Any])
_APP = "touchstone"


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


def prefix_option(command: _F) -> _F:
    """Give a command `--topic-prefix TEXT`, as the workers were given it; it receives `topic_prefix: str`."""
    return _prefix("what the workers put before the names of their topics")(command)


def app_options(command: _F) -> _F:
    """Give a command `--topology`, `--app`, `--partitions` and `--topic-prefix`; it receives `topology: Topology` and `app: str`."""
    for option in (
        click.option(
            "--app",
            default=_APP,
            show_default=True,
            envvar="TOUCHSTONE_APP",
            show_envvar=True,
            help="application id: consumer group, prefix of own topics",
        ),
        _prefix(
            "put before the name of every channel and output topic: a trial beside the real thing",
            expose_value=False,
            is_eager=True,
            callback=_remember,
        ),
        click.option(
            "--partitions",
            type=click.IntRange(min=1),
            expose_value=False,
            is_eager=True,
            callback=_remember,
            envvar="TOUCHSTONE_PARTITIONS",
            show_envvar=True,
            help="instead of the topology's; `topics repartition` changes it",
        ),
        topology_option(callback=_load),
    ):
        command = option(command)
    return command


def output_topics(prefix: str) -> Topics:
    """The names of the output topics under a prefix."""
    return Topics(**{what: prefix + name for what, name in asdict(Topics()).items()})


def load_own(path: Path | None, prefix: str) -> Topology:
    """The topology of that file, or the shipped one, on the topics of this installation.

    Raises:
        UsageError: The file cannot be read.
        TopologyError: The definition is wrong.
    """
    load = import_module("touchstone.topology.load")  # here, because commands that read no topology need not wait for a YAML library
    return prefixed(load.load_topology(path or load.default_topology_path()), prefix)


def said_again(context: click.Context, app: str) -> str:
    """What a command with `app_options` was given that is not the default, to be pasted behind another one that must mean the same topics."""
    given = {"--app": app if app != _APP else None}
    given |= {f"--{name.replace('_', '-')}": context.meta.get(f"touchstone.{name}") for name in ("topic_prefix", "topology", "partitions")}
    return "".join(f" {option} {shlex.quote(str(value))}" for option, value in given.items() if value)


def _prefix(what: str, **how: Any) -> Callable[[_F], _F]:
    return click.option("--topic-prefix", default="", metavar="TEXT", envvar="TOUCHSTONE_TOPIC_PREFIX", show_envvar=True, help=what, **how)


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    context.meta[f"touchstone.{parameter.name}"] = value


def _load(context: click.Context, _parameter: click.Parameter, value: Path | None) -> Topology:
    context.meta["touchstone.topology"] = value
    compiled = load_own(value, context.meta.get("touchstone.topic_prefix") or "")
    partitions = context.meta.get("touchstone.partitions")
    return compiled if partitions is None else replace(compiled, partitions=partitions)

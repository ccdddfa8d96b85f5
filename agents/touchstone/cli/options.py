"""Options of commands that need a topology: which one, whose topics."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from touchstone.cli.bootstrap import bootstrap_option, given_bootstrap_option
from touchstone.topology.compile import Topology
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.topology.prefix import prefixed

__all__ = ["app_options", "bootstrap_option", "given_bootstrap_option"]

_F = TypeVar("_F", bound=Callable[..., Any])
_APP = "touchstone"


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
        click.option(
            "--topic-prefix",
            default="",
            expose_value=False,
            is_eager=True,
            callback=_remember,
            envvar="TOUCHSTONE_TOPIC_PREFIX",
            show_envvar=True,
            help="put before the name of every channel and output topic: a trial beside the real thing",
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
        click.option(
            "--topology",
            type=click.Path(path_type=Path),
            metavar="FILE",
            callback=_load,
            envvar="TOUCHSTONE_TOPOLOGY",
            show_envvar=True,
            help="by default the shipped topology",
        ),
    ):
        command = option(command)
    return command


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    context.meta[f"touchstone.{parameter.name}"] = value


def _load(context: click.Context, _parameter: click.Parameter, value: Path | None) -> Topology:
    context.meta["touchstone.topology"] = value
    compiled = prefixed(load_topology(value or default_topology_path()), context.meta.get("touchstone.topic_prefix") or "")
    partitions = context.meta.get("touchstone.partitions")
    return compiled if partitions is None else replace(compiled, partitions=partitions)


def said_again(context: click.Context, app: str) -> str:
    """What a command with `app_options` was given that is not the default, to be pasted behind another one that must mean the same topics."""
    given = {"--app": app if app != _APP else None}
    given |= {f"--{name.replace('_', '-')}": context.meta.get(f"touchstone.{name}") for name in ("topic_prefix", "topology", "partitions")}
    return "".join(f" {option} {shlex.quote(str(value))}" for option, value in given.items() if value)

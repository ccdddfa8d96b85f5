"""Options that several commands share."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from touchstone.app import prefixed
from touchstone.devkit import daemon
from touchstone.devkit.broker import BOOTSTRAP_VARIABLE
from touchstone.errors import Unavailable
from touchstone.topology.compile import Topology
from touchstone.topology.load import default_topology_path, load_topology

_F = TypeVar("_F", bound=Callable[..., Any])


def bootstrap_option(command: _F) -> _F:
    """Give a command `--bootstrap HOST:PORT`: as given, else from TOUCHSTONE_BOOTSTRAP, else the embedded Kafka that was started to stay.

    It receives `bootstrap: str`; where there is no Kafka at all, the user is told how to get one.
    """
    return click.option(
        "--bootstrap",
        metavar="HOST:PORT",
        callback=_find,
        help=f"the Kafka to use; by default the one in {BOOTSTRAP_VARIABLE}, else the one of `touchstone kafka start`",
    )(command)


def given_bootstrap_option(command: _F) -> _F:
    """Give a command that can start a Kafka of its own `--bootstrap HOST:PORT`; it receives `bootstrap: str | None`."""
    return click.option(
        "--bootstrap",
        metavar="HOST:PORT",
        envvar=BOOTSTRAP_VARIABLE,
        help=f"use this Kafka (default: {BOOTSTRAP_VARIABLE}) instead of starting one",
    )(command)


def _find(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    if given := value or os.environ.get(BOOTSTRAP_VARIABLE):
        return given
    if (running := daemon.status()) is not None:
        return running.bootstrap
    raise Unavailable(
        f"there is no Kafka to talk to: start one with `touchstone kafka start`, or name yours with --bootstrap or {BOOTSTRAP_VARIABLE}"
    )


def app_options(command: _F) -> _F:
    """Give a command `--topology`, `--app`, `--partitions` and `--topic-prefix`; it receives `topology: Topology` and `app: str`."""
    for option in (
        click.option(
            "--app",
            default="touchstone",
            show_default=True,
            envvar="TOUCHSTONE_APP",
            help="application id: consumer group, prefix of own topics",
        ),
        click.option(
            "--topic-prefix",
            default="",
            expose_value=False,
            is_eager=True,
            callback=_remember,
            help="put before the name of every channel and output topic: a trial beside the real thing",
        ),
        click.option(
            "--partitions",
            type=click.IntRange(min=1),
            expose_value=False,
            is_eager=True,
            callback=_remember,
            help="instead of the topology's; frozen once topics exist",
        ),
        click.option("--topology", type=click.Path(path_type=Path), metavar="FILE", callback=_load, help="by default the shipped topology"),
    ):
        command = option(command)
    return command


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    context.meta[f"touchstone.{parameter.name}"] = value


def _load(context: click.Context, _parameter: click.Parameter, value: Path | None) -> Topology:
    compiled = prefixed(load_topology(value or default_topology_path()), context.meta.get("touchstone.topic_prefix") or "")
    partitions = context.meta.get("touchstone.partitions")
    return compiled if partitions is None else replace(compiled, partitions=partitions)

"""The option `--bootstrap`: which Kafka is meant."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from touchstone.devkit.running import BOOTSTRAP_VARIABLE, kept
from touchstone.errors import Unavailable

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
    if (running := kept()) is not None:
        return running.bootstrap
    raise Unavailable(
        f"there is no Kafka to talk to: start one with `touchstone kafka start`, or name yours with --bootstrap or {BOOTSTRAP_VARIABLE}"
    )

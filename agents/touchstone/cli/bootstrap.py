"""The option `--bootstrap`: which Kafka is meant."""

import os
import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import click

from touchstone.devkit.running import BOOTSTRAP_VARIABLE, kept
from touchstone.errors import Unavailable, UsageError
from touchstone.observe.outage import name_kafka
from touchstone.runtime import security

_F = TypeVar("_F", bound=Callable[..., Any])
_ADDRESS = re.compile(r"(\w+://)?([\w.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}")

_SECURITY = {
    "--security-protocol": security.PROTOCOL,
    "--sasl-mechanism": security.MECHANISM,
    "--sasl-username": security.USERNAME,
    "--sasl-password-file": security.PASSWORD_FILE,
    "--ssl-cafile": security.CAFILE,
    "--ssl-certfile": security.CERTFILE,
    "--ssl-keyfile": security.KEYFILE,
    "--ssl-key-password-file": security.KEY_PASSWORD_FILE,
}
"""Option -> the variable whose place it takes, for this process and those that it starts. None takes a secret itself: anybody can list a
process's arguments. They are not in every command's help: eight lines that are set once, for all commands, in the environment."""

_HELP = (
    f"the Kafka to use; by default the one in {BOOTSTRAP_VARIABLE}, else the one of `touchstone kafka start`. "
    f"TLS and users: {security.PROTOCOL} and others (docs/operate.md), or --security-protocol …"
)


def bootstrap_option(command: _F) -> _F:
    """Give a command `--bootstrap HOST:PORT`: as given, else from TOUCHSTONE_BOOTSTRAP, else the embedded Kafka that was started to stay.

    It receives `bootstrap: str`; where there is no Kafka at all, the user is told how to get one.
    """
    return _secured(
        click.option(
            "--bootstrap",
            metavar="HOST:PORT",
            callback=_find,
            help=_HELP,
        )(command)
    )


def late_bootstrap_option(command: _F) -> _F:
    """The same for a command that can do without a Kafka: it receives `bootstrap: Callable[[], str]`, which tells the user so when called."""
    return _secured(
        click.option(
            "--bootstrap",
            metavar="HOST:PORT",
            callback=lambda context, parameter, value: partial(_find, context, parameter, value),
            help=_HELP,
        )(command)
    )


def given_bootstrap_option(command: _F) -> _F:
    """Give a command that can start a Kafka of its own `--bootstrap HOST:PORT`; it receives `bootstrap: str | None`."""
    return _given(command, f"use this Kafka (default: {BOOTSTRAP_VARIABLE}) instead of starting one")


def filed_bootstrap_option(command: _F) -> _F:
    """Give a command that needs a Kafka unless it is about a file `--bootstrap HOST:PORT`; it receives `bootstrap: str | None`, and
    `running_kafka` says which one is meant.
    """
    return _given(command, _HELP)


def _given(command: _F, words: str) -> _F:
    option = click.option("--bootstrap", metavar="HOST:PORT", envvar=BOOTSTRAP_VARIABLE, callback=_check, help=words)
    return _secured(option(command))


def _secured(command: _F) -> _F:
    """Add the options of `_SECURITY`, without values of their own."""
    for option in _SECURITY:
        command = click.option(option, hidden=True, is_eager=True, expose_value=False, callback=_set)(command)
    return command


def _set(_context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        os.environ[_SECURITY[parameter.opts[0]]] = value


def _check(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """See that the security settings are sound, and that they are meant for a Kafka that was named: ours have no locks."""
    settings = security.process_security()
    settings.context()
    if not value and settings.protocol != "PLAINTEXT":
        raise UsageError(
            f"expected the address of a Kafka that speaks {settings.protocol} in --bootstrap or {BOOTSTRAP_VARIABLE}, found none; the embedded "
            f"one speaks PLAINTEXT: name yours, or unset {security.PROTOCOL}"
        )
    if value and not all(_ADDRESS.fullmatch(address.strip()) for address in value.split(",")):
        raise UsageError(f"expected HOST:PORT as the address of Kafka, such as 127.0.0.1:9092 (several with commas between), found {value}")
    if value:
        name_kafka(value)
    return value


def _find(context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    return running_kafka(_check(context, parameter, value or os.environ.get(BOOTSTRAP_VARIABLE)))


def running_kafka(given: str | None) -> str:
    """The address that was given, else that of the embedded Kafka that was started to stay.

    Raises:
        Unavailable: there is none.
    """
    if given:
        return given
    if (running := kept()) is not None:
        name_kafka(running.bootstrap)
        return running.bootstrap
    raise Unavailable(
        f"there is no Kafka to talk to: start one with `touchstone kafka start`, or name yours with --bootstrap or {BOOTSTRAP_VARIABLE}"
    )

"""An option that takes a time."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from touchstone.contracts.times import milliseconds

_F = TypeVar("_F", bound=Callable[..., Any])


def time_option(name: str, what: str) -> Callable[[_F], _F]:
    """Give a command an option that takes ISO 8601 with a zone, or milliseconds; it receives milliseconds, or None."""
    return click.option(name, callback=_read, metavar="TIME", help=f"{what} (2024-05-01T10:00:00Z)")


def _read(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    try:
        return None if value is None else milliseconds(int(value) if value.isdecimal() else value)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong)) from None

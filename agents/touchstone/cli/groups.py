"""Groups of commands: a misspelt name is answered with the nearest one, and a command is loaded when it is called."""

import difflib
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class Suggesting(click.Group):
    """A group that lists its commands in the order of use and knows what was meant by a misspelt one."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, as they were registered and not by the alphabet."""
        return list(self.commands)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called.

        Raises:
            UsageError: there is none of that name; the message names the nearest one, or all.
        """
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}."
            ctx.fail(f"No such command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)


class Lazy(Suggesting):
    """A group whose commands are modules, loaded when they are called: `--help` need not wait for Kafka's libraries.

    Args:
        modules: what --help says of each command, by its name, in the order of use. The command `x` is `x` in the module `package.x`.
        package: where the modules lie.
    """

    def __init__(self, *args: Any, modules: Mapping[str, str], package: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._modules, self._package = modules, package

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, the modules' first."""
        return [*self._modules, *(name for name in super().list_commands(ctx) if name not in self._modules)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, loaded now if it was not yet."""
        if cmd_name in self._modules and cmd_name not in self.commands:
            # The one place where code is loaded late: all commands together take seconds, the one that is called a part of one.
            self.add_command(getattr(import_module(f"{self._package}.{cmd_name}"), cmd_name), cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        others = {name: command.get_short_help_str(formatter.width) for name, command in self.commands.items()}
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._modules.get(name) or others[name]) for name in self.list_commands(ctx)])

"""How a command speaks: text for people, JSON Lines for programs; results to standard output, everything else to standard error."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple, NoReturn, Protocol, TypeVar

import click
import msgspec
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from touchstone.errors import TopologyError


class Show(Protocol):
    """Shows how far it is: what is done, and the total where it was not known before."""

    def __call__(self, done: int, total: int | None = None, /) -> None:
        """Show it."""


class Finding(NamedTuple):
    """What is wrong with a line of a file."""

    file: str
    line: int
    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}: {self.detail}"


SHOWN_FINDINGS = 20
"""So many are named; the others are counted."""

_F = TypeVar("_F", bound=Callable[..., Any])

_WIDTH_OF_A_FILE = 200  # rich would wrap at 80 where there is no terminal; whoever reads a pipe wants whole lines


class Output:
    """What a command says, in the form that its user has asked for. NO_COLOR is respected."""

    def __init__(self, *, is_json: bool = False) -> None:
        self.is_json = is_json
        self.is_debug = False
        self.stdout = _console(stderr=False)
        self.stderr = _console(stderr=True)

    def emit(self, record: Mapping[str, Any], text: RenderableType | None = None) -> None:
        """One result: a line of JSON, or the text (none: nothing)."""
        if self.is_json:
            self._line(record)
        elif text is not None:
            self.stdout.print(text)

    def text(self, text: RenderableType = "") -> None:
        """For people only, on standard output."""
        if not self.is_json:
            self.stdout.print(text)

    def note(self, text: RenderableType) -> None:
        """For people only, on standard error: what goes on, what to do next."""
        if not self.is_json:
            self.stderr.print(text)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None) -> None:
        """Rows with named columns: a table, or one JSON object a row. Numbers stand right."""
        given = [tuple(row) for row in rows]
        if self.is_json:
            for row in given:
                self._line(dict(zip(columns, row, strict=True)))
            return
        if title is not None:
            self.stdout.print(Text(title, style="italic"))  # not as the table's own, which is folded to the width of the table
        table = Table(box=None, pad_edge=False, header_style="bold")
        for place, column in enumerate(columns):
            is_number = bool(given) and all(isinstance(row[place], int | float) and not isinstance(row[place], bool) for row in given)
            table.add_column(Text(column), justify="right" if is_number else "left", overflow="fold")
        for row in given:
            table.add_row(*(Text(_cell(value)) for value in row))
        self.stdout.print(table)

    @contextmanager
    def progress(self, label: str, total: int | None = None) -> Iterator[Show]:
        """A bar on standard error while the block runs; silent where nobody looks. The function takes what is done and, optionally, the total."""
        if self.is_json or not self.stderr.is_terminal:
            yield _keep_still
            return
        # Loaded here, because the library costs every command a tenth of a second.
        with import_module("touchstone.cli.progress").bar(self.stderr, label, total) as show:
            yield show

    def error(self, error: BaseException | str) -> None:
        """Say what went wrong, on standard error."""
        faults = error.faults if isinstance(error, TopologyError) else ()
        message = f"{error.subject} has {counted(len(faults), 'fault')}" if isinstance(error, TopologyError) and faults else str(error)
        if self.is_json:
            found = [{name: getattr(fault, name) for name in ("message", "path", "file", "line", "column")} for fault in faults]
            record = {"error": message, "faults": found} if faults else {"error": message}
            sys.stderr.write(msgspec.json.encode(record).decode() + "\n")
            return
        for fault in faults:
            self.stderr.print(str(fault), soft_wrap=True)
        self.stderr.print(Text.assemble(("error: ", "bold red"), message), soft_wrap=True)

    def findings(self, findings: Sequence[Finding], total: int, message: str) -> None:
        """Name findings, of `total` that there are, and end with the message; on standard error."""
        if self.is_json:
            record = {"error": message, "findings": [finding._asdict() for finding in findings], "total": total}
            sys.stderr.write(msgspec.json.encode(record).decode() + "\n")
            return
        for finding in findings:
            self.stderr.print(str(finding), soft_wrap=True)
        if total > len(findings):
            self.stderr.print(f"… and {total - len(findings):,} more")
        self.error(message)

    def fail(self, message: str, exit_code: int = 1) -> NoReturn:
        """Say what went wrong and end the command with that code."""
        self.error(message)
        raise click.exceptions.Exit(exit_code)

    @staticmethod
    def _line(record: Mapping[str, Any]) -> None:
        sys.stdout.write(msgspec.json.encode(record).decode() + "\n")
        sys.stdout.flush()


def counted(number: int, what: str) -> str:
    """`1 line`, `2,000 lines`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def output_option(command: _F) -> _F:
    """Give a command `--output text|json`; it receives the `Output` to speak through as its argument `output`."""
    return click.option(
        "--output",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        callback=_choose,
        is_eager=True,
        help="text for people, json (one object a line) for programs",
    )(command)


def _choose(context: click.Context, _parameter: click.Parameter, value: str) -> Output:
    """The output of the whole run, so that `main` reports errors in the same form."""
    output = context.find_root().ensure_object(Output)
    output.is_json = value == "json"
    return output


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_FILE
    return console


def _keep_still(_done: int, _total: int | None = None, /) -> None:
    """The progress that nobody looks at."""


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)

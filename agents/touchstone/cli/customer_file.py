"""`touchstone produce FILE --mapping …`: an existing customer file enters as touchpoints of type `profile`."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from touchstone.cli import exits
from touchstone.cli.output import Output, counted
from touchstone.cli.rows import Rows
from touchstone.cli.sending import Sent, send, so_far
from touchstone.cli.times import time_option
from touchstone.contracts.times import iso_text
from touchstone.customerfile.load import load_mapping
from touchstone.customerfile.refused import RefusedRows
from touchstone.customerfile.source import CustomerFile, Row, open_customer_file
from touchstone.customerfile.suggest import suggest
from touchstone.errors import Retriable, UsageError
from touchstone.topology.compile import Topology

_F = TypeVar("_F", bound=Callable[..., Any])
_TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")


@dataclass(frozen=True)
class CustomerFileOptions:
    """What was asked for that concerns a customer file."""

    mapping: Path | None
    suggest_mapping: bool
    encoding: str | None
    occurred_at: int | None
    refused: Path | None
    dry_run: bool

    def check(self, file: str, others: dict[str, Any]) -> None:
        """Every option must have something to do.

        Raises:
            UsageError: one has not, or a table comes without a mapping.
        """
        given = [
            name for name, value in (("--occurred-at", self.occurred_at), ("--refused", self.refused), ("--dry-run", self.dry_run)) if value
        ]
        if self.mapping is None:
            given += ["--encoding"] if self.encoding and not self.suggest_mapping else []
            if given:
                raise UsageError(f"{given[0]} is for customer files: give --mapping as well, or leave it out")
            if file.lower().endswith(_TABLES) and not self.suggest_mapping:
                raise UsageError(
                    f"{file} is a table: say with --mapping which column means what. A first mapping: "
                    f"`touchstone produce {file} --suggest-mapping > mapping.yaml`"
                )
        else:
            vain = [name for name, value in others.items() if value]
            if vain:
                raise UsageError(f"{vain[0]} is not for customer files: their times are the mapping's, and refused rows are never sent")
            if self.suggest_mapping:
                raise UsageError("--suggest-mapping prints a mapping; leave out --mapping")


def customer_file_options(command: _F) -> _F:
    """Give a command the options of customer files; it receives them as its argument `customer_file: CustomerFileOptions`."""

    @wraps(command)  # with the options that it has already, which click keeps on the function
    def wrapped(**arguments: Any) -> Any:
        names = CustomerFileOptions.__dataclass_fields__
        chosen = CustomerFileOptions(**{name: arguments.pop(name) for name in names})
        return command(customer_file=chosen, **arguments)

    made: Any = wrapped
    for option in (
        click.option("--dry-run", is_flag=True, help="customer file: look at every row, send nothing"),
        click.option(
            "--refused",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="customer file: refused rows go there as they are",
        ),
        time_option("--occurred-at", "customer file: when it was exported, instead of the mapping's constant"),
        click.option("--encoding", metavar="NAME", help="customer file: such as cp1252; found out without"),
        click.option("--suggest-mapping", is_flag=True, help="customer file: print a first mapping, made from its header; send nothing"),
        click.option(
            "--mapping",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="FILE is a customer file, CSV or JSON Lines; the mapping says which column means what",
        ),
    ):
        made = option(made)
    return made  # type: ignore[no-any-return]  # the command with more options


def print_suggestion(file: str, options: CustomerFileOptions, topology: Topology, output: Output) -> None:
    """Print a first mapping for a customer file; it holds names of columns and no value."""
    path = Path(file)
    changed = int(path.stat().st_mtime if path.is_file() else time.time())
    with open_customer_file(file, encoding=options.encoding) as opened:
        text = suggest(opened, topology, iso_text(changed * 1000))
    output.emit({"mapping": text}, text.rstrip("\n"))


def produce_customer_file(
    file: str,
    options: CustomerFileOptions,
    topology: Topology,
    bootstrap: Callable[[], str],
    output: Output,
    *,
    limit: int | None,
    rate: float | None,
) -> None:
    """Send every row that can be used, name those that cannot; exit code 1 if there were some."""
    if options.mapping is None:
        raise UsageError("a customer file needs a --mapping")
    address = "" if options.dry_run else bootstrap()
    mapping = load_mapping(options.mapping, topology)
    sent, usable = Sent(), 0
    with ExitStack() as stack:
        opened = stack.enter_context(open_customer_file(file, mapping.written.file, options.encoding))
        rows = Rows(opened, mapping, topology, options.occurred_at)
        keep: Callable[[Row], None] = lambda _: None  # noqa: E731 - where no file was asked for
        if options.refused is not None:
            keep = stack.enter_context(RefusedRows(options.refused, opened)).add
        show = stack.enter_context(output.progress("Looking" if options.dry_run else "Sending"))
        lines = rows.lines(limit, show, keep)
        try:
            if options.dry_run:
                usable = sum(1 for _ in lines)
            else:
                asyncio.run(send(lines, topology, address, None, sent, rate=rate))
        except KeyboardInterrupt:
            output.fail(f"stopped; {so_far(sent)}", exits.INTERRUPTED)
        except (Retriable, UsageError) as error:  # the latter: a file that is torn in the middle
            raise type(error)(f"{error}. {so_far(sent).capitalize()}" if sent.total else str(error)) from error
    _tell(rows, sent, usable, opened, options, output)
    if rows.refused:
        output.findings(rows.findings, rows.refused.total(), _summary(rows, options))
        raise click.exceptions.Exit(exits.FAILED)


def _tell(rows: Rows, sent: Sent, usable: int, opened: CustomerFile, options: CustomerFileOptions, output: Output) -> None:
    if output.is_json:
        how = {"encoding": opened.encoding.name, "encoding_is_guess": opened.encoding.is_guess, "delimiter": opened.delimiter}
        output.emit({**rows.told(), "sent": sent.total, "by_topic": dict(sorted(sent.by_topic.items())), **how})
        return
    if opened.encoding.is_guess:
        output.note(f"read as {opened.encoding.name}, which is a guess; if letters came out wrong, say --encoding")
    if sent.total:
        output.table(("topic", "touchpoints"), sorted(sent.by_topic.items()))
        output.text(f"{sent.total:,} sent and acknowledged in {sent.seconds:.1f} s")
    elif options.dry_run:
        output.text(f"{usable:,} of {counted(rows.read, 'row')} would be sent")
    else:
        output.text("nothing to send: there is no row that can be used")
    for title, what in (("Refused", rows.refused), ("Left out, and the rest of the row taken", rows.left_out)):
        if what:
            output.text()
            output.table(("column", "why", "rows"), [(column, why, count) for (column, why), count in what.most_common()], title=title)


def _summary(rows: Rows, options: CustomerFileOptions) -> str:
    if options.refused is not None:
        return f"{rows}; they are in {options.refused}, to be mended and produced again"
    return f"{rows}; --refused FILE keeps them, to be mended and produced again"

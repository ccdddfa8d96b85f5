"""`touchstone produce`: touchpoints from a file into the channel topics."""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from touchstone.cli import exits
from touchstone.cli.bootstrap import late_bootstrap_option
from touchstone.cli.customer_file import CustomerFileOptions, customer_file_options, print_suggestion, produce_customer_file
from touchstone.cli.judge import Judge
from touchstone.cli.output import Output, counted, output_option
from touchstone.cli.sending import SHOW_EVERY, Line, Sent, send, so_far
from touchstone.cli.topology_options import prefix_option, topology_option
from touchstone.clock import SystemClock
from touchstone.devkit.datasets import STANDARD_INPUT, read_numbered
from touchstone.errors import Retriable, UsageError
from touchstone.intake.event_time import inner_time
from touchstone.intake.lines import prepare_line
from touchstone.topology.compile import Topology
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.topology.prefix import prefixed

LOOKED_AT_FIRST = 100_000
"""Lines of a file that are judged before anything is sent: a few seconds. What comes behind them is judged on its way."""


@click.command
@click.argument("file")
@topology_option("which channel has which topic; ")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="at most N touchpoints a second; as fast as possible without"
)
@click.option("--shift-to-now", is_flag=True, help="move all times by one amount, so that the latest lies now")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="only the first N")
@click.option("--anyway", is_flag=True, help="send also what should be mended; what is refused becomes a dead letter")
@customer_file_options
@prefix_option
@late_bootstrap_option
@output_option
def produce(
    file: str,
    topology: Path | None,
    rate: float | None,
    shift_to_now: bool,
    limit: int | None,
    anyway: bool,
    customer_file: CustomerFileOptions,
    topic_prefix: str,
    bootstrap: Callable[[], str],
    output: Output,
) -> None:
    """Send touchpoints from a file to the topics of their channels.

    FILE is JSON Lines, one touchpoint a line, plain or gzip; `-` reads standard input; the name of a shipped data set (adobe-luma,
    snowplow-ecommerce, …) sends that. A line needs event_id, channel, type, occurred_at and identifiers (a map or a list).

    The file is looked at before anything is sent: a line that would become a dead letter, or lose an identifier because its kind is
    misspelt, is named with its place, nothing is sent, and the exit code is 2. With --anyway everything is sent as it is. Of standard
    input, and behind the first 100,000 lines of a file, each line is looked at on its way; then the report comes at the end, with exit
    code 1.

    Lines keep their order. The command ends when every line is acknowledged by Kafka. Sending a file again does no harm: touchpoints with
    the same event_id and content count once.

    With --mapping, FILE is an existing customer file, CSV or JSON Lines with one customer a row, and each row becomes a touchpoint of type
    `profile`. Rows that cannot be used are named by line and column, never by value, and are not sent; the others are. Exit code 1 then.

    \b
      touchstone produce customers.csv --suggest-mapping > mapping.yaml
      touchstone produce customers.csv --mapping mapping.yaml --dry-run
      touchstone produce customers.csv --mapping mapping.yaml --refused bad.csv
      touchstone produce events.jsonl --rate 100
      touchstone produce adobe-luma --shift-to-now
      zcat archive.gz | touchstone produce - --limit 1000
    """  # noqa: D301 - \b is click's mark for lines to be kept
    compiled = prefixed(load_topology(topology or default_topology_path()), topic_prefix)
    customer_file.check(file, {"--anyway": anyway, "--shift-to-now": shift_to_now})
    if customer_file.suggest_mapping:
        print_suggestion(file, customer_file, compiled, output)
        return
    if customer_file.mapping is not None:
        produce_customer_file(file, customer_file, compiled, bootstrap, output, limit=limit, rate=rate)
        return
    address = bootstrap()
    is_file = file != STANDARD_INPUT
    if shift_to_now and not is_file:
        raise UsageError(
            "--shift-to-now has to read everything before it knows by how much; standard input can be read once: save it to a file first"
        )
    lines = partial(_lines, file, limit)
    shift_ms = shift_to((line for _, line in lines()), SystemClock().now_ms()) if shift_to_now else 0
    judge = Judge(compiled, file if is_file else "standard input")
    if is_file and not anyway:
        _look_first(lines(), compiled, shift_ms, judge, output)
    is_counted = is_file and output.stderr.is_terminal and not output.is_json
    total = sum(1 for _ in lines()) if is_counted else None
    sent = Sent()
    try:
        with output.progress("Sending", total) as show:
            asyncio.run(send(lines(), compiled, address, judge, sent, rate=rate, shift_ms=shift_ms, show=show))
    except KeyboardInterrupt:
        output.fail(f"stopped; {so_far(sent)}", exits.INTERRUPTED)
    except Retriable as error:
        raise Retriable(f"{error}. {so_far(sent).capitalize()}" if sent.total else str(error)) from error
    _tell(sent, judge, shift_ms, output)
    if judge.total and not anyway:
        output.findings(judge.findings, judge.total, f"{judge}; everything was sent as it is")
        raise click.exceptions.Exit(exits.FAILED)


def _look_first(lines: Iterator[Line], topology: Topology, shift_ms: int, judge: Judge, output: Output) -> None:
    """Judge the beginning of a file; end the command where something is to be mended."""
    with output.progress("Looking") as show:
        for number, line in itertools.islice(lines, LOOKED_AT_FIRST):
            judge.look(number, line, prepare_line(line, topology, shift_ms))
            if judge.looked_at % SHOW_EVERY == 0:
                show(judge.looked_at)
    if judge.total:
        output.findings(judge.findings, judge.total, f"{judge}; nothing was sent. Send them as they are with --anyway")
        raise click.exceptions.Exit(exits.USAGE)


def _lines(file: str, limit: int | None) -> Iterator[Line]:
    return itertools.islice(read_numbered(file), limit)


def shift_to(lines: Iterable[bytes], now_ms: int) -> int:
    """By how much all times have to move so that the latest receipt (where none is stated: occurrence) among the lines lies at `now_ms`.

    Raises:
        UsageError: no line has a time.
    """
    latest = max((at for line in lines if (at := _time_of(line)) is not None), default=None)
    if latest is None:
        raise UsageError("--shift-to-now found no time in any line; expected occurred_at or received_at, such as 2024-05-01T10:00:00Z")
    return now_ms - latest


def _time_of(line: bytes) -> int | None:
    stated = _object(line)
    if stated is None:
        return None
    places = [stated, *(inner for name in ("properties", "attributes") if isinstance(inner := stated.get(name), dict))]
    received = (inner_time(place, "received_at") for place in places)
    return next((at for at in received if at is not None), inner_time(stated, "occurred_at"))


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        stated = msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return None
    return stated if isinstance(stated, dict) else None


def _tell(sent: Sent, judge: Judge, shift_ms: int, output: Output) -> None:
    rate = round(sent.total / sent.seconds) if sent.seconds else sent.total
    left_out = dict(sorted(judge.left_out.items()))
    if output.is_json:
        counts = {"sent": sent.total, "by_topic": dict(sorted(sent.by_topic.items())), "dead_letters": judge.refused}
        more = {"misspelt_kinds": judge.misspelt, "left_out": left_out}
        output.emit({**counts, **more, "shift_ms": shift_ms, "seconds": round(sent.seconds, 3), "rate": rate})
        return
    if not sent.total:
        output.text("nothing to send: there is no line in it")
        return
    output.table(("topic", "touchpoints"), sorted(sent.by_topic.items()))
    output.text(f"{sent.total:,} sent and acknowledged in {sent.seconds:.1f} s ({rate:,} a second)")
    if shift_ms:
        output.text(f"all times moved by {timedelta(milliseconds=shift_ms)}")
    if judge.refused:
        become = "becomes a dead letter" if judge.refused == 1 else "become dead letters"
        output.text(f"{counted(judge.refused, 'line')} {become}: `touchstone tail deadletters --from-beginning`")
    if judge.misspelt:
        lose = "loses an identifier, its kind is" if judge.misspelt == 1 else "lose identifiers, their kinds are"
        output.text(f"{counted(judge.misspelt, 'line')} {lose} misspelt")
    if left_out:
        kinds = ", ".join(f"{kind} ({count:,})" for kind, count in left_out.items())
        output.note(f"left out, because the topology has no such kind of identifier: {kinds}")

"""`touchstone produce`: touchpoints from a file into the channel topics."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from touchstone.cli.bootstrap import bootstrap_option
from touchstone.cli.output import Output, Show, output_option
from touchstone.cli.prefix import prefix_option
from touchstone.clock import SystemClock
from touchstone.devkit.datasets import read_lines
from touchstone.errors import UsageError
from touchstone.intake.event_time import inner_time
from touchstone.intake.lines import Prepared, prepare_line
from touchstone.runtime.admin import partition_counts
from touchstone.runtime.client import produce_lines
from touchstone.topology.compile import Topology
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.topology.prefix import prefixed

_SHOW_EVERY = 500


class Sent(NamedTuple):
    """What was sent and acknowledged: lines per channel topic, of them those that will become dead letters at once, how long it took."""

    by_topic: Counter[str]
    unparsable: int
    seconds: float

    @property
    def total(self) -> int:
        """All lines."""
        return self.by_topic.total()


@click.command
@click.argument("file")
@click.option(
    "--topology", type=click.Path(path_type=Path), metavar="FILE", help="which channel has which topic; by default the shipped topology"
)
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="at most N touchpoints a second; as fast as possible without"
)
@click.option("--shift-to-now", is_flag=True, help="move all times by one amount, so that the latest lies now")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="only the first N")
@prefix_option
@bootstrap_option
@output_option
def produce(
    file: str,
    topology: Path | None,
    rate: float | None,
    shift_to_now: bool,
    limit: int | None,
    topic_prefix: str,
    bootstrap: str,
    output: Output,
) -> None:
    """Send touchpoints from a file to the topics of their channels.

    FILE is JSON Lines, one touchpoint a line, plain or gzip; `-` reads standard input; the name of a shipped data set (adobe-luma,
    snowplow-ecommerce, …) sends that. A line needs event_id, channel, type, occurred_at and identifiers (a map or a list).

    Lines keep their order. What is no touchpoint is sent as it is: it becomes a dead letter that says why, and nothing is lost. The
    command ends when every line is acknowledged by Kafka.

    \b
      touchstone produce events.jsonl --rate 100
      touchstone produce adobe-luma --shift-to-now
      zcat archive.gz | touchstone produce - --limit 1000
    """  # noqa: D301 - \b is click's mark for lines to be kept
    compiled = prefixed(load_topology(topology or default_topology_path()), topic_prefix)
    if shift_to_now and file == "-":
        raise UsageError(
            "--shift-to-now has to read everything before it knows by how much; standard input can be read once: save it to a file first"
        )
    shift_ms = shift_to(_lines(file, limit), SystemClock().now_ms()) if shift_to_now else 0
    is_counted = file != "-" and output.stderr.is_terminal and not output.is_json
    total = sum(1 for _ in _lines(file, limit)) if is_counted else None
    with output.progress("Sending", total) as show:
        sent = asyncio.run(send(_lines(file, limit), compiled, bootstrap, rate=rate, shift_ms=shift_ms, show=show))
    _tell(sent, shift_ms, output)


async def send(
    lines: Iterable[bytes], topology: Topology, bootstrap: str, *, rate: float | None = None, shift_ms: int = 0, show: Show | None = None
) -> Sent:
    """Send lines in order and wait until all are acknowledged.

    Raises:
        UsageError: a channel's topic does not exist.
        Retriable: Kafka cannot be reached, or did not acknowledge.
    """
    await _require({channel.topic for channel in topology.channels.values()}, bootstrap)
    by_topic: Counter[str] = Counter()
    unparsable, began = 0, time.monotonic()

    async def records() -> AsyncIterator[Prepared]:
        nonlocal unparsable
        for number, line in enumerate(lines):
            if rate is not None:
                await _until(began + number / rate)
            prepared = prepare_line(line, topology, shift_ms)
            unparsable += _object(line) is None
            by_topic[prepared.topic] += 1
            if show is not None and number % _SHOW_EVERY == 0:
                show(number)
            yield prepared

    await produce_lines(bootstrap, records())
    return Sent(by_topic, unparsable, time.monotonic() - began)


async def _require(topics: set[str], bootstrap: str) -> None:
    missing = sorted(topics - (await partition_counts(bootstrap, topics)).keys())
    if missing:
        raise UsageError(
            f"Kafka at {bootstrap} has no topic {', '.join(missing)}; create what the topology names with `touchstone topics apply`"
        )


def _lines(file: str, limit: int | None) -> Iterator[bytes]:
    return itertools.islice(read_lines(file), limit)


async def _until(when: float) -> None:
    """Wait for a time of the monotonic clock, if it is still to come."""
    ahead = when - time.monotonic()
    if ahead > 0:
        await asyncio.sleep(ahead)


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


def _tell(sent: Sent, shift_ms: int, output: Output) -> None:
    rate = round(sent.total / sent.seconds) if sent.seconds else sent.total
    if output.is_json:
        counts = {"sent": sent.total, "by_topic": dict(sorted(sent.by_topic.items())), "unparsable": sent.unparsable}
        output.emit({**counts, "shift_ms": shift_ms, "seconds": round(sent.seconds, 3), "rate": rate})
        return
    output.table(("topic", "touchpoints"), sorted(sent.by_topic.items()))
    output.text(f"{sent.total:,} sent and acknowledged in {sent.seconds:.1f} s ({rate:,} a second)")
    if shift_ms:
        output.text(f"all times moved by {timedelta(milliseconds=shift_ms)}")
    if sent.unparsable:
        output.text(
            f"{sent.unparsable:,} lines are no JSON object: they become dead letters, see `touchstone tail deadletters --from-beginning`"
        )

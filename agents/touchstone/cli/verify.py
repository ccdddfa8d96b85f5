"""`touchstone verify`: does the live system say what the offline twin says, whatever is killed on the way?"""

import asyncio
import os
import random
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

import click

from touchstone.cli.bootstrap import given_bootstrap_option
from touchstone.cli.interrupt import as_interrupt
from touchstone.cli.output import Output, output_option
from touchstone.cli.topology_options import topology_option
from touchstone.contracts.reasons import REASONS
from touchstone.contracts.times import iso_text
from touchstone.devkit.broker import kafka_or_given
from touchstone.devkit.datasets import read_lines
from touchstone.devkit.jars import KAFKA_VERSION
from touchstone.devkit.live import own_system
from touchstone.devkit.trial import Trial, Verdict, dead_letters
from touchstone.hash_key import secret_from
from touchstone.simulate import simulate
from touchstone.topology.compile import Topology
from touchstone.topology.load import default_topology_path, load_topology

_SHOWN_DIFFERENCES = 20


@click.command
@click.argument("file")
@topology_option()
@click.option("--workers", type=click.IntRange(1, 32), default=2, show_default=True, metavar="N", help="processes that share the work")
@click.option("--kill", "kills", type=click.IntRange(0, 100), default=0, show_default=True, metavar="N", help="kill -9 so many on the way")
@click.option("--shuffle", type=int, metavar="SEED", help="send the lines in a random order; the twin reads them in the file's")
@click.option("--partitions", type=click.IntRange(1, 128), default=4, show_default=True, metavar="N", help="of every topic")
@given_bootstrap_option
@output_option
def verify(
    file: str, topology: Path | None, workers: int, kills: int, shuffle: int | None, partitions: int, bootstrap: str | None, output: Output
) -> int:
    """Run touchpoints through a live system and hold the outcome against the offline twin.

    FILE is JSON Lines, plain or gzip, or the name of a shipped data set (adobe-luma, snowplow-ecommerce, …). A Kafka of its own is started,
    with workers that are real processes; the clock is `event`, so history runs as fast as it can be read. With --bootstrap yours is used,
    under topics of its own that are deleted at the end.

    It waits until every offset of the group is at its end, no transaction is open and every journey partition has passed T, the time of the
    latest receipt; then what a read_committed reader believes at T is compared with what the twin says: moments, customers, dead letters.

    Exit code 0 when they are equal, 1 with a list of the differences when not.

    \b
      touchstone verify snowplow-ecommerce
      touchstone verify events.jsonl --workers 3 --kill 4 --shuffle 7
    """  # noqa: D301 - \b is click's mark for lines to be kept
    path = topology or default_topology_path()
    compiled = replace(load_topology(path), clock="event", partitions=partitions)
    lines = list(read_lines(file))
    with as_interrupt(), ExitStack() as stack:
        with output.progress(f"Fetching Apache Kafka {KAFKA_VERSION}") as fetched:
            address = stack.enter_context(kafka_or_given(bootstrap, progress=fetched))
        verdict = asyncio.run(try_out(lines, path, compiled, address, workers=workers, kills=kills, shuffle=shuffle, output=output))
    _tell(verdict, output)
    return 0 if verdict.is_equal else 1


async def try_out(
    lines: Sequence[bytes], path: Path, topology: Topology, bootstrap: str, *, workers: int, kills: int, shuffle: int | None, output: Output
) -> Verdict:
    """Send the lines through a live system of its own, shuffled or as they are, and compare with the twin of the lines as they are."""
    order = list(lines)
    if shuffle is not None:
        random.Random(shuffle).shuffle(order)  # noqa: S311 - an order, no secret
    async with own_system(bootstrap, path, topology, "verify") as system:
        truth = asyncio.ensure_future(asyncio.to_thread(simulate, lines, system.topology, secret=secret_from(os.environ)))
        with output.progress("Sent and read", 2 * len(lines)) as show:
            trial = Trial(system, order, seed=shuffle or 0, tell=output.note, show=lambda sent, read: show(sent + read))
            return await trial.run(truth, workers, kills)


def _tell(verdict: Verdict, output: Output) -> None:
    letters = dead_letters(verdict.live)
    counts = {section: len(rows) for section, rows in verdict.live.items()}
    as_of = None if verdict.as_of is None else iso_text(verdict.as_of)
    if output.is_json:
        output.emit(
            {
                "equal": verdict.is_equal,
                "as_of": as_of,
                "touchpoints": verdict.touchpoints,
                **counts,
                "repeated": verdict.repeated,
                "kills": [asdict(kill) for kill in verdict.kills],
                "aborted_records": verdict.aborted,
                "reasons": [{"reason": reason, "detail": detail, "count": count} for reason, detail, count in letters],
                "differences": verdict.differences,
                "seconds": verdict.seconds,
            }
        )
        return
    output.text(f"{verdict.touchpoints:,} touchpoints at T = {as_of or 'no time at all'}; {_times(verdict)}")
    if verdict.kills:
        output.table(
            ("killed", "at s", "sent", "unread", "partitions in an open transaction"),
            [(kill.worker, kill.seconds, kill.sent, kill.unread, kill.undecided) for kill in verdict.kills],
        )
        output.text(f"{verdict.aborted:,} records belong to transactions that the kills broke off; no reader sees them")
    if letters:
        output.table(
            ("reason", "dead letters", "what was found", "meaning"),
            [(reason, count, detail, REASONS.get(reason, "")) for reason, detail, count in letters],
        )
    if verdict.is_equal:
        output.text(f"equal: {counts['moments']:,} moments, {counts['customers']:,} customers, {counts['deadletters']:,} dead letters")
        return
    for difference in verdict.differences[:_SHOWN_DIFFERENCES]:
        output.text(difference)
    if (more := len(verdict.differences) - _SHOWN_DIFFERENCES) > 0:
        output.text(f"… and {more:,} more; --output json lists all")
    if verdict.repeated:
        output.text(f"{verdict.repeated:,} revisions were seen twice by a read_committed reader")
    output.text(f"different: {len(verdict.differences):,} differences")


def _times(verdict: Verdict) -> str:
    seconds = verdict.seconds
    return f"workers ready after {seconds['ready']} s, sent in {seconds['sent']} s, quiet {seconds['quiet']} s later"

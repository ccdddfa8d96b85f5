"""`touchstone topics repartition` and `rebuild`: a new generation of an application's state, while no worker runs."""

import asyncio

import click

from touchstone.cli.bootstrap import bootstrap_option
from touchstone.cli.output import Output, output_option
from touchstone.cli.topology_options import app_options
from touchstone.contracts.times import iso_text
from touchstone.errors import UsageError
from touchstone.generations import Recalled, agreement_to_repartition, rebuild, recall, repartition
from touchstone.model.component import NEVER
from touchstone.runtime.generation import abandon
from touchstone.runtime.names import generation_base
from touchstone.topology.compile import Topology

_replication = click.option(
    "--replication", type=click.IntRange(min=1), metavar="N", help="copies of new topics (default: as `topics apply`)"
)
_dry_run = click.option("--dry-run", is_flag=True, help="say what would be done, and change nothing")
_yes = click.option("--yes", is_flag=True, help="do not ask")
_abandon = click.option(
    "--abandon", "is_abandoned", is_flag=True, help="give up one that was begun and broken off; workers may start again"
)


@click.command("repartition")
@app_options
@_replication
@_dry_run
@_yes
@_abandon
@bootstrap_option
@output_option
def repartition_command(
    topology: Topology, app: str, replication: int | None, dry_run: bool, yes: bool, is_abandoned: bool, bootstrap: str, output: Output
) -> int:
    """Move the state to the topology's number of partitions. All workers must have been stopped.

    The application's own topics are made anew, as its next generation, and filled from those in use: every row, timer and message on its way
    is addressed anew. Topics of touchpoints and outputs stay as they are; the old generation stays too, nothing is deleted. Killed on the way,
    run it again: it goes on where it was. Then start the workers with the same topology. Exit code 1 when the answer was no.

    \b
      touchstone topics repartition --topology topology.yaml --dry-run
      touchstone topics repartition --topology topology.yaml
    """  # noqa: D301 - \b is click's mark for lines to be kept
    if is_abandoned:
        return _give_up(app, bootstrap, output)
    agreement = asyncio.run(agreement_to_repartition(topology, app, bootstrap))
    if agreement.partitions == topology.partitions and agreement.begun is None:
        output.text(f"{app} works on {topology.partitions} partitions already: nothing to do")
        return 0
    number = agreement.begun.generation if agreement.begun else agreement.latest + 1
    output.note(f"{app}: generation {agreement.generation} on {agreement.partitions} partitions -> {number} on {topology.partitions}")
    if dry_run:
        return 0
    _be_sure(yes, output)
    with output.progress("Moved") as show:
        change = asyncio.run(
            repartition(topology, app, bootstrap, agreement, replication=replication, tell=lambda _, done, total: show(done, total))
        )
    output.emit(
        {"generation": change.generation, "partitions": change.partitions, "rows": change.rows, "messages": change.messages},
        f"generation {change.generation} on {change.partitions} partitions is in use: {change.rows:,} changes and {change.messages:,} messages "
        f"moved. {_of_the_old(app, change.before)}",
    )
    return 0


@click.command("rebuild")
@app_options
@_replication
@_dry_run
@_yes
@_abandon
@bootstrap_option
@output_option
def rebuild_command(
    topology: Topology, app: str, replication: int | None, dry_run: bool, yes: bool, is_abandoned: bool, bootstrap: str, output: Output
) -> int:
    """Build the state anew from touchpoints and outputs, after the changelogs were lost or the topology was changed.

    The application's own topics are made anew, empty, as its next generation; its group is set back to the first touchpoint that Kafka
    still holds; and what moments and customers say is read back, so that workers take back what turns out to be no longer true, once they
    have come to the time of the loss. Ids stay, revisions rise. All workers must have been stopped; nothing is deleted.

    What was said of the time before the first touchpoint that Kafka still holds stays as it is: the lost state was the only one that knew
    whether it is true. When partitions have lost touchpoints to retention, how many is said before the question; do not rebuild then while
    the state is sound. Exit code 1 when the answer was no.

    \b
      touchstone topics rebuild --topology topology.yaml --dry-run
      touchstone topics rebuild --topology topology.yaml
    """  # noqa: D301 - \b is click's mark for lines to be kept
    if is_abandoned:
        return _give_up(app, bootstrap, output)
    with output.progress("Read back") as show:
        recalled = asyncio.run(recall(topology, app, bootstrap, lambda _, done, total: show(done, total)))
    _tell(recalled, app, output)
    if dry_run:
        return 0
    _be_sure(yes, output)
    with output.progress("Handed over") as show:
        change = asyncio.run(
            rebuild(topology, app, bootstrap, recalled, replication=replication, tell=lambda _, done, total: show(done, total))
        )
    output.emit(
        {"generation": change.generation, "partitions": change.partitions, "rows": 0, "messages": change.messages},
        f"generation {change.generation} on {change.partitions} partitions is in use, and empty: start the workers, they read "
        f"{recalled.inputs.records:,} touchpoints again. {_of_the_old(app, change.before)}",
    )
    return 0


def _tell(recalled: Recalled, app: str, output: Output) -> None:
    book, inputs = recalled.book, recalled.inputs
    moments = sum(map(len, book.moments.values()))
    output.note(
        f"{app}: {moments:,} moments and {len(book.customers):,} customers were said; {inputs.records:,} touchpoints are left to read"
    )
    if recalled.not_before != NEVER:
        output.note(f"what is no longer true is taken back when the workers have come to {iso_text(recalled.not_before)}")
    if inputs.since_ms is not None:
        moments, customers = recalled.left
        output.note(
            f"WARNING: {inputs.cut:,} of {len(inputs.beginnings):,} partitions of touchpoints and commands begin after offset 0: Kafka holds all of them only "
            f"since {iso_text(inputs.since_ms)}. The history before is lost to the rebuild, also what the state that is in use still knows of it: "
            f"{moments:,} moments and {customers:,} customers from before stay as they were said, journeys begin anew"
        )
    if recalled.unknown:
        output.note(
            f"WARNING: of {recalled.unknown:,} customer ids no identifier is known any more; what was said of them stays as it was said"
        )


def _give_up(app: str, bootstrap: str, output: Output) -> int:
    done = asyncio.run(abandon(bootstrap, app))
    output.text(f"given up: workers of {app} may start again, on what was in use" if done else f"nothing of {app} was begun")
    return 0


def _be_sure(yes: bool, output: Output) -> None:
    """Ask, and end the command with 1 where the answer is no: a script must be able to tell that nothing was done."""
    try:
        if not (yes or click.confirm("Go on?", default=False, err=True)):
            output.fail("the answer was no: nothing was done, and what was in use still is")
    except click.Abort as error:
        raise UsageError("expected an answer, found nobody to give one; say --yes") from error


def _of_the_old(app: str, generation: int) -> str:
    base = generation_base(app, generation)
    return (
        f"The topics {base}.identity, {base}.journey, their changelogs and {base}.clock are no longer read; delete them when you are sure"
    )

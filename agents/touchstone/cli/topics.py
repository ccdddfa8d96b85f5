"""`touchstone topics`: what topics there should be, and how to get there."""

import asyncio

import click

from touchstone.app import topic_specs
from touchstone.cli.bootstrap import bootstrap_option
from touchstone.cli.generations import rebuild_command, repartition_command
from touchstone.cli.groups import Suggesting
from touchstone.cli.output import Output, counted, output_option
from touchstone.cli.topology_options import app_options
from touchstone.errors import UsageError
from touchstone.runtime import admin
from touchstone.runtime.agreement import read_agreement
from touchstone.topology.compile import Topology


@click.group(cls=Suggesting)
def topics() -> None:
    """See and create the topics of a topology. Nothing here ever deletes a topic or makes one smaller."""


@topics.command
@app_options
@bootstrap_option
@output_option
def plan(topology: Topology, app: str, bootstrap: str, output: Output) -> int:
    """Show what `apply` would do; changes nothing. Exit code 1 when something differs, 0 when all is as it should be."""
    specs = _specs(topology, app, bootstrap)
    differences = asyncio.run(admin.plan(bootstrap, specs))
    for difference in differences:
        output.emit(_row(difference), str(difference))
    if not differences:
        output.emit({"topics": len(specs), "different": 0}, f"all {len(specs)} topics are as they should be")
    return 1 if differences else 0


@topics.command
@app_options
@click.option(
    "--replication", type=click.IntRange(min=1), metavar="N", help="copies of new topics (default: 3, or as many as there are brokers)"
)
@bootstrap_option
@output_option
def apply(topology: Topology, app: str, replication: int | None, bootstrap: str, output: Output) -> int:
    """Create what is missing and set what differs. A partition count that differs is a conflict: then nothing is changed (exit code 2)."""
    specs = _specs(topology, app, bootstrap)
    changed = asyncio.run(admin.apply(bootstrap, specs, replication))
    for difference in changed:
        output.emit(_row(difference), str(difference))
    created = sum(difference.kind == "missing" for difference in changed)
    settings = len(changed) - created
    if changed:
        said = f"{counted(created, 'topic')} created, {counted(settings, 'setting')} changed, {len(specs)} topics in all"
    else:
        said = f"nothing to do: all {len(specs)} topics are as they should be"
    output.emit({"created": created, "changed": settings, "topics": len(specs)}, said)
    return 0


topics.add_command(repartition_command)
topics.add_command(rebuild_command)


def _specs(topology: Topology, app: str, bootstrap: str) -> list[admin.TopicSpec]:
    """The topics of the generation in use."""
    agreement = asyncio.run(read_agreement(bootstrap, app))
    if agreement is not None and agreement.partitions != topology.partitions:
        raise UsageError(
            f"{app!r} works on {agreement.partitions} partitions, the topology says {topology.partitions}. To change the number stop all workers "
            "and run `touchstone topics repartition`; else put the old number back"
        )
    return topic_specs(topology, app, agreement.generation if agreement else 1)


def _row(difference: admin.Difference) -> dict[str, str]:
    return {
        "topic": difference.topic,
        "kind": difference.kind,
        "setting": difference.setting,
        "expected": difference.expected,
        "found": difference.found,
    }

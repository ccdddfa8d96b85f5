"""`touchstone kafka`: an embedded Kafka that stays until it is stopped."""

import click

from touchstone.cli.groups import Suggesting
from touchstone.cli.output import Output, output_option
from touchstone.devkit import daemon
from touchstone.devkit.jars import KAFKA_VERSION
from touchstone.devkit.running import Running


@click.group(cls=Suggesting)
def kafka() -> None:
    """Start, see or stop a Kafka on this machine.

    A real Apache Kafka, fetched on the first start (38 MB) and kept in your cache. It listens on 127.0.0.1 only, goes on when the terminal is
    closed, and keeps its data until the next start. The other commands find it by themselves.
    """


@kafka.command
@click.option("--port", type=click.IntRange(1, 65535), show_default=str(daemon.DEFAULT_PORT), help="where clients connect")
@output_option
def start(port: int | None, output: Output) -> None:
    """Start it and return when it takes connections; one that runs is left alone."""
    with output.progress(f"Fetching Apache Kafka {KAFKA_VERSION}") as fetched:
        running = daemon.start(port, fetched)
    _say(output, running, "runs")


@kafka.command
@output_option
@click.pass_context
def status(context: click.Context, output: Output) -> None:
    """Say whether it runs: exit code 0 if it takes connections, 1 if not."""
    running = daemon.status()
    if running is None:
        output.emit({"status": "stopped"}, "Kafka does not run; start it with `touchstone kafka start`.")
        context.exit(1)
    is_ready = running.is_ready
    _say(output, running, "runs" if is_ready else "takes no connections yet")
    context.exit(0 if is_ready else 1)


@kafka.command
@click.option("--delete-data", is_flag=True, help="delete its topics and all that is in them; a worker's own folder is not touched")
@output_option
def stop(delete_data: bool, output: Output) -> None:
    """Stop it in order; its data stays for the next start, unless --delete-data is given.

    A worker keeps its state in a folder of its own, .touchstone/INSTANCE where it was started: delete that, too, before it works on a Kafka
    that has forgotten everything.
    """
    running = daemon.stop()
    record = {"status": "stopped"} if running is None else {"status": "stopped", "pid": running.pid}
    said = "Kafka did not run" if running is None else "Kafka has stopped"
    if not delete_data:
        output.emit(record, f"{said}." if running is None else f"{said}; its data stays in {running.folder}.")
        return
    folder = daemon.delete_data()
    what = "there was no data" if folder is None else f"its data in {folder} is deleted"
    output.emit({**record, "deleted": None if folder is None else str(folder)}, f"{said}; {what}.")


def _say(output: Output, running: Running, state: str) -> None:
    record = {"status": "running" if state == "runs" else "starting", "bootstrap": running.bootstrap, "pid": running.pid}
    output.emit(
        {**record, "version": KAFKA_VERSION, "folder": running.folder},
        f"Kafka {KAFKA_VERSION} {state} at {running.bootstrap} (process {running.pid}, data in {running.folder})",
    )

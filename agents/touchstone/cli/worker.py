"""`touchstone worker`: one process that reads touchpoints and says what changes."""

import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Literal

import click

from touchstone.app import WorkerOptions, run
from touchstone.cli.bootstrap import bootstrap_option
from touchstone.cli.output import Output
from touchstone.cli.topology_options import app_options, said_again
from touchstone.errors import TooManyDeadLetters
from touchstone.observe import logs
from touchstone.runtime.worker import EXIT_BAD_INPUT
from touchstone.topology.compile import Topology

_FORM = "Every option has its variable: on the command line first, else there."


@click.command(epilog=_FORM)
@app_options
@click.option(
    "--instance",
    default=socket.gethostname,
    show_default="the host's name",
    envvar="TOUCHSTONE_INSTANCE",
    show_envvar=True,
    help="the worker's own name, stable over restarts",
)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="TOUCHSTONE_DATA",
    show_envvar=True,
    help="where state is kept, one folder a worker (default: .touchstone/INSTANCE here)",
)
@click.option(
    "--clock",
    type=click.Choice(["wall", "event"]),
    envvar="TOUCHSTONE_CLOCK",
    show_envvar=True,
    help="instead of the topology's: event for history, wall for the present",
)
@click.option(
    "--session-timeout",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="SECONDS",
    envvar="TOUCHSTONE_SESSION_TIMEOUT",
    show_envvar=True,
    help="after a kill, idle so long",
)
@click.option(
    "--static-membership",
    is_flag=True,
    envvar="TOUCHSTONE_STATIC_MEMBERSHIP",
    show_envvar=True,
    help="started again under its --instance within the session timeout, it keeps its partitions",
)
@click.option(
    "--standby",
    is_flag=True,
    envvar="TOUCHSTONE_STANDBY",
    show_envvar=True,
    help="keep copies of the partitions of others, to take over without a restore",
)
@click.option(
    "--stall-timeout",
    type=click.IntRange(min=1),
    default=60,
    show_default=True,
    metavar="SECONDS",
    envvar="TOUCHSTONE_STALL_TIMEOUT",
    show_envvar=True,
    help="a worker in which nothing moves for so long ends with 70, to be started again",
)
@click.option(
    "--web-host",
    default="127.0.0.1",
    show_default=True,
    envvar="TOUCHSTONE_WEB_HOST",
    show_envvar=True,
    help="where /metrics and /health listen",
)
@click.option(
    "--web-port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    envvar="TOUCHSTONE_WEB_PORT",
    show_envvar=True,
    help="0 takes a free port, written to DATA_DIR/web.port",
)
@click.option("--no-web", is_flag=True, envvar="TOUCHSTONE_NO_WEB", show_envvar=True, help="no /metrics and /health at all")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    envvar="TOUCHSTONE_LOG_LEVEL",
    show_envvar=True,
)
@bootstrap_option
def worker(
    topology: Topology,
    app: str,
    instance: str,
    data_dir: Path | None,
    clock: Literal["wall", "event"] | None,
    session_timeout: int,
    static_membership: bool,
    standby: bool,
    stall_timeout: int,
    web_host: str,
    web_port: int,
    no_web: bool,
    log_level: str,
    bootstrap: str,
) -> int:
    """Run one worker. Start more, each with an --instance of its own, and they share the partitions.

    Everything a worker does between two commits is one Kafka transaction: killed at any moment, it or another goes on as if nothing had
    been. SIGTERM or Ctrl-C finishes the transaction and leaves within seconds. State on disk is a cache of the changelog topics: delete
    it, and it is rebuilt.

    \b
      touchstone worker
      touchstone worker --instance w2 --web-port 0
      curl -s localhost:8080/health/ready
      curl -s localhost:8080/metrics | grep touchstone_
    """  # noqa: D301 - \b is click's mark for lines to be kept
    logs.configure(log_level, kafka=bootstrap)
    if clock is not None:
        topology = replace(topology, clock=clock)
    options = WorkerOptions(
        app=app,
        bootstrap=bootstrap,
        instance=instance,
        data_dir=data_dir or Path(os.curdir, ".touchstone", instance),
        session_timeout_ms=session_timeout * 1_000,
        static_membership=static_membership,
        standby=standby,
        stall_timeout_ms=stall_timeout * 1_000,
        web_host=web_host,
        web_port=None if no_web else web_port,
        topic_options=said_again(click.get_current_context(), app),
    )
    try:
        return run(topology, options)
    except TooManyDeadLetters as stop:
        # A code of its own: to start again helps only when somebody has looked.
        click.get_current_context().find_root().ensure_object(Output).fail(str(stop), EXIT_BAD_INPUT)

"""`touchstone worker`: every option can be given from outside."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from touchstone.app import WorkerOptions
from touchstone.cli import worker as command
from touchstone.observe import logs
from touchstone.topology.compile import Topology

GIVEN = {
    "TOUCHSTONE_BOOTSTRAP": "kafka:9092",
    "TOUCHSTONE_APP": "shop",
    "TOUCHSTONE_INSTANCE": "touchstone-0",
    "TOUCHSTONE_DATA": "/var/lib/touchstone",
    "TOUCHSTONE_CLOCK": "event",
    "TOUCHSTONE_PARTITIONS": "3",
    "TOUCHSTONE_TOPIC_PREFIX": "trial.",
    "TOUCHSTONE_SESSION_TIMEOUT": "20",
    "TOUCHSTONE_STALL_TIMEOUT": "90",
    "TOUCHSTONE_WEB_HOST": "0.0.0.0",
    "TOUCHSTONE_WEB_PORT": "9100",
    "TOUCHSTONE_LOG_LEVEL": "warning",
}


def test_a_worker_takes_everything_from_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As containers do."""
    ran: list[tuple[Topology, WorkerOptions]] = []
    monkeypatch.setattr(command, "run", lambda topology, options: ran.append((topology, options)))
    monkeypatch.setattr(logs, "configure", lambda level: None)

    result = CliRunner().invoke(command.worker, [], env=GIVEN, catch_exceptions=False)

    assert result.exit_code == 0, result.output
    ((topology, options),) = ran
    assert (topology.clock, topology.partitions, topology.channels["web"].topic) == ("event", 3, "trial.touchpoints.web.v1")
    assert options == WorkerOptions(
        app="shop",
        bootstrap="kafka:9092",
        instance="touchstone-0",
        data_dir=Path("/var/lib/touchstone"),
        session_timeout_ms=20_000,
        stall_timeout_ms=90_000,
        web_host="0.0.0.0",
        web_port=9100,
    )


def test_every_option_of_a_worker_has_a_variable() -> None:
    """A new option without one would be out of reach in a container."""
    options = [parameter for parameter in command.worker.params if isinstance(parameter, click.Option)]

    without = [option.name for option in options if not option.envvar and not option.hidden and option.name != "bootstrap"]

    assert len(options) > 10
    assert without == [], "TOUCHSTONE_BOOTSTRAP and the (hidden) options of security are read by their own callbacks, all others by click"

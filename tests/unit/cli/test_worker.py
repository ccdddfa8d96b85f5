"""`touchstone worker`: every option can be given from outside."""

import asyncio
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from touchstone.app import WorkerOptions
from touchstone.cli import worker as command
from touchstone.errors import UsageError
from touchstone.generations import program_of
from touchstone.identity.ordering import Ordering
from touchstone.observe import logs
from touchstone.runtime import worker as runtime
from touchstone.runtime.settings import WorkerSettings
from touchstone.topology.compile import Topology
from touchstone.topology.load import default_topology_path, load_topology

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
    monkeypatch.setattr(logs, "configure", lambda level, kafka: None)

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
        topic_options=" --app shop --topic-prefix trial. --partitions 3",
    )


@pytest.mark.parametrize(
    ("given", "again"),
    [
        ([], ""),
        (["--app", "touchstone", "--topic-prefix", ""], ""),
        (["--app", "shop", "--topic-prefix", "trial."], " --app shop --topic-prefix trial."),
        (["--topology", "our own.yaml"], " --topology 'our own.yaml'"),
    ],
    ids=["defaults", "defaults as options", "names", "a file"],
)
def test_a_worker_without_topics_recommends_the_command_that_makes_its_own(
    given: list[str], again: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Pasted as it stands, it makes the topics of this worker and not those of the shipped topology."""
    monkeypatch.chdir(tmp_path)
    Path("our own.yaml").write_text(default_topology_path().read_text())
    monkeypatch.setattr(command, "run", lambda _, options: options_of.append(options))
    monkeypatch.setattr(logs, "configure", lambda level, kafka: None)
    monkeypatch.setattr(runtime, "partition_counts", no_topics)
    options_of: list[WorkerOptions] = []
    CliRunner().invoke(command.worker, [*given, "--bootstrap", "nowhere:9092"], catch_exceptions=False)
    (options,) = options_of
    topology = load_topology(default_topology_path())
    settings = WorkerSettings(
        app=options.app,
        bootstrap=options.bootstrap,
        instance="w1",
        data_dir=tmp_path,
        partitions=1,
        channel_topics=("web",),
        topic_options=options.topic_options,
    )

    with pytest.raises(UsageError) as refused:
        asyncio.run(runtime.check_topics(settings, program_of(topology, Ordering(topology.kinds))))

    assert "web: missing" in str(refused.value)
    assert f"`touchstone topics apply{again}`" in str(refused.value)


async def no_topics(*_: Any) -> dict[str, int]:
    """What a broker says that has none."""
    return {}


def test_every_option_of_a_worker_has_a_variable() -> None:
    """A new option without one would be out of reach in a container."""
    options = [parameter for parameter in command.worker.params if isinstance(parameter, click.Option)]

    without = [option.name for option in options if not option.envvar and not option.hidden and option.name != "bootstrap"]

    assert len(options) > 10
    assert without == [], "TOUCHSTONE_BOOTSTRAP and the (hidden) options of security are read by their own callbacks, all others by click"

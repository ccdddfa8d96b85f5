"""The compose file: valid, closed to the outside, and its parts fit together."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.deploy.test_docker import tool

COMPOSE = Path(__file__).parents[2] / "deploy" / "compose" / "compose.yaml"


def load(file: Path) -> Any:
    """A YAML document."""
    return YAML(typ="safe").load(file)


@pytest.fixture
def services() -> dict[str, Any]:
    """The services by name."""
    found: dict[str, Any] = load(COMPOSE)["services"]
    return found


def test_the_file_is_valid() -> None:
    """By the compose specification."""
    ran = subprocess.run(
        [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(COMPOSE)], capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_everything_is_there(services: dict[str, Any]) -> None:
    """Kafka, registry, metrics, pictures, two workers, somebody who sends."""
    assert {"kafka", "registry", "prometheus", "grafana", "worker-1", "worker-2", "producer"} <= services.keys()


def test_nothing_listens_to_the_outside(services: dict[str, Any]) -> None:
    """No service has a password, so every port is this machine's only."""
    ports = [port for service in services.values() for port in service.get("ports", ())]

    assert len(ports) >= 6
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_every_file_that_is_mounted_exists(services: dict[str, Any]) -> None:
    """Docker would make an empty folder of a misspelt one."""
    mounts = [mount.split(":")[0] for service in services.values() for mount in service.get("volumes", ())]
    files = [COMPOSE.parent / mount for mount in mounts if mount.startswith(".")]

    assert len(files) >= 4
    assert [file for file in files if not file.exists()] == []


def test_workers_have_names_and_disks_of_their_own(services: dict[str, Any]) -> None:
    """Two of one name would fence each other."""
    workers = [services["worker-1"], services["worker-2"]]

    assert len({worker["environment"]["TOUCHSTONE_INSTANCE"] for worker in workers}) == 2
    assert len({worker["volumes"][0] for worker in workers}) == 2
    assert all(worker["read_only"] and worker["cap_drop"] == ["ALL"] for worker in workers)


def test_workers_wait_for_topics_and_schemas(services: dict[str, Any]) -> None:
    """A worker without them would end with 2."""
    assert services["worker-1"]["depends_on"].keys() == {"topics", "schemas"}
    assert services["topics"]["command"] == ["topics", "apply"]
    assert services["schemas"]["command"] == ["schemas", "register"]
    assert "registry" in services["worker-1"]["environment"]["TOUCHSTONE_REGISTRY_URL"]


def test_prometheus_asks_the_workers_under_the_job_of_the_alerts() -> None:
    """The alerts say `job="touchstone"`; the targets are the services."""
    config = load(COMPOSE.parents[1] / "prometheus" / "prometheus.yaml")

    (job,) = config["scrape_configs"]
    assert job["job_name"] == "touchstone"
    assert job["static_configs"][0]["targets"] == ["worker-1:8080", "worker-2:8080"]
    assert config["rule_files"] == ["rules.yaml"]

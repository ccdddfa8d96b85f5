"""The manifests: strictly valid, composed without kustomize, and fitting to what the worker does."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from touchstone.cli.worker import worker
from touchstone.runtime.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
NOT_RESOURCES = {"kustomization.yaml", "topology.yaml"}
LATEST = kubernetes_validate.latest_version()


def load(name: str) -> Any:
    """A manifest."""
    return YAML(typ="safe").load(FOLDER / name)


@pytest.fixture
def pod() -> Any:
    """The pod of the stateful set."""
    return load("stateful-set.yaml")["spec"]["template"]["spec"]


@pytest.fixture
def container(pod: Any) -> Any:
    """Its only container."""
    (only,) = pod["containers"]
    return only


def names_of_resources() -> list[str]:
    """The files of the folder that Kubernetes takes."""
    return sorted(file.name for file in FOLDER.glob("*.yaml") if file.name not in NOT_RESOURCES)


@pytest.mark.parametrize("name", names_of_resources())
def test_a_manifest_is_strictly_valid(name: str) -> None:
    """By Kubernetes' own schemas; an unknown field is an error."""
    kubernetes_validate.validate(load(name), LATEST, strict=True)


def test_the_validation_would_notice_a_misspelt_field() -> None:
    """The harness itself."""
    manifest = load("stateful-set.yaml")
    manifest["spec"]["replica"] = manifest["spec"].pop("replicas")

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, LATEST, strict=True)


def test_the_kustomization_holds_every_resource() -> None:
    """Nothing forgotten, nothing missing; the jobs are applied by themselves."""
    kustomization = load("kustomization.yaml")

    assert sorted([*kustomization["resources"], "generation-job.yaml", "topics-job.yaml"]) == names_of_resources()
    assert all((FOLDER / file).exists() for each in kustomization["configMapGenerator"] for file in each.get("files", ()))


def test_the_job_for_a_new_generation_has_the_key_and_the_application_of_the_workers() -> None:
    """With another key no customer id is known again; of another application there is nothing to build anew."""
    pod, worker = (load(name)["spec"]["template"]["spec"] for name in ("generation-job.yaml", "stateful-set.yaml"))

    def secrets(spec: dict[str, Any]) -> list[str]:
        return [volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume]

    environment = {each["name"]: each["value"] for each in pod["containers"][0]["env"]}
    settings = next(each for each in load("kustomization.yaml")["configMapGenerator"] if each["name"] == "touchstone-settings")
    assert secrets(pod) == secrets(worker) == ["touchstone-hash-key"]
    assert environment["TOUCHSTONE_HASH_KEY_FILE"] in {each.get("value") for each in worker["containers"][0]["env"]}
    assert f"TOUCHSTONE_APP={environment['TOUCHSTONE_APP']}" in settings["literals"]
    assert f"TOUCHSTONE_BOOTSTRAP={environment['TOUCHSTONE_BOOTSTRAP']}" in settings["literals"]


def test_the_job_makes_the_topics_of_the_operators_topology() -> None:
    """Not those of the shipped one, which is what the command falls back to."""
    pod = load("topics-job.yaml")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    environment = {each["name"]: each["value"] for each in container["env"]}
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    maps = {volume["name"]: volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume}

    assert environment["TOUCHSTONE_TOPOLOGY"] == f"{mounted['topology']}/topology.yaml"
    assert f"create configmap {maps['topology']} --from-file=" in (ROOT / "docs" / "operate.md").read_text()


def test_every_reference_leads_somewhere(pod: Any, container: Any) -> None:
    """Settings, topology and account exist in the kustomization; only the secret is the operator's."""
    generated = {each["name"] for each in load("kustomization.yaml")["configMapGenerator"]}
    stateful_set = load("stateful-set.yaml")
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    claims = {claim["metadata"]["name"] for claim in stateful_set["spec"]["volumeClaimTemplates"]}

    assert {source["configMapRef"]["name"] for source in container["envFrom"]} | {volumes["topology"]["configMap"]["name"]} == generated
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes.keys() | claims
    assert pod["serviceAccountName"] == load("service-account.yaml")["metadata"]["name"]
    assert stateful_set["spec"]["serviceName"] == load("service.yaml")["metadata"]["name"]
    selector = stateful_set["spec"]["selector"]["matchLabels"]
    assert selector == stateful_set["spec"]["template"]["metadata"]["labels"]
    for name, path in (("service.yaml", ["selector"]), ("disruption-budget.yaml", ["selector", "matchLabels"])):
        found = load(name)["spec"]
        for key in path:
            found = found[key]
        assert found == selector


def test_the_topology_is_the_shipped_one() -> None:
    """`cp topology.yaml deploy/kubernetes/` was not forgotten: kustomize takes no file from outside its folder."""
    is_same = (FOLDER / "topology.yaml").read_text() == (ROOT / "topology.yaml").read_text()

    assert is_same, "the topology has changed: cp topology.yaml deploy/kubernetes/"


def test_the_worker_knows_every_variable_it_is_given(container: Any) -> None:
    """A misspelt variable would be ignored in silence."""
    known = {str(parameter.envvar) for parameter in worker.params} | {"TOUCHSTONE_BOOTSTRAP", "TOUCHSTONE_HASH_KEY_FILE"}
    literals = next(each["literals"] for each in load("kustomization.yaml")["configMapGenerator"] if "literals" in each)

    given = {each["name"] for each in container["env"]} | {literal.split("=")[0] for literal in literals}

    assert given <= known
    instance = next(each for each in container["env"] if each["name"] == "TOUCHSTONE_INSTANCE")
    assert instance["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"


def test_a_worker_has_time_to_leave(pod: Any) -> None:
    """Killed in its last transaction it would leave work to whoever comes next."""
    settings = WorkerSettings(app="a", bootstrap="b", instance="i", data_dir=Path(), partitions=1, channel_topics=())

    assert pod["terminationGracePeriodSeconds"] >= settings.drain_timeout_ms / 1_000 + 10


def test_liveness_waits_longer_than_the_worker_itself(container: Any) -> None:
    """A worker that stands still ends itself and says why; killed from outside it could not."""
    settings = WorkerSettings(app="a", bootstrap="b", instance="i", data_dir=Path(), partitions=1, channel_topics=())
    live, ready = container["livenessProbe"], container["readinessProbe"]

    assert live["httpGet"]["path"] == container["startupProbe"]["httpGet"]["path"] == "/health/live"
    assert ready["httpGet"]["path"] == "/health/ready"
    assert live["periodSeconds"] * live["failureThreshold"] > settings.stall_timeout_ms / 1_000


@pytest.mark.parametrize("name", ["stateful-set.yaml", "topics-job.yaml", "generation-job.yaml"])
def test_a_pod_may_do_nothing_it_need_not(name: str) -> None:
    """Nobody's root, no capabilities, nothing to write on but its volumes, no token."""
    pod = load(name)["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container["resources"]["limits"]

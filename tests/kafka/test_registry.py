"""Ids from a real schema registry: what others have written is read, what we say can be read by others, and an outage costs nothing."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest

from tests.kafka.test_security import run, start
from touchstone.contracts.codec import Codec
from touchstone.contracts.registered import RegisteredSchemas
from touchstone.contracts.registry import bundled_schemas
from touchstone.contracts.registry_client import Refused, RegistryClient
from touchstone.devkit.registry import EmbeddedRegistry
from touchstone.model.output import DeadLetter, Moment
from touchstone.runtime.client import produce_lines, read_topic

TOPOLOGY = """\
version: 1
name: registered
clock: event
partitions: 2
channels:
  web: {{topic: "{prefix}web", media: owned, format: avro}}
identifiers:
  user_id: {{unique: true}}
topics:
  moments: "{prefix}moments"
  customers: "{prefix}customers"
  identities: "{prefix}identities"
  deadletters: "{prefix}deadletters"
  commands: "{prefix}commands"
journeys:
  purchase:
    phases: [awareness, interest]
    rules:
      - {{name: saw, when: {{type: ad_view}}, to: awareness}}
      - {{name: searched, when: {{type: search}}, to: interest}}
"""
WITHIN_S = 90


@pytest.fixture(scope="module")
def registry() -> Iterator[EmbeddedRegistry]:
    """A registry of this module's own, empty at first."""
    with EmbeddedRegistry() as running:
        yield running


class Shop:
    """One installation with a registry: its files, its names, its environment."""

    def __init__(self, kafka: str, registry: EmbeddedRegistry, folder: Path, prefix: str) -> None:
        self.kafka, self.client, self.prefix = kafka, RegistryClient(registry.url), prefix
        self.log = folder / "log"
        self.environment = {"TOUCHSTONE_BOOTSTRAP": kafka, "TOUCHSTONE_REGISTRY_URL": registry.url}
        file = folder / "topology.yaml"
        file.write_text(TOPOLOGY.format(prefix=prefix))
        self.topology = ["--topology", str(file)]
        self._worker = ["worker", *self.topology, "--app", f"{prefix}app", "--data-dir", str(folder / "w1"), "--no-web"]

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a command to its end."""
        return run(self.environment, self.log, *arguments, code=code)

    def start_worker(self) -> "subprocess.Popen[bytes]":
        """Start a worker."""
        return start(self.environment, self.log, *self._worker)

    async def write(self, value: bytes) -> None:
        """One record for the channel."""
        await produce_lines(self.kafka, [(f"{self.prefix}web", b"ada", value, ())])

    async def said(self, what: str) -> list[Any]:
        """What stands in an output topic, read with the registry's schemas."""
        codec = Codec(RegisteredSchemas(self.client))
        return [codec.decode_record(r.value) async for r in read_topic(self.kafka, [f"{self.prefix}{what}"]) if r.value is not None]


@pytest.fixture
def shop(kafka: str, registry: EmbeddedRegistry, topic_prefix: str, tmp_path: Path) -> Shop:
    """An installation of its own on the session's broker and the module's registry."""
    return Shop(kafka, registry, tmp_path, topic_prefix)


def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait for a condition that becomes true, and return what it returned."""
    deadline = time.monotonic() + WITHIN_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {WITHIN_S} s for {what}"
        time.sleep(0.1)
    return found


def other_version(**more: Any) -> dict[str, Any]:
    """Touchpoint as another producer has it: in a namespace of its own, fewer fields, in another order, and one that we do not know."""
    ours = {field["name"]: field for field in bundled_schemas().current("Touchpoint").document["fields"]}
    fields = [ours[name] for name in ("occurred_at", "identifiers", "type", "event_id")]
    return {
        "type": "record",
        "name": "Touchpoint",
        "namespace": "shop.web",
        "fields": [{"name": "basket", "type": "long", "default": 0}, *fields],
        **more,
    }


def written(schema: Mapping[str, Any], number: int, kind: str) -> bytes:
    """A touchpoint of that version under that id."""
    buffer = BytesIO()
    buffer.write(b"\x00" + number.to_bytes(4, "big"))
    fields = {
        "event_id": kind,
        "type": kind,
        "occurred_at": 1_714_557_600_000,
        "basket": 7,
        "identifiers": [{"kind": "user_id", "value": "ada"}],
    }
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(dict(schema)), fields)
    return buffer.getvalue()


def test_touchpoints_of_another_version_are_read_an_unknown_id_is_a_dead_letter_and_an_outage_loses_nothing(
    shop: Shop, registry: EmbeddedRegistry
) -> None:
    """One installation through its life: registered, read, refused, cut off from the registry, and back again."""
    refused = shop.run("worker", *shop.topology, "--no-web", code=2)
    assert "run `touchstone schemas register`" in " ".join(refused.split())
    shop.run("topics", "apply", *shop.topology, "--app", f"{shop.prefix}app")
    shop.run("schemas", "register", *shop.topology)
    first = shop.client.register(f"{shop.prefix}other-value", json.dumps(other_version()))
    later_schema = other_version(doc="A later version.")
    later = shop.client.register(f"{shop.prefix}later-value", json.dumps(later_schema))
    worker = shop.start_worker()
    try:
        asyncio.run(shop.write(written(other_version(), first, "ad_view")))
        asyncio.run(shop.write(b"\x00\x00\xff\xff\xff" + b"x"))
        moments = until(lambda: asyncio.run(shop.said("moments")), "the moment of another version's touchpoint")
        letters = until(lambda: asyncio.run(shop.said("deadletters")), "the dead letter")
        os.kill(registry.pid or 0, signal.SIGSTOP)
        try:
            asyncio.run(shop.write(written(later_schema, later, "search")))
            until(lambda: b"records wait, nothing is lost" in shop.log.read_bytes(), "the worker to say that it waits")
            assert worker.poll() is None
        finally:
            os.kill(registry.pid or 0, signal.SIGCONT)
        both = until(lambda: len(found := asyncio.run(shop.said("moments"))) > 1 and found, "the moment of the record that waited")
        after = asyncio.run(shop.said("deadletters"))
        worker.terminate()
        assert worker.wait(WITHIN_S) == 0, shop.log.read_text()
    finally:
        worker.kill()

    assert [(type(moment), moment.rule) for moment in moments] == [(Moment, "saw")]
    assert [moment.rule for moment in both] == ["saw", "searched"]
    assert [(type(letter), letter.reason, letter.detail) for letter in letters] == [
        (DeadLetter, "unknown_schema", "expected the id of a known schema, found 16777215")
    ]
    assert len(after) == 1


def test_outputs_and_produced_touchpoints_carry_the_ids_of_the_registry(shop: Shop, tmp_path: Path) -> None:
    """Whoever knows the registry reads them; `tail` does."""
    shop.run("topics", "apply", *shop.topology, "--app", f"{shop.prefix}app")
    rows = [
        json.loads(line) for line in shop.run("schemas", "register", *shop.topology, "--output", "json").splitlines() if line[:1] == "{"
    ]
    ids = {row["subject"].removeprefix(shop.prefix).removesuffix("-value"): row["id"] for row in rows if "subject" in row}
    line = {"event_id": "1", "type": "search", "occurred_at": "2024-05-01T10:00:00Z", "identifiers": {"user_id": "ada"}}
    (tmp_path / "one.jsonl").write_text(json.dumps(line) + "\n")
    shop.run("produce", str(tmp_path / "one.jsonl"), *shop.topology)
    worker = shop.start_worker()
    try:
        shown = shop.run("tail", "moments", "--topic", f"{shop.prefix}moments", "--from-beginning", "--limit", "1", "--output", "json")
        until(lambda: asyncio.run(shop.said("customers")), "the customer")
        worker.terminate()
        worker.wait(WITHIN_S)
    finally:
        worker.kill()

    async def ids_in(what: str) -> set[int]:
        return {int.from_bytes(r.value[1:5], "big") async for r in read_topic(shop.kafka, [shop.prefix + what]) if r.value is not None}

    assert '"rule":"searched"' in shown.replace(" ", "")
    for what in ("web", "moments", "customers"):
        assert asyncio.run(ids_in(what)) == {ids[what]}
    assert len(set(ids.values())) == 6


def test_a_mended_touchpoint_goes_back_under_the_id_of_the_registry(shop: Shop, tmp_path: Path) -> None:
    """Judged with the registry's ids, and written with them: under the fixed one it would be another record, or none."""
    shop.client.register(f"{shop.prefix}other-value", json.dumps(other_version()))  # takes an id, so that ours are not the fixed ones
    topology, app = shop.topology, ["--app", f"{shop.prefix}app"]
    shop.run("topics", "apply", *topology, *app)
    shop.run("schemas", "register", *topology)
    line = {"event_id": "1", "type": "search", "occurred_at": "2024-05-01T10:00:00Z", "identifiers": {"user_idd": "ada"}}
    (tmp_path / "one.jsonl").write_text(json.dumps(line) + "\n")
    (tmp_path / "mended.json").write_text(json.dumps(line | {"identifiers": {"user_id": "ada"}}))
    shop.run("produce", str(tmp_path / "one.jsonl"), "--anyway", *topology)
    worker = shop.start_worker()
    try:
        (letter,) = until(lambda: asyncio.run(shop.said("deadletters")), "the dead letter")
        judged = shop.run("deadletters", "replay", "--all", "--dry-run", *topology)
        shop.run("deadletters", "replay", "--letter", letter.letter_id, "--edit", str(tmp_path / "mended.json"), *topology)
        (moment,) = until(lambda: asyncio.run(shop.said("moments")), "the moment of the mended touchpoint")
        worker.terminate()
        worker.wait(WITHIN_S)
    finally:
        worker.kill()

    assert "would be refused again: no_usable_identifier" in judged
    assert moment.rule == "searched"


def test_what_is_registered_can_be_compared_and_a_change_that_breaks_is_refused_with_the_field(shop: Shop) -> None:
    """Missing, registered, the same, broken; and the levels are those of the contract."""
    missing = shop.run("schemas", "diff", *shop.topology, code=1)
    may = shop.run("schemas", "check", *shop.topology)
    shop.run("schemas", "register", *shop.topology)
    same = shop.run("schemas", "diff", *shop.topology)
    again = shop.run("schemas", "register", *shop.topology)
    subject = f"{shop.prefix}customers-value"
    document = bundled_schemas().current("Customer").document
    richer = document | {"fields": [*document["fields"], {"name": "shoe_size", "type": "int", "default": 0}]}
    shop.client.register(subject, json.dumps(richer))
    poorer = document | {"fields": [field for field in document["fields"] if field["name"] != "revision"]}

    assert f"{shop.prefix}moments-value (Moment) is not there" in missing
    assert f"{shop.prefix}web-value (Touchpoint) is not there" in may
    assert "all 6 subjects are as they should be" in same
    assert f"{subject} (Customer) is there as" in again
    assert shop.client.level(f"{shop.prefix}web-value") == "BACKWARD_TRANSITIVE"
    assert shop.client.level(subject) == "FULL_TRANSITIVE"
    with pytest.raises(Refused, match="revision"):
        shop.client.register(subject, json.dumps(poorer))


def test_nothing_at_all_is_registered_when_one_schema_would_break_what_is_there(shop: Shop) -> None:
    """A subject that somebody filled with something else: the field is named, and the other subjects stay as they were."""
    subject = f"{shop.prefix}moments-value"
    document = bundled_schemas().current("Moment").document
    strange = document | {"fields": [*document["fields"], {"name": "mood", "type": "string"}]}
    shop.client.register(subject, json.dumps(strange))

    checked = shop.run("schemas", "check", *shop.topology, code=1)
    registered = shop.run("schemas", "register", *shop.topology, code=1)

    for said in (checked, registered):
        assert (
            "Moment.mood has no default in version 1 and is missing in this version: version 1 cannot read records of this version" in said
        )
    assert "nothing was registered" in registered
    assert shop.client.versions(f"{shop.prefix}customers-value") == []


def test_the_embedded_registry_dies_with_whoever_started_it() -> None:
    """Killed -9, it leaves no process behind."""
    program = "from touchstone.devkit.registry import EmbeddedRegistry as R\nr = R()\nr.start()\nprint(r.pid, flush=True)\nimport time\ntime.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        alive = Path(f"/proc/{pid}").exists()
        parent.kill()

    assert alive
    until(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3], "its end")

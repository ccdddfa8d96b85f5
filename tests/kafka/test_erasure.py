"""A person is forgotten on a live system: what was shown is done, nobody else loses anything, and no byte of her stays."""

import asyncio
import itertools
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from click.testing import CliRunner

from tests.kafka.test_end_to_end import until
from tests.kafka.test_generations import nobody_is_left, topics
from touchstone.cli.erase import erase
from touchstone.cli.output import Output
from touchstone.devkit.broker import EmbeddedKafka
from touchstone.devkit.live import LiveSystem
from touchstone.generations import read_forgotten
from touchstone.model.output import Customer
from touchstone.pipeline import stages_of
from touchstone.runtime.names import changelog_topic
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.view import FinalView

ADA, COOKIE, CITY = "ada-zq7x31kf@x.org", "cookie-w93jq0vb72", "Qxwurtzbach-77301"
"""What nobody else has: letters that a compressor leaves as they are."""
BOB = "bob-5hq2lm80tt"
HERS = (ADA.encode(), COOKIE.encode(), CITY.encode())


def line(number: int, what: str, at: str, channel: str = "app", profile: dict[str, str] | None = None, **identifiers: str) -> bytes:
    """One touchpoint."""
    stated = {"event_id": f"e{number}", "channel": channel, "type": what, "occurred_at": f"2026-03-02T{at}:00Z", "identifiers": identifiers}
    return json.dumps(stated | {"profile": profile or {}}).encode()


LINES = [
    line(1, "search", "09:00", "web", cookie=COOKIE),
    line(2, "cart_add", "09:10", email=ADA, profile={"city": CITY}),
    line(3, "login", "09:20", "web", cookie=COOKIE, email=ADA),
    line(4, "login", "09:30", email=ADA, device_id="dev9"),
    line(5, "order_paid", "09:40", user_id=BOB, device_id="dev9"),
    line(6, "page_view", "09:50", device_id="dev9"),
]


class Officer:
    """Erases through the command line."""

    def __init__(self, system: LiveSystem) -> None:
        self._place = ["--bootstrap", system.bootstrap, "--app", system.app, "--topic-prefix", system.prefix, "--output", "json"]
        self._place += ["--partitions", str(system.topology.partitions), "--topology", str(system.topology_file)]

    async def says(self, *words: str) -> list[dict[str, Any]]:
        """What the command line prints."""
        result = await asyncio.to_thread(
            CliRunner().invoke, erase, [*words, *self._place], obj=Output(), catch_exceptions=False, standalone_mode=False
        )
        assert not result.exception, result.output
        assert result.exit_code == 0, result.output
        return [json.loads(text) for text in result.stdout.splitlines()]


async def compact_at_once(system: LiveSystem) -> None:
    """Let Kafka do within a second what it does within two days: the settings differ in their times alone."""
    admin = AIOKafkaAdminClient(bootstrap_servers=system.bootstrap)
    await admin.start()
    try:
        times = {"segment.ms": "500", "max.compaction.lag.ms": "1", "delete.retention.ms": "0", "min.cleanable.dirty.ratio": "0.0001"}
        topics = [system.topology.topics.customers, *(changelog_topic(system.app, stage) for stage in stages_of(system.topology))]
        kept = {"cleanup.policy": "compact", "max.message.bytes": "67108864"}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, kept | times) for topic in topics])
    finally:
        await admin.close()


def holding(files: Iterable[Path], wanted: Iterable[bytes]) -> list[str]:
    """The files that hold one of these."""
    found = []
    for path in files:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue  # deleted meanwhile, which is what we wait for
        found += [path.name for one in wanted if one in content]
    return found


def state_files(system: LiveSystem) -> list[Path]:
    """Everything that workers have on disk, but for their logs."""
    return [path for path in system.folder.rglob("*") if path.is_file() and path.name != "log"]


def log_files(data: Path, system: LiveSystem) -> list[Path]:
    """The segments of the changelogs and of the customers."""
    topics = [system.topology.topics.customers, *(changelog_topic(system.app, stage) for stage in stages_of(system.topology))]
    return [path for topic in topics for path in data.glob(f"{topic}-*/*.log*")]


@pytest.mark.timeout(300)
def test_nothing_of_a_merged_person_on_a_shared_device_is_left(tmp_path: Path) -> None:
    """The dry run names what the receipt says; Bob and the device stay; every byte of her is gone from state, changelogs and customers; what is
    sent again does not bring her back; whoever registers later is somebody new.
    """
    topology = replace(load_topology(default_topology_path()), partitions=2, clock="event")
    receipt = tmp_path / "receipt.json"

    async def story(system: LiveSystem, data: Path) -> None:
        officer, names = Officer(system), system.topology.topics
        await system.create_topics()
        system.start("w1")
        await system.until_ready("w1")
        await system.send(LINES)
        await system.until_quiet(None)
        before = FinalView(await system.records()).customers
        hers = {name for name, one in before.items() if any(each["value"] in (ADA, COOKIE) for each in one.identifiers)}
        bobs = [one for one in before.values() if any(each["value"] == BOB for each in one.identifiers)]
        assert set(holding(state_files(system), [ADA.encode()])), "the scan finds what is there"
        assert set(holding(log_files(data, system), HERS)), "the scan finds what is there"

        asked = (f"cookie:{COOKIE}", "--who", "ann", "--why", "request 4711")
        (tried,) = await officer.says(*asked, "--dry-run")
        shown, written = await officer.says(*asked, "--yes", "--receipt", str(receipt))

        assert shown["forgotten"] == tried["forgotten"] == written["forgotten"]
        assert (shown["by_kind"], shown["touchpoints"]) == ({"cookie": 1, "email": 1}, 4)
        assert hers <= set(written["customers"])
        assert holding([receipt], HERS) == []
        places = {place["topic"]: place["until"] for place in written["places"]}
        assert places[names.commands] == "for ever"
        assert set(places) >= {channel.topic for channel in system.topology.channels.values()}
        (checked,) = await officer.says("verify", str(receipt))
        assert checked["is_genuine"]

        await compact_at_once(system)
        numbers = itertools.count(100)

        async def is_gone() -> int:
            """Other customers go on meanwhile: a segment is closed when something is written behind it."""
            await system.send([line(next(numbers), "search", "11:00", cookie=f"other{n}") for n in range(20)])
            await system.until_quiet(None)
            return not holding([*state_files(system), *log_files(data, system)], HERS)

        await until(is_gone, "no byte of her to be left", seconds=120)

        await system.send(
            [line(900 + n, what, at, email=ADA, profile={"city": CITY}) for n, (what, at) in enumerate([("cart_add", "09:10")])]
        )
        await system.send(LINES)
        await system.until_quiet(None)
        records = await system.records()
        view = FinalView(records)
        active = [one for one in view.customers.values() if one.status == "active"]
        assert not any(each["value"] in (ADA, COOKIE) for one in active for each in one.identifiers)
        (bob,) = [one for one in active if any(each["value"] == BOB for each in one.identifiers)]
        assert bob == bobs[0]
        (device,) = [one for one in active if any(each["value"] == "dev9" for each in one.identifiers)]
        assert device.interactions[0]["count"] == 1

        later = json.loads(line(999, "search", "09:00", email=ADA)) | {"occurred_at": written["written_at"]}
        await system.send([json.dumps(later).encode()])
        await system.until_quiet(None)
        found = [r for r in await system.records([names.customers]) if isinstance(r, Customer) and r.status == "active"]
        (again,) = {one.customer_id: one for one in found if any(each["value"] == ADA for each in one.identifiers)}.values()
        assert again.customer_id not in hers
        assert (again.attributes, [each["count"] for each in again.interactions]) == ((), [1])
        assert len(await read_forgotten(system.topology, system.bootstrap)) == len(written["forgotten"])

    with EmbeddedKafka(folder=tmp_path / "kafka", properties={"log.cleaner.backoff.ms": "200"}) as broker:
        folder = tmp_path / "workers"
        system = LiveSystem(broker.bootstrap, default_topology_path(), topology, folder, app="erasing", prefix="e.", session_timeout_s=3)
        try:
            asyncio.run(story(system, tmp_path / "kafka" / "data"))
        finally:
            system.stop()


@pytest.mark.timeout(300)
def test_a_state_that_is_built_anew_does_not_know_her(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """All her touchpoints are still in their topics, and are read again from the first on: the privacy log is read before them."""
    topology = replace(load_topology(default_topology_path()), partitions=2, clock="event")
    system = LiveSystem(
        kafka, default_topology_path(), topology, tmp_path, app=f"{topic_prefix}app", prefix=topic_prefix, session_timeout_s=3
    )

    async def story() -> None:
        officer = Officer(system)
        await system.create_topics()
        system.start("w1")
        await system.until_ready("w1")
        await system.send(LINES)
        await system.until_quiet(None)
        _, written = await officer.says(f"cookie:{COOKIE}", "--who", "ann", "--why", "request 4711", "--yes")
        await system.until_quiet(None)
        believed = FinalView(await system.records()).customers
        assert set((await asyncio.to_thread(system.stop)).values()) == {0}
        await until(lambda: nobody_is_left(system), "the group to be empty")

        code, said = await topics(system, "rebuild", "--yes")
        assert code == 0, said
        system.generation = 2
        system.start("w1")
        await system.until_ready("w1")
        await system.until_quiet(None)

        view = FinalView(await system.records())
        active = {name: one for name, one in view.customers.items() if one.status == "active"}
        assert not any(each["value"] in (ADA, COOKIE) for one in active.values() for each in one.identifiers)
        assert active.keys() == {name for name, one in believed.items() if one.status == "active"}
        assert all(view.customers[name].status == "erased" for name in written["customers"])
        fresh = [path for path in state_files(system) if path.parent.name.startswith("g2-")]
        assert holding(fresh, [BOB.encode()]), "the scan finds what is there"
        assert holding(fresh, HERS) == []

    try:
        asyncio.run(story())
    finally:
        system.stop()

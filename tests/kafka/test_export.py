"""What a person is given by a live system while it works: the same as the twin of a file says, and nothing of anybody else."""

import asyncio
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from touchstone.app import topic_specs
from touchstone.cli.export import export
from touchstone.cli.output import Output
from touchstone.devkit.live import LiveSystem
from touchstone.runtime.client import ends
from touchstone.simulate import simulate
from touchstone.topology.load import default_topology_path, load_topology

ALICE, BOB, DEVICE = {"user_id": "alice-17"}, {"user_id": "bob-23", "email": "bob@secret.example"}, {"device_id": "dev-9"}
OF_BOB = ("bob", "robertissimo", "secret", "d1", "b1", "b2", "b3")
_BESIDE = ("made_at", "known_until", "said_at", "taken_back_at", "at", "retention", "topic")
"""What a system with another clock and other names of topics says otherwise."""


def line(number: str, what: str, at: str, identifiers: dict[str, str], **more: Any) -> bytes:
    """One touchpoint."""
    stated = {"event_id": number, "channel": "web", "type": what, "occurred_at": f"2026-03-02T{at}:00Z", "identifiers": identifiers}
    return json.dumps(stated | more).encode()


LINES = [
    line("a1", "search", "11:00", ALICE | DEVICE, profile={"city": "Bonn"}, consents={"marketing": True}),
    line("c1", "search", "10:00", {"loyalty_id": "card-7"}, profile={"given_name": "Ada"}),
    line("d1", "cart_add", "11:03", DEVICE),
    line("b1", "ad_view", "11:05", BOB | DEVICE, profile={"given_name": "Robertissimo"}),
    line("a2", "cart_add", "11:10", ALICE | {"cookie": "ck-a"}, properties={"friend": "Bob@Secret.example", "sum": 3.5}),
    line("b2", "order_paid", "11:12", BOB, properties={"order": "secret"}),
    line("a3", "login", "11:20", ALICE | {"loyalty_id": "card-7"}),
    *(line(f"n{n}", "search", "11:30", {"cookie": f"other{n}"}) for n in range(30)),
]


def comparable(value: Any) -> Any:
    """An export without what may differ."""
    if isinstance(value, dict):
        return {name: comparable(inner) for name, inner in value.items() if name not in _BESIDE}
    if isinstance(value, list):
        return sorted((comparable(inner) for inner in value), key=str)
    return value


def named(texts: Iterable[str]) -> list[str]:
    """Which words of Bob's stand in them."""
    return [word for text in texts for word in OF_BOB if re.search(rf"(?<!\w){word}(?!\w)", text, re.IGNORECASE)]


def test_a_person_of_a_live_system_is_given_what_its_twin_says_of_her(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """Two workers on four partitions; nothing is written to any topic by it, and nothing of Bob, who uses the same device, stands in a file."""
    topology = replace(load_topology(default_topology_path()), partitions=4, clock="event")
    system = LiveSystem(
        kafka, default_topology_path(), topology, tmp_path / "workers", app=f"{topic_prefix}app", prefix=topic_prefix, session_timeout_s=3
    )
    events, page, document = tmp_path / "events.jsonl", tmp_path / "a.html", tmp_path / "a.json"
    events.write_bytes(b"\n".join(LINES))
    place = ["--bootstrap", kafka, "--app", system.app, "--topic-prefix", topic_prefix, "--partitions", "4"]
    topics = [spec.name for spec in topic_specs(system.topology, system.app)]

    async def given(*words: str) -> None:
        result = await asyncio.to_thread(
            CliRunner().invoke, export, ["user_id:alice-17", *words], obj=Output(), catch_exceptions=False, standalone_mode=False
        )
        assert not result.exception

    async def story() -> None:
        await system.create_topics()
        for name in ("w1", "w2"):
            system.start(name)
            await system.until_ready(name)
        await system.send(LINES)
        await system.until_quiet(simulate(LINES, system.topology).as_of)
        before = await ends(kafka, topics)

        await given(*place, "--html", str(page), "--json", str(document))
        await given("--file", str(events), "--json", str(tmp_path / "twin.json"))

        assert await ends(kafka, topics) == before

    try:
        asyncio.run(story())
    finally:
        system.stop()
    live, twin = (json.loads(path.read_text("utf-8")) for path in (document, tmp_path / "twin.json"))
    assert named([page.read_text("utf-8"), document.read_text("utf-8")]) == []
    assert [each["event_id"] for each in live["touchpoints"]] == ["c1", "a1", "a2", "a3"]
    assert [each["value"] for each in live["identifiers"] if not each["is_shared"]] == ["ck-a", "card-7", "alice-17"]
    for section in ("identifiers", "attributes", "consents", "interactions", "journeys", "touchpoints", "customer_id"):
        assert comparable(live[section]) == comparable(twin[section]), section
    standing = [[each for each in told["moments"] if each["stands"]] for told in (live, twin)]
    assert [each["moment_id"] for each in standing[0]] == [each["moment_id"] for each in standing[1]]
    assert f"{topic_prefix}moments.v1" in {each["topic"] for each in live["recipients"]}

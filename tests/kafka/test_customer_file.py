"""An existing customer file on a real broker: it becomes customers, and a second time changes nothing."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner, Result

from touchstone.app import channel_topics
from touchstone.cli.output import Output
from touchstone.cli.produce import produce
from touchstone.cli.quality import of_file, of_system
from touchstone.devkit.live import LiveSystem
from touchstone.runtime import client
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.view import Final, FinalView

MAPPING = """\
source: crm
occurred_at: {column: changed, format: "%d.%m.%Y", constant: 2026-11-01T00:00:00Z}
identifiers: {user_id: number, email: mail}
profile: {first_name: given, city: city, birth_date: {column: born, as: date, format: "%d.%m.%Y"}}
consents: {marketing: optin}
"""
JANUARY = 1_798_761_600_000  # 2027
ROWS = [f"K{n};Name {n};k{n}@x.org;Ulm;{n % 28 + 1:02d}.01.1990;ja;02.10.2026" for n in range(200)]
BAD = "K900;Bad;bad@x.org;Ulm;31.02.1990;ja;02.10.2026"


def test_a_customer_file_produced_twice_adds_nothing(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """200 rows become 200 golden records with their provenance, the bad one none; the same file again, and the final view is the same.

    So are the figures of their quality, from the topics or, offline, from the file. That the second time did arrive is proven by the offsets: as many records again stand in the channel's topic, all of them read.
    """
    file, mapping = tmp_path / "customers.csv", tmp_path / "mapping.yaml"
    file.write_text("\n".join(["number;given;mail;city;born;optin;changed", *ROWS, BAD]) + "\n")
    mapping.write_text(MAPPING)
    topology = replace(load_topology(default_topology_path()), partitions=2, clock="event")
    system = LiveSystem(
        kafka, default_topology_path(), topology, tmp_path, app=f"{topic_prefix}app", prefix=topic_prefix, session_timeout_s=6
    )
    arguments = (str(file), "--mapping", str(mapping), "--topic-prefix", topic_prefix, "--bootstrap", kafka, "--output", "json")

    def send() -> Result:
        return CliRunner().invoke(produce, arguments, obj=Output(), standalone_mode=False)

    async def seen() -> tuple[Final, int]:
        await system.until_quiet(None)
        ends = await client.group_lag(kafka, system.app, channel_topics(system.topology))
        final = FinalView(await system.records()).final(0, topology.retention_ms)
        return final, sum(lag.end - lag.beginning for lag in ends)

    async def story() -> None:
        await system.create_topics()
        system.start("w1")
        await system.until_ready("w1")
        first = await asyncio.to_thread(send)
        once, records = await seen()
        await asyncio.to_thread(send)
        twice, doubled = await seen()

        told = json.loads(first.stdout)
        assert (first.return_value, told["rows"], told["sent"], told["refused"]) == (1, 201, 200, 1)
        assert (records, doubled) == (200, 400)
        assert twice == once
        assert len(once["customers"]) == 200
        assert once["deadletters"] == []
        (ada,) = [each for each in once["customers"] if {"user_id:K7"} & {f"{i['kind']}:{i['value']}" for i in each["identifiers"]}]
        attributes = {each["name"]: (each["value"], each["source"], each["occurred_at"]) for each in ada["attributes"]}
        assert attributes["birth_date"] == ('"1990-01-08"', "crm", "2026-10-02T00:00:00.000Z")
        assert [(each["purpose"], each["granted"]) for each in ada["consents"]] == [("marketing", True)]

        live = await of_system(kafka, system.topology, JANUARY)
        offline = of_file(str(file), mapping, system.topology, JANUARY)
        assert live.figures() == offline.figures()
        assert {(one.attribute, one.source): one.stated for one in live.figures()}["birth_date", "crm"] == 200

    try:
        asyncio.run(story())
    finally:
        system.stop()

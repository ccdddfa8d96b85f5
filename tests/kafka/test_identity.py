"""A steward's command on a live system: tried on a copy, given, seen, undone, and the same in the twin."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner

from touchstone.cli.explain import explain
from touchstone.cli.identity import identity
from touchstone.cli.output import Output
from touchstone.contracts.codec import bundled_codec
from touchstone.devkit.live import LiveSystem
from touchstone.runtime.client import read_topic
from touchstone.simulate import simulate
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.view import FinalView, diff


def line(number: int, what: str, at: str, channel: str = "app", **identifiers: str) -> bytes:
    """One touchpoint."""
    stated = {"event_id": f"e{number}", "channel": channel, "type": what, "occurred_at": f"2026-03-02T{at}:00Z", "identifiers": identifiers}
    return json.dumps(stated).encode()


LINES = [
    line(1, "search", "09:00", "web", user_id="u1", cookie="c1"),
    line(2, "cart_add", "09:30", device_id="app7"),
    line(3, "login", "10:00", device_id="app7", user_id="u1"),
    *(line(10 + n, "search", "10:30", cookie=f"other{n}") for n in range(30)),
]


class Steward:
    """Gives commands through the command line."""

    def __init__(self, system: LiveSystem) -> None:
        self._place = ["--bootstrap", system.bootstrap, "--app", system.app, "--topic-prefix", system.prefix, "--output", "json"]
        self._place += ["--partitions", str(system.topology.partitions), "--topology", str(system.topology_file)]

    async def says(self, *words: str) -> list[dict[str, Any]]:
        """What the command line prints."""
        return await self._run(identity, [*words, "--who", "ann", "--why", "two brothers"])

    async def explains(self, *words: str) -> list[dict[str, Any]]:
        """Why they are one, or why not."""
        return await self._run(explain, ["identity", *words])

    async def _run(self, command: click.Command, words: list[str]) -> list[dict[str, Any]]:
        result = await asyncio.to_thread(
            CliRunner().invoke, command, words + self._place, obj=Output(), catch_exceptions=False, standalone_mode=False
        )
        assert not result.exception
        return [json.loads(text) for text in result.stdout.splitlines()]


def said(records: Iterable[dict[str, Any]]) -> set[tuple[str, ...]]:
    """What of records is the same in the twin and live."""
    return {
        (each["record"], *(str(each.get(name)) for name in ("customer_id", "moment_id", "action", "status", "kind", "rule", "command")))
        for each in records
    }


def test_a_split_does_what_was_shown_and_undo_restores_what_was(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """On four partitions; a dry run changes nothing; live equals the twin of the touchpoints with the commands, in the end."""
    topology = replace(load_topology(default_topology_path()), partitions=4, clock="event")
    system = LiveSystem(
        kafka, default_topology_path(), topology, tmp_path, app=f"{topic_prefix}app", prefix=topic_prefix, session_timeout_s=3
    )
    steward = Steward(system)

    async def story() -> None:
        await system.create_topics()
        system.start("w1")
        await system.until_ready("w1")
        await system.send(LINES)
        truth = simulate(LINES, system.topology)
        await system.until_quiet(truth.as_of)

        (tried,) = await steward.says("split", "device_id:app7", "--dry-run")
        assert [len(tried["before"]), len(tried["after"])] == [1, 2]
        assert [row async for row in read_topic(kafka, [system.topology.topics.commands])] == []

        shown, given = await steward.says("split", "device_id:app7", "--id", "s1", "--yes")
        assert said(given["records"]) == said(shown["records"])
        assert {each["command"] for each in given["records"] if each["record"] == "identity"} == {"s1"}
        assert shown["after"] == tried["after"]

        (told,) = await steward.explains("user_id:u1", "device_id:app7")
        assert (told["verdict"], {ruling["command"] for ruling in told["kept_apart"]}) == ("two", {"s1"})

        shown, given = await steward.says("undo", "s1", "--id", "w1", "--yes")
        assert said(given["records"]) == said(shown["records"])
        assert shown["after"] == tried["before"]

        await system.until_quiet(truth.as_of)
        live = FinalView(await system.records()).final(truth.as_of, system.topology.retention_ms)
        assert diff(live, truth.final) == []
        commands = [bundled_codec().decode(record.value or b"")[1] async for record in read_topic(kafka, [system.topology.topics.commands])]
        assert [command["action"] for command in commands] == ["split", "undo"]

    try:
        asyncio.run(story())
    finally:
        system.stop()

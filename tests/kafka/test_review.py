"""Reviews on a live system: listed, shown, answered, and the same in the twin; and a model learnt from its topics."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner

from touchstone.cli.explain import explain
from touchstone.cli.match import match
from touchstone.cli.output import Output
from touchstone.cli.review import review
from touchstone.devkit.live import LiveSystem
from touchstone.simulate import simulate
from touchstone.topology.load import load_topology
from touchstone.view import FinalView, diff

TOPOLOGY = """\
version: 1
name: shop
clock: event
partitions: 4
channels: {store: {}}
identifiers: {email: {normalise: email}, loyalty_id: {}}
matching:
  attributes: {first: given_name, last: family_name, born: birth_date, street: street, town: city}
  accept: 0.95
"""
ADA = {"first": "Ada", "last": "Lovelace", "born": "1985-12-10", "street": "12 St James Square", "town": "London"}
ADAH = {"first": "Adah", "last": "Lovelace", "street": "14 St James Square", "town": "London"}


def line(number: int, profile: dict[str, str], **identifiers: str) -> bytes:
    """One touchpoint."""
    stated = {"event_id": f"e{number}", "channel": "store", "type": "profile", "occurred_at": f"2026-03-02T10:{number:02}:00Z"}
    return json.dumps(stated | {"identifiers": identifiers, "profile": profile}).encode()


LINES = [
    line(1, ADA, email="ada@x.org"),
    line(2, ADA, loyalty_id="L7"),
    line(3, ADAH, loyalty_id="L8"),
    *(
        line(10 + n, {"first": first, "last": last, "town": town}, loyalty_id=f"B{n}")
        for n, (first, last, town) in enumerate(
            [
                ("Grace", "Hopper", "New York"),
                ("Emmy", "Noether", "Erlangen"),
                ("Hedy", "Lamarr", "Wien"),
                ("Maryam", "Mirzakhani", "Tehran"),
            ]
        )
    ),
]


def test_a_review_is_seen_answered_and_the_twin_agrees(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """On four partitions; what was shown is said, the answer stands on the topic, and a model can be learnt from what lies in Kafka."""
    file = tmp_path / "t.yaml"
    file.write_text(TOPOLOGY)
    topology = replace(load_topology(file), clock="event")
    system = LiveSystem(kafka, file, topology, tmp_path, app=f"{topic_prefix}app", prefix=topic_prefix, session_timeout_s=3)
    place = ["--bootstrap", kafka, "--topic-prefix", topic_prefix, "--topology", str(file), "--output", "json"]

    async def says(command: click.Command, *words: str, app: bool = True) -> list[dict[str, Any]]:
        given = [*words, *place, *(["--app", system.app] if app else [])]
        result = await asyncio.to_thread(CliRunner().invoke, command, given, obj=Output(), catch_exceptions=False, standalone_mode=False)
        assert not result.exception
        return [json.loads(text) for text in result.stdout.splitlines()]

    async def story() -> None:
        await system.create_topics()
        system.start("w1")
        await system.until_ready("w1")
        await system.send(LINES)
        truth = simulate(LINES, system.topology)
        await system.until_quiet(truth.as_of)
        live = FinalView(await system.records()).final(truth.as_of, system.topology.retention_ms)
        assert diff(live, truth.final) == []
        assert len(live["reviews"]) == 2

        found = await says(review, "list")
        asked = next(one for one in found if {each["value"] for each in one["identifiers"]} == {"L7", "L8"})
        (told,) = await says(review, "show", asked["review_id"][:6])
        sides = {side["identifier"]: side for side in told["sides"]}
        assert sides["loyalty_id:L8"]["values"]["given"] == "adah"
        assert sides["loyalty_id:L7"]["identifiers"] == ["email:ada@x.org", "loyalty_id:L7"]
        (refused,) = await says(explain, "identity", "loyalty_id:L8")
        assert {step["refused"] for step in refused["refused"]} == {"score"}

        shown, given = await says(review, "accept", asked["review_id"], "--id", "a1", "--yes", "--who", "ann", "--why", "her hand")
        answers = {(each["review_id"], each["status"]) for each in given["records"] if each["record"] == "review"}
        assert (asked["review_id"], "accepted") in answers
        assert answers == {(each["review_id"], each["status"]) for each in shown["records"] if each["record"] == "review"}
        assert [one["command"] for one in await says(review, "list", "--status", "accepted")] == ["a1"]
        (one,) = await says(explain, "identity", "loyalty_id:L8", "loyalty_id:L7")
        assert one["verdict"] == "one"

        model = tmp_path / "model.json"
        (learnt,) = await says(match, "train", "--from-topics", "--model", str(model), app=False)
        assert learnt["records"] == 7
        assert json.loads(model.read_bytes())["version"] == learnt["version"]

    try:
        asyncio.run(story())
    finally:
        system.stop()

"""E1 to its end: what was refused is looked at, mended and sent again, and the end is as if it had been right at first."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from touchstone.cli.deadletters import deadletters
from touchstone.cli.output import Output
from touchstone.devkit.live import LiveSystem
from touchstone.model.output import DeadLetter
from touchstone.simulate import simulate
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.view import FinalView, diff

HOUR = {"search": 9, "cart_add": 10, "order_paid": 11}


def line(event_id: str, what: str, **changes: object) -> bytes:
    """A touchpoint of Ada's."""
    at = f"2024-05-01T{HOUR[what]:02}:00:00Z"
    stated = {"event_id": event_id, "channel": "web", "type": what, "occurred_at": at, "identifiers": {"email": "ada@x.org"}}
    return json.dumps(stated | changes).encode()


RIGHT = [line("e1", "search"), line("e2", "cart_add"), line("e3", "order_paid")]
MENDED = RIGHT[1]
BROKEN = line("e2", "cart_add", occurred_at="about ten")


class Desk:
    """Whoever mends data: a live system, and the command on its topics."""

    def __init__(self, system: LiveSystem) -> None:
        self.system = system

    async def says(self, *arguments: str, given: bytes = b"") -> list[dict[str, Any]]:
        """What the command answers in JSON."""
        result = await self.run(*arguments, "--output", "json", given=given)
        assert result.exception is None, result.exception
        return [json.loads(each) for each in result.stdout.splitlines()]

    async def run(self, *arguments: str, given: bytes = b"") -> Result:
        """Run the command beside the event loop, as another process would."""
        here = ["--bootstrap", self.system.bootstrap, "--topic-prefix", self.system.prefix, "--topology", str(self.system.topology_file)]
        return await asyncio.to_thread(
            CliRunner().invoke, deadletters, [*arguments, *here], obj=Output(), input=given, standalone_mode=False
        )

    async def quiet(self) -> None:
        """Everything that was sent is worked on."""
        await self.system.until_quiet(None, seconds=60)

    async def differences(self, lines: list[bytes]) -> list[str]:
        """Between what readers believe now and what the twin says of these lines; dead letters are a log and left out."""
        truth = simulate(lines, self.system.topology)
        now = FinalView(await self.system.records()).final(truth.as_of, self.system.topology.retention_ms)
        return diff(now | {"deadletters": []}, truth.final | {"deadletters": []})


@pytest.fixture
def on_desk(kafka: str, topic_prefix: str, tmp_path: Path) -> Callable[..., None]:
    """Runs a story at the desk of a system of its own, with one worker."""

    def run(story: Callable[[Desk], Any], text: str | None = None) -> None:
        file = tmp_path / "topology.yaml"
        file.write_text(text or default_topology_path().read_text())
        topology = replace(load_topology(file), partitions=2, clock="event")
        system = LiveSystem(kafka, file, topology, tmp_path / "state", app=f"{topic_prefix}app", prefix=topic_prefix, session_timeout_s=3)

        async def told() -> None:
            await system.create_topics()
            system.start("w1")
            await system.until_ready("w1")
            await story(Desk(system))

        try:
            asyncio.run(told())
        finally:
            system.stop()

    return run


def test_a_mended_touchpoint_heals_the_order_and_its_letter_is_settled(on_desk: Callable[..., None]) -> None:
    """In the middle of a journey something was refused; corrected and sent again it takes its place, as the twin says of the right lines."""

    async def story(desk: Desk) -> None:
        await desk.system.send([RIGHT[0], BROKEN, RIGHT[2]])
        await desk.quiet()
        assert await desk.differences(RIGHT)

        (letter,) = await desk.says("list", "--reason", "invalid_time", "--channel", "web")
        (dry,) = (await desk.says("replay", "--letter", letter["letter_id"], "--edit", "-", "--dry-run", given=MENDED))[:1]
        assert (letter["state"], letter["tries"], dry["outcome"]) == ("open", 0, "would be used")
        assert await desk.differences(RIGHT)

        await desk.says("replay", "--letter", letter["letter_id"][:8], "--edit", "-", given=MENDED)
        await desk.quiet()

        assert await desk.differences(RIGHT) == []
        assert await desk.says("list") == []
        assert [each["state"] for each in await desk.says("list", "--settled")] == ["replayed"]

    on_desk(story)


def test_original_bytes_are_sent_again_once_the_topology_knows_their_channel(on_desk: Callable[..., None]) -> None:
    """An unknown channel is nobody's fault for ever: with an alias for it the same bytes count, at their own time."""
    fax = line("e2", "cart_add", channel="fax")

    async def story(desk: Desk) -> None:
        await desk.system.send([RIGHT[0], fax, RIGHT[2]])
        await desk.quiet()
        (refused,) = (await desk.says("replay", "--reason", "unknown_channel", "--dry-run"))[:1]
        assert refused["outcome"] == "would be refused again: unknown_channel"

        file = desk.system.topology_file
        file.write_text(file.read_text().replace("aliases: [website", "aliases: [fax, website", 1))
        desk.system.stop()
        desk.system.start("w1")
        await desk.system.until_ready("w1")
        await desk.says("replay", "--reason", "unknown_channel")
        await desk.quiet()

        assert await desk.differences(RIGHT) == []
        assert await desk.says("list") == []

    on_desk(story)


def test_what_is_refused_again_counts_its_tries_and_is_left_alone_in_the_end(on_desk: Callable[..., None]) -> None:
    """Each replay of the same fault makes one new letter, and after so many tries none; nothing goes round in circles."""

    async def story(desk: Desk) -> None:
        await desk.system.send([BROKEN])
        await desk.quiet()
        for tried in range(2):
            (letter,) = await desk.says("list")
            assert letter["tries"] == tried
            await desk.says("replay", "--all", "--max-tries", "2", "--anyway")
            await desk.quiet()
        (left, summary) = await desk.says("replay", "--all", "--max-tries", "2", "--anyway")

        assert left["outcome"].startswith("was sent again 2 times")
        assert summary == {"done": "replayed", "letters": 0, "left_alone": 1, "refused_again": 0}
        letters = [r for r in await desk.system.records() if isinstance(r, DeadLetter)]
        assert len(letters) == 3
        assert {each.value for each in letters} == {BROKEN}

    on_desk(story)


def test_a_wrong_correction_is_not_sent_and_a_dropped_letter_stays_dropped(on_desk: Callable[..., None]) -> None:
    """What this topology would refuse again is refused at once; what is put aside is neither listed nor sent, and not deleted."""

    async def story(desk: Desk) -> None:
        await desk.system.send([BROKEN, b"{"])
        await desk.quiet()
        result = await desk.run("replay", "--reason", "invalid_time", "--edit", "-", given=line("e2", "cart_add", occurred_at="ten"))
        assert "would be refused again, invalid_time" in str(result.exception)
        everything = await desk.run("drop")
        assert "--all means all of them" in str(everything.exception)

        await desk.says("drop", "--reason", "invalid_json")
        await desk.says("replay", "--reason", "invalid_json")

        assert [each["reason"] for each in await desk.says("list")] == ["invalid_time"]
        assert sorted(each["state"] for each in await desk.says("list", "--settled")) == ["dropped", "open"]
        assert sum(isinstance(r, DeadLetter) for r in await desk.system.records()) == 2

    on_desk(story)


def test_nothing_personal_is_shown_unless_asked_for(on_desk: Callable[..., None]) -> None:
    """`list` and `show` keep the values of the record to themselves; `--reveal` does not."""

    async def story(desk: Desk) -> None:
        await desk.system.send([BROKEN])
        await desk.quiet()
        (letter,) = await desk.says("list")
        plain = [await desk.run(*words) for words in (["list"], ["list", "--output", "json"], ["show", letter["letter_id"]])]
        (hidden,) = await desk.says("show", letter["letter_id"])
        (shown,) = await desk.says("show", letter["letter_id"], "--reveal")

        assert "@x.org" not in "".join(each.output for each in plain) + json.dumps(hidden)
        assert hidden["content"]["occurred_at"] == "about ten"
        assert hidden["content"]["identifiers"] == {"email": "(text of 9)"}
        assert shown["content"]["identifiers"] == {"email": "ada@x.org"}

    on_desk(story)

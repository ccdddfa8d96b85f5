"""Too much of one customer, on a real broker: a robot floods a channel (E5), somebody goes to and fro (C10); nobody else suffers from it."""

import json
from functools import partial
from itertools import count, islice
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.kafka.test_end_to_end import run, system_on
from touchstone.contracts.partitioner import partition_of
from touchstone.devkit.audience import Audience
from touchstone.devkit.live import LiveSystem
from touchstone.intake.lines import prepare_line
from touchstone.model.output import Customer, IdentityChange, Moment
from touchstone.runtime import client
from touchstone.simulate import simulate
from touchstone.topology.load import default_topology_path
from touchstone.view import FinalView, diff

NOON_MS = 1_715_601_600_000
A_DAY = 300
"""So many touchpoints of the robot count; it sends them within seconds."""
OTHERS = 20
FLOOD = 24_000
"""Some seconds of work, of which others need a small part to be heard."""


def touchpoint(name: str, kind: str, at: int, **identifiers: str) -> bytes:
    """A line of the web shop."""
    return json.dumps({"event_id": name, "channel": "web", "type": kind, "occurred_at": at, "identifiers": identifiers}).encode()


def is_caused_by(name: str, moment: Moment) -> bool:
    """Whether a touchpoint of that name brought it about."""
    return name in moment.touchpoints


def place(system: LiveSystem, line: bytes) -> int:
    """In which partition of its channel a line lies."""
    return partition_of(prepare_line(line, system.topology).key or b"", system.topology.partitions)


def test_a_flood_of_one_cookie_holds_nobody_else_back_and_is_cut_off_and_said(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """E5: a robot has sent faster than can be read. What others do meanwhile is said while the flood is being read; what stands in the end is the
    twin's, with so much of the robot as a day may have, which is counted and said once.
    """
    file = tmp_path / "topology.yaml"
    file.write_text(default_topology_path().read_text().replace("limits: {", f"limits: {{touchpoints_per_day: {A_DAY}, ", 1))
    system = system_on(kafka, tmp_path / "state", topic_prefix, file)
    (web,) = {channel.topic for name, channel in system.topology.channels.items() if name == "web"}
    flood = [touchpoint(f"bot{n}", "search", NOON_MS + n, cookie="robot") for n in range(FLOOD)]
    hot = place(system, flood[0])
    people = (touchpoint(f"p{n}", "search", NOON_MS, user_id=f"u{n}") for n in count())
    others = list(islice((line for line in people if place(system, line) != hot), OTHERS))

    async def story() -> None:
        await system.send(flood)
        system.start("w1")
        await system.until_ready("w1")
        async with Audience(kafka, system.topology.topics) as audience:
            await system.send(others)
            for line in others:
                name = f"web/{json.loads(line)['event_id']}"
                await audience.until(Moment, partial(is_caused_by, name), f"the moment of {name}")
        unread = next(lag.records for lag in await client.group_lag(kafka, system.app, [web]) if lag.partition == hot)
        truth = simulate([*flood, *others], system.topology)
        await system.until_quiet(truth.as_of, seconds=120)

        assert unread > 0, "others were to be heard while the robot's touchpoints waited"
        records = await system.records()
        view = FinalView(records)
        assert not diff(view.final(truth.as_of, system.topology.retention_ms), truth.final)
        (bot,) = [one for one in view.customers.values() if one.identifiers[0]["kind"] == "cookie"]
        assert [each["count"] for each in bot.interactions] == [A_DAY]
        said = [record for record in records if isinstance(record, IdentityChange) and record.kind == "limited"]
        assert [(change.customer_id, change.rule) for change in said] == [(bot.customer_id, "touchpoints_per_day")]
        assert limited(system) == FLOOD - A_DAY

    run(system, story)


def limited(system: LiveSystem) -> int:
    """What the worker's page says of touchpoints that do not count."""
    families = text_string_to_metric_families(system.page("w1", "/metrics"))
    return sum(int(s.value) for family in families for s in family.samples if s.name == "touchstone_limited_touchpoints_total")


DAMPED = """\
version: 1
name: damped
channels: {web: {}}
identifiers: {user_id: {unique: true}}
journeys:
  purchase:
    phases: [interest, decision]
    damping: {at_most: 2, within: 1h}
    rules:
      - {name: searched, when: {type: search}, to: interest}
      - {name: considered, when: {type: cart_add}, to: decision}
      - {name: cleared, from: decision, when: {type: cart_clear}, to: interest}
"""


def test_who_goes_to_and_fro_a_hundred_times_in_a_minute_is_told_a_few_times(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """C10: live, in many transactions, no more is said than the twin says, and that is what damping allows; nothing is said and taken back."""
    file = tmp_path / "topology.yaml"
    file.write_text(DAMPED)
    system = system_on(kafka, tmp_path / "state", topic_prefix, file)
    to_and_fro = [touchpoint(f"e{n}", ("cart_clear", "cart_add")[n % 2], NOON_MS + 300 * n, user_id="ada") for n in range(1, 201)]
    lines = [touchpoint("e0", "search", NOON_MS, user_id="ada"), *to_and_fro]
    truth = simulate(lines, system.topology)

    async def story() -> None:
        system.start("w1")
        await system.until_ready("w1")
        for start in range(0, len(lines), 41):
            await system.send(lines[start : start + 41])
            await system.until_quiet(None)  # each lot in transactions of its own
        await system.until_quiet(truth.as_of)

        records = await system.records()
        assert not diff(FinalView(records).final(truth.as_of, system.topology.retention_ms), truth.final)
        said = [(moment.rule, moment.action) for moment in records if isinstance(moment, Moment)]
        assert said == [("searched", "assert"), *[("considered", "assert"), ("cleared", "assert")] * 2]
        (ada,) = {record.customer_id: record for record in records if isinstance(record, Customer)}.values()
        assert [each["count"] for each in ada.interactions] == [len(lines)]

    run(system, story)

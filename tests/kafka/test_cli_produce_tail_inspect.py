"""produce, tail and inspect against a real broker."""

import asyncio
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from click.testing import CliRunner, Result

from tests.samples import MOMENT
from touchstone.cli.dossier import parse
from touchstone.cli.inspect import collect, inspect
from touchstone.cli.output import Output
from touchstone.cli.produce import produce
from touchstone.cli.tail import show, tail
from touchstone.cli.topology_options import output_topics
from touchstone.contracts.codec import bundled_codec
from touchstone.contracts.times import milliseconds
from touchstone.errors import TouchstoneError, UsageError
from touchstone.model.output import Customer, IdentityChange
from touchstone.runtime.admin import TopicSpec, apply
from touchstone.runtime.client import produce_lines, read_topic
from touchstone.runtime.program import Record
from touchstone.testing.generator import generate
from touchstone.topology.load import default_topology_path

TOPOLOGY = """\
version: 1
name: two-channels
channels:
  web: {{topic: "{prefix}web", media: owned, aliases: [website]}}
  app: {{topic: "{prefix}app", media: owned}}
identifiers:
  user_id: {{unique: true}}
  cookie: {{persons: 1}}
journeys:
  purchase:
    phases: [awareness, interest]
    rules:
      - {{name: saw, when: {{type: ad_view}}, to: awareness}}
      - {{name: searched, when: {{type: search}}, to: interest}}
"""


def make_topics(kafka: str, *names: str, partitions: int = 3) -> None:
    """Create empty topics."""
    asyncio.run(apply(kafka, [TopicSpec(name, partitions) for name in names]))


def write(kafka: str, records: Sequence[tuple[str, bytes | None, bytes | None]]) -> None:
    """Write records and wait until they are there."""
    asyncio.run(produce_lines(kafka, records))


def read(kafka: str, *topics: str) -> list[Record]:
    """All records of the topics."""

    async def run() -> list[Record]:
        return [record async for record in read_topic(kafka, topics)]

    return asyncio.run(run())


def invoke(command: click.Command, *arguments: str) -> Result:
    """Run a command in this process as `main` would."""
    return CliRunner().invoke(command, arguments, obj=Output(), catch_exceptions=False, standalone_mode=False)


@pytest.fixture
def topology(tmp_path: Path, topic_prefix: str) -> Path:
    """A topology whose channel topics belong to this test alone."""
    path = tmp_path / "topology.yaml"
    path.write_text(TOPOLOGY.format(prefix=topic_prefix), encoding="utf-8")
    return path


def touchpoint(number: int, channel: str = "web", **changed: Any) -> bytes:
    """A line about one of three people."""
    at = f"2024-05-01T10:00:{number % 60:02d}Z"
    fields = {
        "event_id": f"e{number}",
        "channel": channel,
        "type": "search",
        "occurred_at": at,
        "identifiers": {"cookie": f"c{number % 3}"},
    }
    return json.dumps(fields | changed).encode()


def test_every_line_arrives_in_the_topic_of_its_channel_also_what_is_none(
    kafka: str, topic_prefix: str, topology: Path, tmp_path: Path
) -> None:
    """A gzip file with aliases, garbage and empty lines, sent anyway: each line is one record, of one key in order, and counted by topic."""
    make_topics(kafka, f"{topic_prefix}web", f"{topic_prefix}app")
    lines = [touchpoint(n, ("web", "website", "app")[n % 3]) for n in range(300)] + [b"{torn", b"[]"]
    file = tmp_path / "events.jsonl.gz"
    file.write_bytes(gzip.compress(b"\n\n".join(lines)))

    result = invoke(produce, str(file), "--anyway", "--topology", str(topology), "--bootstrap", kafka, "--output", "json")

    web, app = read(kafka, f"{topic_prefix}web"), read(kafka, f"{topic_prefix}app")
    told = json.loads(result.stdout)
    assert (len(web), len(app)) == (202, 100)
    assert told | {"seconds": 0, "rate": 0} == {
        "sent": 302,
        "by_topic": {f"{topic_prefix}web": 202, f"{topic_prefix}app": 100},
        "dead_letters": 2,
        "misspelt_kinds": 0,
        "left_out": {},
        "shift_ms": 0,
        "seconds": 0,
        "rate": 0,
    }
    assert {record.value for record in web} >= {b"{torn", b"[]"}
    for cookie in (b"cookie:c0", b"cookie:c1"):
        numbers = [int(json.loads(record.value or b"")["event_id"][1:]) for record in web if record.key == cookie]
        assert numbers == sorted(numbers) != []


def test_times_are_moved_so_that_the_latest_lies_now(kafka: str, topic_prefix: str, topology: Path, tmp_path: Path) -> None:
    """All by one amount; the distance between touchpoints stays."""
    make_topics(kafka, f"{topic_prefix}web", f"{topic_prefix}app")
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(touchpoint(n) for n in range(60)))

    invoke(produce, str(file), "--topology", str(topology), "--bootstrap", kafka, "--shift-to-now")

    times = sorted(milliseconds(json.loads(record.value or b"")["occurred_at"]) for record in read(kafka, f"{topic_prefix}web"))
    assert abs(times[-1] - time.time() * 1000) < 60_000
    assert times[-1] - times[0] == 59_000


def test_rate_and_limit_hold_back(kafka: str, topic_prefix: str, topology: Path, tmp_path: Path) -> None:
    """Thirty touchpoints at a hundred a second take at least 0.29 s; the rest of the file is left."""
    make_topics(kafka, f"{topic_prefix}web", f"{topic_prefix}app")
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(touchpoint(n) for n in range(100)))

    options = ("--rate", "100", "--limit", "30", "--output", "json")
    result = invoke(produce, str(file), "--topology", str(topology), "--bootstrap", kafka, *options)

    assert json.loads(result.stdout)["seconds"] >= 0.29
    assert len(read(kafka, f"{topic_prefix}web")) == 30


def test_missing_topics_are_named_with_the_remedy(kafka: str, topic_prefix: str, topology: Path, tmp_path: Path) -> None:
    """Nothing is sent, and the user learns which command creates them."""
    make_topics(kafka, f"{topic_prefix}web")
    file = tmp_path / "events.jsonl"
    file.write_bytes(touchpoint(1))

    with pytest.raises(UsageError, match=rf"has no topic {topic_prefix}app; .*touchstone topics apply"):
        invoke(produce, str(file), "--topology", str(topology), "--bootstrap", kafka)

    assert read(kafka, f"{topic_prefix}web") == []


def test_what_kafka_refuses_is_never_reported_as_sent(kafka: str, topic_prefix: str, topology: Path, tmp_path: Path) -> None:
    """A record above the topic's limit, in the midst of others: the command fails although all others were acknowledged."""
    small = {"max.message.bytes": "2000"}
    asyncio.run(apply(kafka, [TopicSpec(f"{topic_prefix}web", 3, small), TopicSpec(f"{topic_prefix}app", 3)]))
    lines = [touchpoint(n, "app") for n in range(100)]
    lines[3] = touchpoint(3, properties={"page": os.urandom(4_000).hex()})
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(lines))

    with pytest.raises(TouchstoneError):
        invoke(produce, str(file), "--topology", str(topology), "--bootstrap", kafka, "--rate", "100")


def touchstone(*arguments: str) -> subprocess.Popen[str]:
    """The command line in a process of its own, with pipes to all its ends."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "touchstone", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment)


def test_standard_input_is_judged_on_its_way(kafka: str, topic_prefix: str, topology: Path) -> None:
    """Everything is sent, and what was refused is named at the end with its line; the exit code is 1, never silently 0."""
    make_topics(kafka, f"{topic_prefix}web", f"{topic_prefix}app")
    lines = [touchpoint(1), touchpoint(2, "wbe"), b"{torn"]

    with touchstone("produce", "-", "--topology", str(topology), "--bootstrap", kafka) as process:
        told, said = process.communicate(b"\n".join(lines).decode(), timeout=60)

    assert process.returncode == 1
    assert "3 sent and acknowledged" in told
    assert [line.split(": ")[:2] for line in said.splitlines()[:2]] == [
        ["standard input:2", "unknown_channel"],
        ["standard input:3", "invalid_json"],
    ]
    assert "2 of 3 lines should be mended (dead letters: 2); everything was sent as it is" in said
    assert len(read(kafka, f"{topic_prefix}web")) == 3


def test_ctrl_c_says_how_many_touchpoints_arrived(kafka: str, topic_prefix: str, topology: Path) -> None:
    """Exit code 130; as many records are in Kafka as it says."""
    make_topics(kafka, f"{topic_prefix}web", f"{topic_prefix}app")

    with touchstone("produce", "-", "--rate", "20", "--topology", str(topology), "--bootstrap", kafka) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write("\n".join(touchpoint(number).decode() for number in range(400)))
        process.stdin.close()
        deadline = time.monotonic() + 60
        while not read(kafka, f"{topic_prefix}web"):
            assert time.monotonic() < deadline, "nothing arrived within 60 s"
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()

    found = re.search(r"error: stopped; ([\d,]+) of [\d,]+ touchpoints? sent were acknowledged", said)
    assert found is not None, said
    assert 0 < int(found[1].replace(",", "")) == len(read(kafka, f"{topic_prefix}web")) < 400
    assert process.returncode == 130


def test_standard_input_cannot_be_moved_to_now(kafka: str, topology: Path) -> None:
    """It can be read only once; the message says what to do instead."""
    with pytest.raises(UsageError, match="save it to a file first"):
        invoke(produce, "-", "--topology", str(topology), "--bootstrap", kafka, "--shift-to-now")


def test_generated_touchpoints_all_arrive(kafka: str, topic_prefix: str, topology: Path, tmp_path: Path) -> None:
    """Whatever the generator invents, garbage bytes included, is one record each."""
    make_topics(kafka, f"{topic_prefix}web", f"{topic_prefix}app")
    generated = generate(2_000, 11)
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(generated.lines))

    result = invoke(produce, str(file), "--anyway", "--topology", str(topology), "--bootstrap", kafka)

    assert "2,000 sent and acknowledged" in result.stdout
    assert len(read(kafka, f"{topic_prefix}web", f"{topic_prefix}app")) == 2_000


def test_tail_shows_what_is_there_from_the_beginning_up_to_a_limit(kafka: str, topic_prefix: str) -> None:
    """Text for people, one line each; the retraction is marked."""
    topic, codec = f"{topic_prefix}moments", bundled_codec()
    make_topics(kafka, topic, partitions=1)
    withdrawn = msgspec.structs.replace(MOMENT, revision=2, action="retract", corrects="late")
    write(kafka, [(topic, b"ada", codec.encode_moment(each)) for each in (MOMENT, withdrawn, MOMENT)])

    result = invoke(tail, "moments", "--topic", topic, "--from-beginning", "--limit", "2", "--bootstrap", kafka)

    first, second = result.stdout.splitlines()
    assert first == "2024-05-01 10:00:00  ada  asserted    start → interest  purchase: searched on web"
    assert second == "2024-05-01 10:00:00  ada  TAKEN BACK  start → interest  purchase: searched on web (corrects: late)"


def test_tail_from_the_beginning_goes_by_the_time_and_not_by_the_partition(kafka: str, topic_prefix: str) -> None:
    """Records of three partitions come in the order in which they were written, one empty and one aborted partition among them."""
    topic, codec = f"{topic_prefix}moments", bundled_codec()
    make_topics(kafka, topic, partitions=5)

    async def write_in_turn() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=topic)
        await producer.start()
        try:
            for number in range(60):
                moment = msgspec.structs.replace(MOMENT, moment_id=f"m{number}")
                async with producer.transaction():
                    await producer.send_and_wait(topic, codec.encode_moment(moment), partition=number * 7 % 3, timestamp_ms=1_000 + number)
            await producer.begin_transaction()
            await producer.send_and_wait(topic, codec.encode_moment(MOMENT), partition=4, timestamp_ms=1)
            await producer.abort_transaction()
        finally:
            await producer.stop()

    asyncio.run(write_in_turn())

    options = ("--topic", topic, "--from-beginning", "--bootstrap", kafka, "--output", "json")
    all_of_them = invoke(tail, "moments", *options, "--limit", "60").stdout.splitlines()
    some = invoke(tail, "moments", *options, "--limit", "10").stdout.splitlines()

    assert [json.loads(line)["moment_id"] for line in all_of_them] == [f"m{number}" for number in range(60)]
    assert some == all_of_them[:10]


def test_tail_begins_with_the_next_record_and_never_shows_what_was_aborted(
    kafka: str, topic_prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was there before is not shown; neither is what an aborted transaction wrote."""
    topic, codec = f"{topic_prefix}moments", bundled_codec()
    make_topics(kafka, topic, partitions=1)
    write(kafka, [(topic, b"ada", codec.encode_moment(msgspec.structs.replace(MOMENT, moment_id="before")))])

    async def run() -> None:
        showing = asyncio.create_task(show(kafka, topic, from_beginning=False, limit=1, output=Output(is_json=True)))
        producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=topic)
        await producer.start()
        try:
            deadline = time.monotonic() + 60
            while not showing.done():
                assert time.monotonic() < deadline, "nothing was shown within 60 s"
                await producer.begin_transaction()
                await producer.send_and_wait(topic, codec.encode_moment(msgspec.structs.replace(MOMENT, moment_id="aborted")))
                await producer.abort_transaction()
                async with producer.transaction():
                    await producer.send_and_wait(topic, codec.encode_moment(msgspec.structs.replace(MOMENT, moment_id="committed")))
                await asyncio.wait([showing], timeout=0.5)
            showing.result()
        finally:
            await producer.stop()

    asyncio.run(run())

    assert json.loads(capsys.readouterr().out)["moment_id"] == "committed"


def test_ctrl_c_ends_tail_without_a_word_of_alarm(kafka: str, topic_prefix: str) -> None:
    """Exit code 0 and no traceback: it is the usual way to end it."""
    topic = f"{topic_prefix}moments"
    make_topics(kafka, topic)
    write(kafka, [(topic, b"ada", bundled_codec().encode_moment(MOMENT))])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    program = "from touchstone.cli.tail import tail; tail(prog_name='tail')"
    arguments = [sys.executable, "-c", program, "moments", "--topic", topic, "--from-beginning", "--bootstrap", kafka]

    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)

    assert "start → interest" in first, said
    assert process.returncode == 0
    assert "Traceback" not in said


def test_a_topic_that_is_not_there_is_a_message(kafka: str, topic_prefix: str) -> None:
    """The user learns which command creates it."""
    with pytest.raises(UsageError, match="touchstone topics apply"):
        invoke(tail, "moments", "--topic", f"{topic_prefix}nothing", "--bootstrap", kafka)


ADA, BOB = "ada0" * 8, "b0b0" * 8
KINDS = {"user_id": "user_id", "cookie": "cookie"}


def test_inspect_finds_a_customer_by_identifier_and_by_former_id(kafka: str, topic_prefix: str, tmp_path: Path) -> None:
    """The newest golden profile, the moments of both ids, the merge; asked by an identifier or by the id that was merged away."""
    renamed = default_topology_path().read_text("utf-8") + "\ntopics: {moments: own.moments}\n"
    topology = tmp_path / "topology.yaml"
    topology.write_text(renamed)
    topics = replace(output_topics(topic_prefix), moments=f"{topic_prefix}own.moments")
    make_topics(kafka, topics.moments, topics.customers, topics.identities)
    codec, moment = bundled_codec(), msgspec.structs.replace(MOMENT, customer_id=ADA)
    identifiers = (
        {"kind": "user_id", "value": "u1", "first_seen": 0, "last_seen": 1},
        {"kind": "cookie", "value": "c1", "first_seen": 0, "last_seen": 1},
    )
    said: list[tuple[str, bytes, bytes]] = [
        (topics.customers, ADA.encode(), codec.encode_customer(Customer(ADA, 1, "default", "active", None))),
        (topics.customers, BOB.encode(), codec.encode_customer(Customer(BOB, 1, "default", "active", None, identifiers=identifiers[1:]))),
        (topics.customers, ADA.encode(), codec.encode_customer(Customer(ADA, 5, "default", "active", None, identifiers=identifiers))),
        (topics.customers, BOB.encode(), codec.encode_customer(Customer(BOB, 6, "default", "merged", ADA))),
        (topics.moments, ADA.encode(), codec.encode_moment(moment)),
        (topics.moments, BOB.encode(), codec.encode_moment(msgspec.structs.replace(moment, moment_id="m2", customer_id=BOB))),
        (
            topics.moments,
            BOB.encode(),
            codec.encode_moment(
                msgspec.structs.replace(moment, moment_id="m2", customer_id=BOB, revision=2, action="retract", corrects="merge")
            ),
        ),
        (topics.moments, b"eve", codec.encode_moment(msgspec.structs.replace(moment, moment_id="m3", customer_id="eve"))),
        (
            topics.identities,
            ADA.encode(),
            codec.encode_identity_change(IdentityChange("i1", "merged", "default", ADA, (BOB,), (), "web/e9", "cookie", 7)),
        ),
    ]
    write(kafka, said)

    for asked in ("cookie:c1", "default/user_id:u1", BOB, ADA):
        (dossier,) = asyncio.run(collect(kafka, parse(asked, KINDS), topics))

        assert dossier.customer.revision == 5
        assert [other.customer_id for other in dossier.former] == [BOB]
        assert {each.last.moment_id: each.stands for each in dossier.statements} == {"m1": True, "m2": False}
        assert [change.change_id for change in dossier.changes] == ["i1"]
    assert asyncio.run(collect(kafka, parse("cookie:unknown", KINDS), topics)) == []

    shown = invoke(inspect, BOB[:8], "--topology", str(topology), "--topic-prefix", topic_prefix, "--bootstrap", kafka)
    assert f"{BOB} was merged into it" in shown.stdout
    assert "searched on web" in shown.stdout
    nobody = invoke(inspect, "ecid:unknown", "--topology", str(topology), "--topic-prefix", topic_prefix, "--bootstrap", kafka)
    assert (nobody.return_value, nobody.stdout) == (1, "")
    assert "nobody has the identifier 'ecid:unknown'" in nobody.stderr

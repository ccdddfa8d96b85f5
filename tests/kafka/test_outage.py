"""Kafka goes away: what a worker and the commands say, and that each of them comes to an end."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest

from tests.kafka.runtime_rig import wait_until
from touchstone.devkit.broker import EmbeddedKafka
from touchstone.devkit.live import LiveSystem
from touchstone.devkit.ports import free_ports
from touchstone.errors import Retriable
from touchstone.runtime import to_end
from touchstone.runtime.admin import TopicSpec, apply
from touchstone.runtime.client import produce_lines, read_topic
from touchstone.topology.load import default_topology_path, load_topology

COMMANDS = (("tail", "moments"), ("inspect", "email:ada@x.org"), ("topics", "plan"), ("deadletters", "list"))


@dataclass
class Outside:
    """A broker that can be taken away and brought back at the same address, and a system that lives on it."""

    broker: EmbeddedKafka
    system: LiveSystem

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Its connections stand, and it answers nobody."""
        pid = self.broker.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            wait_until(lambda: " T " in Path(f"/proc/{pid}/stat").read_text(), 10, lambda: "the broker was never stopped")
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def lines(self, name: str) -> list[dict[str, str]]:
        """What the worker has logged so far; what is not JSON is a line without level."""
        found = []
        for line in (self.system.folder / name / "log").read_text().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append({"event": line, "logger": "", "level": ""})
        return found

    def wait_until_said(self, name: str, words: str) -> str:
        """Wait until the worker says this; the sentence."""
        wait_until(
            lambda: any(words in line["event"] for line in self.lines(name)),
            90,
            lambda: f"{name} never said {words!r}:\n{self.system.log_tail(name)}",
        )
        return next(line["event"] for line in self.lines(name) if words in line["event"])


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """A broker and a system for all these tests; each leaves Kafka as it was."""
    folder, file = tmp_path_factory.mktemp("outage"), default_topology_path()
    (port,) = free_ports(1)
    with EmbeddedKafka(port=port, folder=folder / "kafka") as broker:
        topology = replace(load_topology(file), partitions=2)
        system = LiveSystem(broker.bootstrap, file, topology, folder, app="outage", session_timeout_s=10)
        asyncio.run(system.create_topics())
        yield Outside(broker, system)
        system.stop(0)


def test_an_outage_is_two_sentences_of_the_worker_and_nothing_of_the_librarys(outside: Outside) -> None:
    """Killed, Kafka is away since then; started again, it is back; the worker goes on as if nothing had been."""
    outside.system.start("w1")
    asyncio.run(outside.system.until_ready("w1"))

    killed = outside.broker.kill()
    away = outside.wait_until_said("w1", "is away since")
    outside.broker.start()
    back = outside.wait_until_said("w1", "is back after")
    asyncio.run(outside.system.until_quiet(None, 60))
    code = outside.system.stop()["w1"]

    assert (killed, code) == (-signal.SIGKILL, 0)
    assert away.startswith(f"Kafka at {outside.broker.bootstrap} is away since")
    assert re.search(r"is back after \d+ s; [1-9]\d* lines like it were left out", back)
    theirs = [line for line in outside.lines("w1") if line["logger"].startswith(("aiokafka", "faust", "mode")) or not line["level"]]
    assert theirs == []


@pytest.mark.parametrize("when", ["running", "starting"])
def test_told_to_leave_while_kafka_is_silent_a_worker_leaves_with_0_and_one_sentence(outside: Outside, when: str) -> None:
    """Also one that has not got anywhere yet. Ten seconds are what it may take while Kafka answers; here it does not wait for that."""
    name = f"leaves-{when}"
    if when == "running":
        outside.system.start(name)
        asyncio.run(outside.system.until_ready(name))
    with outside.silent():
        if when == "starting":
            outside.system.start(name)
            worker = outside.system.workers[name]
            wait_until(lambda: _handles_sigterm(worker.pid), 60, lambda: "it never listened to SIGTERM")

        codes = outside.system.stop(9)

    assert codes == {name: 0}
    events = [line["event"] for line in outside.lines(name)]
    assert not [event for event in events if "Traceback" in event]
    if when == "running":
        (said,) = [event for event in events if "leaving" in event]
        assert said.startswith(f"Kafka at {outside.broker.bootstrap} is away (no answer within 1 s): leaving without a last commit")


def test_each_command_ends_with_one_sentence_when_kafka_is_silent(outside: Outside) -> None:
    """Code 1, the address, what was found, what to do. A broker that takes connections and answers nobody is the slowest way to be away."""
    with outside.silent():
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "touchstone", *command, "--bootstrap", outside.broker.bootstrap],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            for command in COMMANDS
        ]
        said = [command.communicate(timeout=60)[1] for command in running]

    assert [command.returncode for command in running] == [1] * len(COMMANDS)
    for sentence in said:
        assert sentence.count("error: ") == 1
        assert f"expected to reach Kafka at {outside.broker.bootstrap}, found no answer within 7 s" in sentence
        assert "Traceback" not in sentence


def test_a_topic_is_not_read_for_ever_when_kafka_goes_away_in_the_middle(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one fetch brings; after the first record the broker is killed. A second without anything stands for the minute."""
    monkeypatch.setattr(to_end, "_STALLED_S", 1.0)
    topic, count, bootstrap = "outage-large", 40, outside.broker.bootstrap
    asyncio.run(apply(bootstrap, [TopicSpec(topic, 1)]))
    asyncio.run(produce_lines(bootstrap, [(topic, None, bytes(500_000)) for _ in range(count)]))
    read = 0

    async def read_all() -> None:
        nonlocal read
        reading = cast("AsyncIterator[object]", read_topic(bootstrap, [topic]))
        async with aclosing(reading) as records:  # type: ignore[type-var]  # an async generator
            async for _ in records:
                read += 1
                if read == 1:
                    assert outside.broker.kill() == -signal.SIGKILL

    try:
        with pytest.raises(Retriable) as stalled:
            asyncio.run(asyncio.wait_for(read_all(), 60))
    finally:
        with contextlib.suppress(Exception):
            outside.broker.start()

    assert 0 < read < count
    assert re.search(rf"nothing came for 1 s of {topic}\[0\] at \d+ of {count}: is Kafka there", str(stalled.value))
    assert str(stalled.value).endswith("run the command again when it can be")


def _handles_sigterm(pid: int) -> bool:
    """Whether the process has a handler of its own."""
    caught = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) & 1 << (signal.SIGTERM - 1))

"""`touchstone demo` as a new user runs it, but on the session's broker."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from tests.documents import Step, blocks, missing

DEMO = [sys.executable, "-m", "touchstone", "demo"]


def workers_on(kafka: str) -> list[str]:
    """The command lines of demo workers on this broker."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it has just ended
            continue
        if kafka in line and "--app demo-" in line:
            lines.append(line)
    return lines


def demo_topics(kafka: str) -> list[str]:
    """Topics of a demo that are still there."""

    async def ask() -> list[str]:
        admin: Any = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        try:
            return [topic for topic in await admin.list_topics() if topic.startswith("demo-")]
        finally:
            await admin.close()

    return asyncio.run(ask())


@pytest.mark.slow
def test_the_demo_ends_well_and_leaves_nothing_behind(kafka: str) -> None:
    """A worker was killed in open work, moments were taken back, and what stands is what the twin says."""
    before = demo_topics(kafka)  # one that was interrupted leaves its topics
    ended = subprocess.run(
        [*DEMO, "--bootstrap", kafka, "--output", "json"], capture_output=True, text=True, timeout=280, env=os.environ, check=False
    )

    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["equal"]
    assert told["repeated"] == 0
    assert told["touchpoints"] == 23_897
    assert told["killed"]["unread"] > 0
    assert told["killed"]["pause_s"] > 0
    assert told["taken_back"] >= 3
    assert told["people"] == 982
    assert not workers_on(kafka)
    assert set(demo_topics(kafka)) <= set(before)


@pytest.mark.slow
def test_the_demo_of_who_is_who_keeps_its_promises_and_shows_what_the_readme_says(kafka: str) -> None:
    """750 people, a likeness with its reasons, a review, a login, a split; the README's lines are among those that it prints."""
    before = demo_topics(kafka)
    ended = subprocess.run(
        [*DEMO, "--bootstrap", kafka, "--identity"],
        capture_output=True,
        text=True,
        timeout=280,
        env=os.environ | {"COLUMNS": "200"},
        check=False,
    )

    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert "750 of them with exactly their four ids" in ended.stdout
    assert "equal to the offline twin: yes" in ended.stdout
    (shown,) = (block for block in blocks("README.md", "text") if "exactly their four ids" in block)
    assert missing(Step("make demo-identity", shown.splitlines()), ended.stdout) == []
    assert not workers_on(kafka)
    assert set(demo_topics(kafka)) <= set(before)


def test_ctrl_c_ends_the_demo_with_everything_it_has_started(kafka: str) -> None:
    """In the middle, with workers that run: no worker is left, no traceback is shown, and the exit code is that of an interrupt."""
    with subprocess.Popen(
        [*DEMO, "--bootstrap", kafka],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - a shell in the background ignores it
    ) as demo:
        assert demo.stdout is not None
        said = next(line for line in demo.stdout if "are ready" in line)
        assert len([line for line in workers_on(kafka) if "--instance w2" in line]) == 1, said

        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()

    assert demo.returncode == 130
    assert "stopped" in rest
    assert "Traceback" not in rest
    assert not workers_on(kafka)

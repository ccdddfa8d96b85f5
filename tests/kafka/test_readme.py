"""The README's first moment of truth, live: every command as written there, on a Kafka of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.documents import Step, blocks, missing, steps
from touchstone.devkit.broker import EmbeddedKafka
from touchstone.devkit.running import BOOTSTRAP_VARIABLE

ADDRESS = "127.0.0.1:9092"
"""What the README shows; here a free port takes its place."""


@pytest.mark.slow
def test_the_readmes_story_comes_out_as_shown_and_its_consumer_hears_it(tmp_path: Path) -> None:
    """Topics, worker, touchpoints, moments, one customer; then the Python example reads what was asserted and what was taken back."""
    with EmbeddedKafka() as kafka:
        environment = os.environ | {
            BOOTSTRAP_VARIABLE: kafka.bootstrap,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "COLUMNS": "200",
            "NO_COLOR": "1",
            "XDG_STATE_HOME": str(tmp_path / "state"),
        }
        with workers(tmp_path, environment) as start:
            for step in live_steps():
                if step.command.endswith(" &"):
                    start(step.command.removesuffix(" &"))
                else:
                    done = subprocess.run(
                        ["bash", "-c", step.command],
                        cwd=tmp_path,
                        env=environment,
                        capture_output=True,
                        text=True,
                        timeout=120,
                        check=False,
                    )
                    assert done.returncode == ("simulate typo.jsonl" in step.command), f"{step.command}: {done.stderr}"
                    assert not missing(step, done.stdout), f"{step.command}: {done.stdout}"

            heard = listen(kafka.bootstrap, tmp_path, environment)

    assert heard.index("asserted db1cd105c6a4 start -> purchase") < heard.index("retracted db1cd105c6a4 start -> purchase")
    assert "asserted 72d0d1a88adc decision -> purchase" in heard


def live_steps() -> list[Step]:
    """Every step of the README but the one that starts a Kafka that stays."""
    return [step for step in steps("README.md") if not step.command.startswith("touchstone kafka")]


@contextmanager
def workers(folder: Path, environment: Mapping[str, str]) -> Iterator[Callable[[str], None]]:
    """Start workers by their command line; all are told to leave at the end, and must do so well."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        yield lambda command: started.append(subprocess.Popen([*command.split(), "--no-web"], cwd=folder, env=dict(environment)))
    finally:
        for process in started:
            process.terminate()
        codes = [process.wait(30) for process in started]
    # One that was still being loaded is ended by the signal itself.
    assert codes[0] == 0
    assert set(codes) <= {0, -signal.SIGTERM}


def listen(bootstrap: str, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Run the README's Python example until it has said five things; then Ctrl-C ends it without a word."""
    (code,) = blocks("README.md", "python")
    assert ADDRESS in code
    example = folder / "example.py"
    example.write_text(code.replace(ADDRESS, bootstrap))
    command, pipe = [sys.executable, "-u", str(example)], subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, env=dict(environment), stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        heard = [process.stdout.readline().strip() for _ in range(5)]
        process.send_signal(signal.SIGINT)
        _, alarm = process.communicate(timeout=60)
    assert (process.returncode, alarm) == (0, "")
    return heard

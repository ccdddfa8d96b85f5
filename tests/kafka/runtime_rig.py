"""What the tests of the runtime share: topics for a toy application, worker processes that can be killed, and the check of what came out."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from touchstone.runtime.admin import TopicSpec, application_topics, apply
from touchstone.runtime.client import group_lag, has_open_transaction, produce_lines, read_topic
from touchstone.runtime.failpoint import VARIABLE

TOY = Path(__file__).with_name("toy.py")
ROOT = Path(__file__).parents[2]
SKEW = ROOT / "tests" / "fault" / "skew"
STAGES = ("first", "second")
KEYS = 500


@dataclass
class Outcome:
    """What a `read_committed` reader finds, and what is in the log besides."""

    missing: int
    doubled: int
    wrong_counts: int
    """Keys whose outputs do not count 1, 2, 3…"""
    wrong_state: int
    """Keys whose count in the changelog is not what was said last."""
    aborted: int
    """Records of transactions that never became true."""

    @property
    def is_exact(self) -> bool:
        """Whether every source record had its effect once."""
        return not (self.missing or self.doubled or self.wrong_counts or self.wrong_state)


@dataclass
class Rig:
    """One toy application on a broker."""

    bootstrap: str
    app: str
    folder: Path
    produced: int = 0
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def create_topics(self) -> None:
        """Make all topics of the application."""
        specs = application_topics(self.app, STAGES, 4)
        specs += [TopicSpec(f"{self.app}-source", 4), TopicSpec(f"{self.app}-other", 2), TopicSpec(f"{self.app}-output", 3)]
        asyncio.run(apply(self.bootstrap, specs))

    def produce(self, count: int, *, rate: float | None = None) -> None:
        """Write so many source records; at a rate per second, or as fast as possible."""
        asyncio.run(self._produce(count, rate))

    async def _produce(self, count: int, rate: float | None) -> None:
        async def records() -> Any:
            started = time.monotonic()
            for number in range(self.produced, self.produced + count):
                topic = f"{self.app}-source" if number % 3 else f"{self.app}-other"
                if rate is not None and number % 20 == 0:
                    await asyncio.sleep(max(0.0, started + (number - self.produced) / rate - time.monotonic()))
                yield topic, b"k%04d" % (number % KEYS), b"%d" % number

        await produce_lines(self.bootstrap, records())
        self.produced += count

    def start(
        self,
        instance: str,
        *,
        failpoint: str = "",
        fingerprint: str = "toy-1",
        breaks_after: int | None = None,
        data: Path | None = None,
        clock_file: Path | None = None,
        **settings: Any,
    ) -> "Worker":
        """Start a worker process. `clock_file` holds the seconds by which its wall clock is wrong (tests/fault/skew)."""
        log = self.folder / f"{instance}-{len(self.processes)}.log"
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'agents'}{os.pathsep}{ROOT}", VARIABLE: failpoint}
        if clock_file is not None:
            environment |= {"TOUCHSTONE_TEST_CLOCK": str(clock_file)}
            environment["PYTHONPATH"] += f"{os.pathsep}{SKEW}"
        command = [sys.executable, str(TOY), self.app, self.bootstrap, instance, str(data or self.folder / instance)]
        command += ["--set", json.dumps(settings), "--fingerprint", fingerprint]
        command += ["--breaks-after", str(breaks_after)] if breaks_after else []
        with log.open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
        self.processes.append(process)
        return Worker(process, log)

    def wait_until_done(self, seconds: float = 60) -> None:
        """Wait until the group has read everything and no transaction is open."""
        topics = [f"{self.app}-source", f"{self.app}-other", *(f"{self.app}.{stage}" for stage in STAGES)]
        # The end of a transaction is written to one partition after the other: what is looked at afterwards must have it, too.
        written = [f"{self.app}-output", *(f"{self.app}.{stage}.changelog" for stage in STAGES)]

        async def is_done() -> bool:
            lags = await group_lag(self.bootstrap, self.app, topics)
            return not any(lag.records for lag in lags) and not await has_open_transaction(self.bootstrap, [*topics, *written])

        wait_until(lambda: asyncio.run(is_done()), seconds, self.logs)

    def unread(self) -> int:
        """Source records that lie behind no committed offset yet."""
        lags = asyncio.run(group_lag(self.bootstrap, self.app, [f"{self.app}-source", f"{self.app}-other"]))
        return sum(lag.records for lag in lags)

    def logs(self) -> str:
        """The tails of all workers' logs."""
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in sorted(self.folder.glob("*.log")))

    def outcome(self) -> Outcome:
        """Read all that came out and compare it with what went in."""
        return asyncio.run(self._outcome())

    async def _outcome(self) -> Outcome:
        sources: Counter[bytes] = Counter()
        counts: dict[bytes, list[int]] = defaultdict(list)
        output = f"{self.app}-output"
        async for record in read_topic(self.bootstrap, [output]):
            source, count = (record.value or b"").split(b":")
            sources[source] += 1
            counts[record.key or b""].append(int(count))
        written = 0
        async for _ in read_topic(self.bootstrap, [output], "read_uncommitted"):
            written += 1
        state = await self._state()
        total = sources.total()
        return Outcome(
            missing=self.produced - len(sources),
            doubled=total - len(sources),
            wrong_counts=sum(sorted(said) != list(range(1, len(said) + 1)) for said in counts.values()),
            wrong_state=sum(state.get(key) != max(said) for key, said in counts.items()),
            aborted=written - total,
        )

    async def _state(self) -> dict[bytes, int]:
        state = {}
        async for record in read_topic(self.bootstrap, [f"{self.app}.second.changelog"]):
            kind, rest = (record.key or b"")[:1], (record.key or b"")[1:]
            if kind == b"\x03" and record.value is not None:
                state[rest.split(b"\x00")[0]] = msgspec.msgpack.decode(record.value)[0]
        return state


@dataclass
class Worker:
    """A worker process and its log."""

    process: subprocess.Popen[bytes]
    log: Path

    def wait_until_ready(self, times: int = 1, seconds: float = 40) -> None:
        """Wait until its partitions were restored so many times."""
        wait_until(lambda: self.process.poll() is not None or self.text().count("partitions ready") >= times, seconds, self.text)
        assert self.process.poll() is None, self.text()

    def text(self) -> str:
        """Its log so far."""
        return self.log.read_text()

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()
        self.process.wait()

    def wait(self, seconds: float = 40) -> int:
        """Wait until it ends; its exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still runs after {seconds} s\n{self.text()}") from None

    def terminate(self, seconds: float = 15) -> tuple[int, float]:
        """SIGTERM; the exit code and how long that took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.wait(seconds), time.monotonic() - started


def wait_until(condition: Callable[[], bool], seconds: float, explain: Callable[[], str]) -> None:
    """Return as soon as the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s\n{explain()}"
        time.sleep(0.05)


@contextmanager
def rig(bootstrap: str, prefix: str, folder: Path) -> Iterator[Rig]:
    """A toy application with its topics; at the end none of its processes is left."""
    application = Rig(bootstrap, f"{prefix}toy", folder)
    application.create_topics()
    try:
        yield application
    finally:
        for process in application.processes:
            if process.poll() is None:
                process.kill()
            process.wait()

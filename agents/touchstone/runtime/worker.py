"""One worker: the engine put together, run, and left in order."""

import asyncio
import fcntl
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from aiokafka import TopicPartition

from touchstone.clock import Clock, SystemClock
from touchstone.errors import Fenced, InvariantBroken, StateUnusable, TouchstoneError, UsageError
from touchstone.runtime.admin import partition_counts
from touchstone.runtime.agents import PortionStream, register
from touchstone.runtime.batch import Portion
from touchstone.runtime.checkpoint import Checkpoint
from touchstone.runtime.clockreader import ClockReader
from touchstone.runtime.compatibility import check_compatibility
from touchstone.runtime.delivery import Delivery
from touchstone.runtime.failpoint import Failpoints
from touchstone.runtime.loop import Loop
from touchstone.runtime.names import changelog_topic, clock_topic, internal_topic
from touchstone.runtime.partitions import Partitions, StoreFactory
from touchstone.runtime.producer import Producer
from touchstone.runtime.program import Program
from touchstone.runtime.rebalance import Rebalance
from touchstone.runtime.restore import Restorer
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.sources import JourneyClock
from touchstone.runtime.status import RuntimeStatus
from touchstone.runtime.timekeeper import Timekeeper
from touchstone.runtime.transport import Engine, EngineApp, EngineConsumer, EngineTransport

log = logging.getLogger(__name__)

EXIT_FAILED = 70
EXIT_FENCED = 75
_WATCH_S = 0.5


def run_worker(
    settings: WorkerSettings,
    program: Program,
    open_store: StoreFactory,
    *,
    status: RuntimeStatus | None = None,
    clock: Clock | None = None,
    beside: "Callable[[RuntimeStatus], Any] | None" = None,
) -> int:
    """Run one worker in this process until SIGTERM or SIGINT; returns the exit code, 0 after an orderly end.

    `beside` may be a function that returns a coroutine to be run beside the worker, in its event loop (the metrics page). Does not
    return after an unexpected error: the process ends at once, with 70 (or 75 when another worker took our place), and commits nothing.

    Raises:
        UsageError: Something is missing that a person must put right: topics, versions, the data directory.
        Retriable: The brokers cannot be reached.
    """
    check_compatibility()
    with _directory_lock(settings.data_dir):
        return asyncio.run(Worker(settings, program, open_store, status or RuntimeStatus(), clock or SystemClock()).run(beside))


class Worker:
    """Builds the engine, starts Faust, watches it, and stops in order."""

    def __init__(self, settings: WorkerSettings, program: Program, open_store: StoreFactory, status: RuntimeStatus, clock: Clock) -> None:
        self._settings = settings
        self._program = program
        self._open_store = open_store
        self._status = status
        self._clock = clock
        self._stop = asyncio.Event()
        self._refused: UsageError | None = None

    async def run(self, beside: "Callable[[RuntimeStatus], Any] | None" = None) -> int:
        """Start, work, drain, leave. Returns the exit code."""
        self._listen_to_signals()
        counts = await check_topics(self._settings, self._program)
        self._build(counts)
        await self._producer.start()
        self._delivery.know_outputs({topic: counts[topic] for topic in self._settings.output_topics})
        tasks = [
            asyncio.create_task(self._guarded(self._clock_reader.run()), name="touchstone-clock"),
            asyncio.create_task(self._guarded(self._loop.run()), name="touchstone-loop"),
            asyncio.create_task(self._guarded(self._watch()), name="touchstone-watchdog"),
        ]
        if beside is not None:
            tasks.append(asyncio.create_task(self._guarded(beside(self._status)), name="touchstone-beside"))
        starting = asyncio.create_task(self._guarded(self._app.start()), name="touchstone-faust")
        await self._stop.wait()
        await self._leave(starting, tasks)
        if self._refused is not None:
            raise self._refused
        return 0

    def _build(self, counts: Mapping[str, int]) -> None:
        settings, program, status = self._settings, self._program, self._status
        failpoints = Failpoints.from_environment(os.environ)
        sources = [TopicPartition(topic, number) for topic in settings.channel_topics for number in range(counts[topic])]
        journey_clock = JourneyClock(settings.clock, sources)
        self._clock_reader = ClockReader(settings, journey_clock)
        self._partitions = partitions = Partitions(settings, program, self._open_store)
        self._producer = producer = Producer(settings, lambda: self._rebalance.membership)
        self._delivery = delivery = Delivery(settings, program, producer, status)
        self._timekeeper = timekeeper = Timekeeper(settings, journey_clock, partitions)
        checkpoint = Checkpoint(
            settings,
            program,
            partitions=partitions,
            delivery=delivery,
            producer=producer,
            timekeeper=timekeeper,
            clock=self._clock,
            failpoints=failpoints,
            status=status,
        )
        topics = [*settings.channel_topics, *(internal_topic(settings.app, stage) for stage in program.stages)]
        self._loop = Loop(
            settings,
            topics=topics,
            checkpoint=checkpoint,
            delivery=delivery,
            failpoints=failpoints,
            status=status,
            recover=self._recover,
        )
        self._rebalance = Rebalance(
            loop=self._loop,
            checkpoint=checkpoint,
            delivery=delivery,
            partitions=partitions,
            producer=producer,
            restorer=Restorer(settings, partitions, status),
            timekeeper=timekeeper,
            clock_is_known=self._clock_reader.known,
            failpoints=failpoints,
            status=status,
            fail=self._fail,
        )
        self._app = faust_app(settings)
        self._app.engine = Engine(settings, self._loop, self._rebalance)
        self._register_agents()

    def _register_agents(self) -> None:
        for topic in self._settings.channel_topics:
            register(self._app, topic, f"channel-{topic}", self._process)
        for stage in self._program.stages:
            register(self._app, internal_topic(self._settings.app, stage), f"stage-{stage}", self._deliver)

    def _process(self, portion: Portion) -> None:
        for piece in portion.slices:
            self._timekeeper.sources.advance(piece.tp, self._program.process(piece.records, self._delivery))

    def _deliver(self, portion: Portion) -> None:
        program, out = self._program, self._delivery
        stage = self._partitions.stage_of(portion.topic)
        if stage is None:
            raise InvariantBroken(f"expected a portion of an internal topic, found {portion.topic}")
        for piece in portion.slices:
            for record in piece.records:
                program.deliver(stage, record.partition, program.receive(stage, record.value or b""), out)

    # How it ends

    async def _leave(self, starting: "asyncio.Task[None]", tasks: "list[asyncio.Task[None]]") -> None:
        """Commit, close the stores, leave the group; what takes too long is left undone, which loses nothing."""
        try:
            async with asyncio.timeout(self._settings.drain_timeout_ms / 1_000):
                await self._rebalance.stop()
                starting.cancel()
                await self._app.stop()
                await self._producer.stop()
        except TimeoutError:
            log.warning("leaving without waiting any longer; everything that was read is committed or will be read again")
            _flush_and_exit(0 if self._refused is None else 2)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _listen_to_signals(self) -> None:
        running = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            running.add_signal_handler(number, self._stop.set)

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  # whatever it is, the worker must not go on
            if not self._stop.is_set():
                await self._fail(error)

    async def _fail(self, error: BaseException) -> None:
        """End the process without committing, after one clear message. An error that only a person can mend stops it in order."""
        if isinstance(error, UsageError):
            self._refused = error
            self._stop.set()
            await asyncio.Event().wait()
        if isinstance(error, Fenced):
            log.warning("%s; leaving without a commit", error)
        elif isinstance(error, TouchstoneError):
            log.critical("%s: %s; leaving without a commit", type(error).__name__, error, exc_info=error)
        else:
            log.critical("unexpected error; leaving without a commit", exc_info=error)
        await self._producer.abort(1.0)
        _flush_and_exit(EXIT_FENCED if isinstance(error, Fenced) else EXIT_FAILED)

    async def _recover(self, error: StateUnusable) -> None:
        await self._rebalance.recover(error)

    async def _watch(self) -> None:
        """Faust logs fatal errors of its consumer and lives on: look after it."""
        tuned = False
        while True:
            await asyncio.sleep(_WATCH_S)
            consumer = self._app._consumer
            broken = consumer.broken() if isinstance(consumer, EngineConsumer) else None
            if broken is not None:
                raise InvariantBroken(f"the consumer stopped working: {broken!r}") from broken
            if self._app.crash_reason is not None:
                raise InvariantBroken(f"Faust stopped working: {self._app.crash_reason!r}") from self._app.crash_reason
            if self._loop.gate.is_set() and self._partitions.assigned:
                silent = time.monotonic() - self._loop.alive_at
                if silent * 1_000 > self._settings.stall_timeout_ms:
                    raise InvariantBroken(f"nothing was fetched or committed for {silent:.0f} s")
            else:
                self._loop.alive_at = time.monotonic()
            if self._status.ready and not tuned:
                tuned = True
                gc.freeze()
                gc.set_threshold(100_000, 50, 100)  # 15-30 % of processor time with the default


def faust_app(settings: WorkerSettings) -> EngineApp:
    """The Faust app: group membership and agents, nothing of its tables, web server or commits."""
    session_s = settings.session_timeout_ms / 1_000
    app = EngineApp(
        settings.app,
        broker=";".join(f"kafka://{server.strip()}" for server in settings.bootstrap.split(",")),
        autodiscover=False,
        datadir=settings.data_dir / "faust",
        store="memory://",
        web_enabled=False,
        Stream=PortionStream,
        key_serializer="raw",
        value_serializer="raw",
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        broker_client_id=settings.transactional_id,
        broker_session_timeout=session_s,
        broker_heartbeat_interval=session_s / 5,
        broker_request_timeout=max(40.0, session_s),
        broker_rebalance_timeout=60.0,
        broker_max_poll_interval=86_400.0,
        broker_max_poll_records=settings.poll_records,
        broker_commit_interval=3_600.0,
        consumer_max_fetch_size=1 << 20,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=True,
    )
    app.transport = EngineTransport(app.conf.broker, app)
    return app


async def check_topics(settings: WorkerSettings, program: Program) -> dict[str, int]:
    """See that every topic is there, the internal ones with the right count of partitions. Returns all counts.

    Raises:
        UsageError: Something is missing or has another count.
    """
    expected: dict[str, int | None] = dict.fromkeys([*settings.channel_topics, *settings.output_topics])
    for stage in program.stages:
        expected[internal_topic(settings.app, stage)] = settings.partitions
        expected[changelog_topic(settings.app, stage)] = settings.partitions
    expected[clock_topic(settings.app)] = 1
    counts = await partition_counts(settings.bootstrap, expected)
    wrong = [f"{topic}: missing" for topic in expected if topic not in counts]
    wrong += [
        f"{topic}: expected {count} partitions, found {counts[topic]}"
        for topic, count in expected.items()
        if count is not None and counts.get(topic, count) != count
    ]
    if wrong:
        raise UsageError(
            "\n".join([*wrong, "Run `touchstone topics plan` to see what differs, `touchstone topics apply` to create what is missing"])
        )
    return counts


@contextmanager
def _directory_lock(directory: Path) -> Iterator[None]:
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "worker.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"expected {directory} to be free, found another worker in it; give every worker a data directory of its own"
            ) from error
        yield


def _flush_and_exit(code: int) -> NoReturn:
    with suppress(Exception):  # nothing may keep the process from ending
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)

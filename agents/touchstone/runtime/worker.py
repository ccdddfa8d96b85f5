"""One worker: run the engine, watch it, leave in order."""

import asyncio
import ctypes
import fcntl
import gc
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from touchstone.clock import Clock, SystemClock
from touchstone.errors import Fenced, Retriable, Stalled, TooManyDeadLetters, TouchstoneError, UsageError
from touchstone.observe.outage import SILENT_S
from touchstone.runtime import agreement
from touchstone.runtime.admin import partition_counts, stamped_by_producers
from touchstone.runtime.assembly import Assembly, assemble
from touchstone.runtime.compatibility import check_compatibility
from touchstone.runtime.departure import Departure
from touchstone.runtime.names import agreement_topic, changelog_topic, clock_topic, internal_topic
from touchstone.runtime.partitions import StoreFactory
from touchstone.runtime.program import Prepare, Program
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.status import RuntimeStatus
from touchstone.runtime.tablereader import Table
from touchstone.runtime.transport import EngineConsumer
from touchstone.runtime.watchdog import LOOKS_EVERY_S, Heartbeat, Watchdog

log = logging.getLogger(__name__)

EXIT_REFUSED = 2
EXIT_BAD_INPUT = 65
EXIT_FAILED = 70
EXIT_FENCED = 75

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""From glibc's malloc.h."""

Beside = Callable[[RuntimeStatus], Coroutine[Any, Any, None]]
"""Makes what runs beside the worker, in its event loop."""


def run_worker(
    settings: WorkerSettings,
    program: Program,
    open_store: StoreFactory,
    *,
    status: RuntimeStatus | None = None,
    clock: Clock | None = None,
    beside: Beside | None = None,
    prepare: Prepare | None = None,
    table: Table | None = None,
) -> int:
    """Run one worker in this process until SIGTERM or SIGINT; returns the exit code, 0 after an orderly end.

    `beside` makes a coroutine that runs beside the worker, in its event loop (the metrics page); `prepare` is awaited with what was
    fetched before any of it is handed on; `table` is read whole before anything is processed. Does not return after an unexpected
    error: the process ends at once, with 70 (or 75 when another worker took our place), and commits nothing.

    Raises:
        UsageError: Something is missing that a person must put right: topics, versions, the data directory, the topology of the state.
        TooManyDeadLetters: A channel delivers more than its share of unusable records; all before them is committed.
        Retriable: The brokers cannot be reached.
    """
    check_compatibility()
    _return_memory()
    worker = Worker(settings, status or RuntimeStatus(), prepare, table)
    with _directory_lock(settings.data_dir):
        try:
            return asyncio.run(worker.run(program, open_store, clock or SystemClock(), beside))
        finally:
            worker.is_out()


class Worker:
    """Starts the engine, watches it, and stops it in order."""

    def __init__(self, settings: WorkerSettings, status: RuntimeStatus, prepare: Prepare | None = None, table: Table | None = None) -> None:
        self._settings = settings
        self._prepare = prepare
        self._table = table
        self._status = status
        self._stop = asyncio.Event()
        self._refused: UsageError | TooManyDeadLetters | None = None
        self._assembly: Assembly | None = None
        self._departure = Departure(settings.bootstrap, settings.drain_timeout_ms / 1_000, self._leave_at_once)
        self._heartbeat = Heartbeat(settings.stall_timeout_ms / 1_000, self._end_at_once)

    async def run(self, program: Program, open_store: StoreFactory, clock: Clock, beside: Beside | None = None) -> int:
        """Start, work, drain, leave. Returns the exit code."""
        running = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            running.add_signal_handler(number, self._told_to_leave)
        assembly = await self._unless_told(self._connected(program, open_store, clock))
        if assembly is None:
            log.info("left before anything was begun")
            return 0
        self._assembly = assembly
        self._heartbeat.start()
        work = [assembly.clock_reader.run(), assembly.table_reader.run(), assembly.loop.run(), self._watch(assembly)]
        if beside is not None:
            work.append(beside(self._status))
        tasks = [asyncio.create_task(self._guarded(coroutine)) for coroutine in work]
        starting = asyncio.create_task(self._guarded(_join(assembly)), name="touchstone-faust")
        await self._stop.wait()
        self._heartbeat.stop()  # from here on the departure sees that it ends
        self._departure.begin()
        await self._leave(assembly, starting)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._refused is not None:
            raise self._refused
        return 0

    def _told_to_leave(self) -> None:
        self._stop.set()
        self._departure.begin()

    async def _connected(self, program: Program, open_store: StoreFactory, clock: Clock) -> Assembly:
        """Everything that comes before the group is joined."""
        self._settings = await agreement.enter(self._settings, program)
        counts = await check_topics(self._settings, program)
        await agreement.sign(self._settings, program, counts)
        await warn_about_stamps(self._settings)
        assembly = assemble(
            self._settings,
            program,
            open_store,
            counts=counts,
            clock=clock,
            status=self._status,
            fail=self._fail,
            confirm=partial(self._confirm, program),
            prepare=self._prepare,
            table=self._table,
        )
        await assembly.producer.start()
        return assembly

    async def _unless_told(self, work: Coroutine[Any, Any, Assembly]) -> Assembly | None:
        """What comes of this work; None when we are told to leave before it has ended."""
        working, told = asyncio.create_task(work), asyncio.create_task(self._stop.wait())
        await asyncio.wait([working, told], return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait([working])
        return None if working.cancelled() else working.result()

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  # whatever it is, the worker must not go on
            if not self._stop.is_set():
                await self._fail(error)

    async def _leave(self, assembly: Assembly, starting: asyncio.Task[None]) -> None:
        """Commit, close the stores, leave the group; what takes too long is left undone, which loses nothing."""
        await assembly.rebalance.stop()
        starting.cancel()
        await assembly.app.stop()
        await assembly.producer.stop()
        status = self._status
        log.info("left: %d records, %d commits, %.1f s in commits", status.records, status.commits, status.commit_seconds)

    def _leave_at_once(self, reason: str) -> None:
        """From another thread."""
        if self._refused is not None:
            log.critical("%s", self._refused)
        log.warning("%s", reason)
        _flush_and_exit(_exit_code(self._refused))

    def is_out(self) -> None:
        """The worker has left in order: nobody needs to be hurried any more."""
        self._departure.is_out()

    async def _fail(self, error: BaseException) -> None:
        """End the process without committing, after one clear message. An error that only a person can mend stops it in order."""
        if isinstance(error, UsageError | TooManyDeadLetters):
            self._refused = error
            self._stop.set()
            await asyncio.Event().wait()
        code = EXIT_FENCED if isinstance(error, Fenced) else EXIT_FAILED
        self._status.trouble = reason = _reason(error)
        if not isinstance(error, Fenced | Stalled):
            log.critical("an error ends this worker", exc_info=error)
        if self._assembly is not None:
            await self._assembly.producer.abort(1.0)
        _last_words(code, reason)

    def _end_at_once(self, reason: str) -> None:
        """From another thread, when the event loop does not turn: what is open is aborted by whoever comes next."""
        _last_words(EXIT_FAILED, f"{Stalled.__name__}: {reason}")

    async def _confirm(self, program: Program) -> None:
        """As a member of the group, see that what we agreed to still stands; asked until there is an answer."""
        while True:
            try:
                await agreement.confirm(self._settings, program)
            except Retriable:
                await asyncio.sleep(LOOKS_EVERY_S)
            else:
                return

    async def _watch(self, assembly: Assembly) -> None:
        """Look after everything that may stop without an error."""
        loop = assembly.loop

        def alive_at() -> float | None:
            if loop.gate.is_set() and assembly.partitions.assigned:
                return loop.alive_at
            loop.alive_at = time.monotonic()  # the silence counts from the moment the gate opens
            return None

        watchdog = Watchdog(
            self._settings,
            self._status,
            alive_at=alive_at,
            committing_since=lambda: loop.committing_since,
            broken=lambda: _broken(assembly),
        )
        is_frozen = is_away = False
        while True:
            await asyncio.sleep(LOOKS_EVERY_S)
            self._heartbeat.turned()
            if is_away != (self._status.state == "disconnected"):
                is_away = not is_away
                _say_whether_away(self._status.silent_s, is_away=is_away)
            if loop.gate.is_set():
                self._status.lag = loop.lag
            watchdog.look()
            if self._status.ready and not is_frozen:
                is_frozen = True
                gc.freeze()
                gc.set_threshold(100_000, 50, 100)  # 15-30 % of processor time with the default


def _say_whether_away(silent_s: float, *, is_away: bool) -> None:
    """In the words of observe/outage.py, which says it once, whoever notices first."""
    if is_away:
        log.warning("no broker has answered for %.0f s", silent_s, extra={SILENT_S: silent_s})
    else:
        log.warning("a broker answers again", extra={SILENT_S: 0.0})


async def _join(assembly: Assembly) -> None:
    await assembly.app.engine.failpoints.passed("start.before_join")
    await assembly.app.start()


def _broken(assembly: Assembly) -> str | None:
    """Why the consumer, or Faust around it, stopped working; None while it works."""
    consumer = assembly.app._consumer
    broken = consumer.broken() if isinstance(consumer, EngineConsumer) else None
    crash = broken or assembly.app.crash_reason
    return None if crash is None else repr(crash)


async def check_topics(settings: WorkerSettings, program: Program) -> dict[str, int]:
    """See that every topic is there, the internal ones with the right count of partitions. Returns all counts.

    Raises:
        UsageError: Something is missing or has another count.
        Retriable: The brokers cannot be reached.
    """
    expected: dict[str, int | None] = dict.fromkeys([*settings.channel_topics, *settings.output_topics])
    for stage in program.stages:
        expected[internal_topic(settings.base, stage)] = settings.partitions
        expected[changelog_topic(settings.base, stage)] = settings.partitions
    expected[clock_topic(settings.base)] = 1
    expected[agreement_topic(settings.app)] = 1
    counts = await partition_counts(settings.bootstrap, expected)
    wrong = [f"{topic}: missing" for topic in expected if topic not in counts]
    wrong += [
        f"{topic}: expected {count} partitions, found {counts[topic]}"
        for topic, count in expected.items()
        if count is not None and counts.get(topic, count) != count
    ]
    if wrong:
        given = settings.topic_options
        remedy = f"Run `touchstone topics plan{given}` to see what differs, `touchstone topics apply{given}` to create what is missing"
        raise UsageError("\n".join([*wrong, remedy]))
    return counts


async def warn_about_stamps(settings: WorkerSettings) -> None:
    """With the wall clock, say of which topics the producers make the time: one of them with a wrong clock would move that of all journeys."""
    if settings.clock != "wall":
        return
    with suppress(Retriable):  # a user without the right to look may work all the same
        stamped = await stamped_by_producers(settings.bootstrap, [*settings.channel_topics, clock_topic(settings.base)])
        if stamped:
            log.warning(
                "expected message.timestamp.type=LogAppendTime, found CreateTime of %s: a producer whose clock is wrong would let deadlines fire "
                "too early or too late; run `touchstone topics apply%s`",
                ", ".join(stamped),
                settings.topic_options,
            )


def _return_memory() -> None:
    """Let glibc give large blocks back to the system: while much waits, batches and fetches come and go, and it would keep the holes.

    30 MiB of 340 in the bench's fill. By default glibc raises these two by itself, up to 32 MiB.
    """
    with suppress(OSError, AttributeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, 64 << 10)
        mallopt(_M_TRIM_THRESHOLD, 128 << 10)


@contextmanager
def _directory_lock(directory: Path) -> Iterator[None]:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"expected {directory} to be a folder for state, or to be made one, found: {error.strerror}"
        raise UsageError(f"{reason}; name another with --data-dir") from error
    with (directory / "worker.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            remedy = "give a second worker a name, a folder and a port of its own: `--instance w2 --web-port 0`, and another --data-dir if you give one"
            raise UsageError(f"expected {directory} to be free, found another worker in it; {remedy}") from error
        yield


def _reason(error: BaseException) -> str:
    """In one line. The text of a foreign error may hold a customer's data: of it only kind and place."""
    if isinstance(error, TouchstoneError):
        return f"{type(error).__name__}: {error}"
    frame = (traceback.extract_tb(error.__traceback__) or traceback.extract_stack())[-1]
    return f"unexpected {type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"


def _last_words(code: int, reason: str) -> NoReturn:
    """The reason is the last line of the log: there whoever looks at a worker that was started again looks first."""
    log.critical("leaving without a commit, exit code %d: %s", code, reason)
    _flush_and_exit(code)


def _exit_code(refused: UsageError | TooManyDeadLetters | None) -> int:
    """As the command line answers the same error."""
    match refused:
        case None:
            return 0
        case TooManyDeadLetters():
            return EXIT_BAD_INPUT
        case UsageError():
            return EXIT_REFUSED


def _flush_and_exit(code: int) -> NoReturn:
    with suppress(Exception):  # nothing may keep the process from ending
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)

"""Warm copies: the state of partitions that others own, kept up to date on this worker's disk, so that taking them over takes no restore.

A copy is a store like any other, read from the changelog as far as it is committed. It is nobody's truth: when the partition becomes ours,
the restore reads what is missing and checks what it always checks.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from touchstone.errors import StateUnusable, TouchstoneError
from touchstone.runtime.closing import stop
from touchstone.runtime.metadata import know
from touchstone.runtime.partitions import KeptStore, Partitions
from touchstone.runtime.restore import that_slept_too_long
from touchstone.runtime.security import connection
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.status import RuntimeStatus

log = logging.getLogger(__name__)

_AT_ONCE = 2_000
"""Records between two breaths of the event loop: about 10 ms, in which no touchpoint is handled."""
_TRY_AGAIN_S = 5.0


class Standby:
    """Follows the changelogs of all partitions that this worker does not own, while it runs."""

    def __init__(
        self, settings: WorkerSettings, partitions: Partitions, status: RuntimeStatus, fail: Callable[[BaseException], Awaitable[None]]
    ) -> None:
        self._settings = settings
        self._partitions = partitions
        self._status = status
        self._fail = fail
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Follow what is not ours, in the background; nothing where standbys are not asked for."""
        if self._settings.standby:
            self._task = asyncio.create_task(self._run(), name="touchstone-standby")

    async def stop(self) -> None:
        """Leave the copies alone: partitions are about to change hands."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        """A copy that cannot be kept is a pity, no reason to stop: the restore does without."""
        while True:
            try:
                await self._follow()
            except (KafkaError, TouchstoneError) as error:
                log.warning("standby copies wait for %.0f s: %s", _TRY_AGAIN_S, error)
                await asyncio.sleep(_TRY_AGAIN_S)
            except Exception as error:  # noqa: BLE001  # whatever it is, the worker must not go on
                await self._fail(error)

    async def _follow(self) -> None:
        copies = self._partitions.open_copies()
        if not copies:
            await asyncio.Event().wait()
        reader: Any = AIOKafkaConsumer(
            **connection(self._settings.bootstrap),
            client_id=f"{self._settings.transactional_id}-standby",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=500,
        )
        await reader.start()
        try:
            await know(reader, copies)
            await self._place(reader, copies)
            was_behind = True
            while True:
                for tp, records in (await reader.getmany(timeout_ms=500, max_records=_AT_ONCE)).items():
                    self._load(reader, copies, tp, records)
                    await asyncio.sleep(0)
                behind = [_behind(reader.highwater(tp), await reader.position(tp)) for tp in copies]
                self._status.standby_behind = sum(behind)
                self._partitions.caught_up(tp for tp, records in zip(copies, behind, strict=True) if not records)
                if was_behind and not any(behind):
                    was_behind = False
                    log.info("copies of %d stores of other workers are up to date", len(copies))
        finally:
            self._status.standby_behind = 0
            await stop(reader)

    async def _place(self, reader: Any, copies: dict[TopicPartition, KeptStore]) -> None:
        """Go on where each copy ends; one that its changelog has left behind starts again."""
        starts, ends = await reader.beginning_offsets(list(copies)), await reader.end_offsets(list(copies))
        slept = await that_slept_too_long(reader, {tp: store.offset for tp, store in copies.items()}, ends)
        reader.assign(list(copies))
        for tp, store in copies.items():
            if store.offset > ends[tp] or 0 < store.offset < starts[tp] or tp in slept:
                store.wipe()
            reader.seek(tp, max(store.offset, starts[tp]))

    def _load(self, reader: Any, copies: dict[TopicPartition, KeptStore], tp: TopicPartition, records: list[Any]) -> None:
        try:
            copies[tp].load([(record.key, record.value) for record in records], records[-1].offset + 1)
        except StateUnusable as error:
            log.warning("%s", error)
            copies[tp] = self._partitions.rebuild_copy(tp)
            reader.seek(tp, 0)


def _behind(end: int | None, position: int) -> int:
    """What lies between; one while no fetch has told the end yet."""
    return 1 if end is None else max(0, end - position)

"""The partitions this worker owns, with their stores."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from aiokafka import TopicPartition

from touchstone.errors import DiskUnusable, InvariantBroken, StateUnusable
from touchstone.runtime.names import changelog_topic, internal_topic, is_store_directory, store_directory
from touchstone.runtime.program import Program
from touchstone.runtime.settings import WorkerSettings
from touchstone.state.rocksdb import RocksBackend
from touchstone.state.store import CommittedStore


class KeptStore(CommittedStore, Protocol):
    """A store that also keeps facts about itself, like what it was folded with."""

    def get_meta(self, name: str) -> bytes | None:
        """A fact about the store, or None."""
        ...

    def put_meta(self, name: str, value: bytes) -> None:
        """Remember a fact; it travels with the changelog like a row."""
        ...


StoreFactory = Callable[[Path, Mapping[str, Any]], KeptStore]
"""Opens, or creates, the store in a directory, given its row types by tag. May raise `StateUnusable`."""

log = logging.getLogger(__name__)

FINGERPRINT = "fingerprint"
"""The named value of every store that says what it was folded with."""

_SOON_S = 60.0
"""A store that breaks again within this time after it was rebuilt will go on doing so."""


class Partitions:
    """Opens, hands out and closes the stores of the stage partitions that are assigned to this worker."""

    def __init__(
        self,
        settings: WorkerSettings,
        program: Program,
        open_store: StoreFactory,
        counts: Mapping[str, int] | None = None,
        destroy: Callable[[Path], None] = RocksBackend.destroy,
    ) -> None:
        """`counts` says how many partitions each channel topic has; `destroy` deletes a store's files, however broken they are."""
        self._channel_counts = counts or {}
        self._settings = settings
        self._program = program
        self._open_store = open_store
        self._destroy = destroy
        self._rebuilt: dict[tuple[str, int], float | None] = {}
        self._stage_of = {internal_topic(settings.base, stage): stage for stage in program.stages}
        self._channels = frozenset(settings.channel_topics)
        self._opened: set[int] = set()
        self.assigned: frozenset[TopicPartition] = frozenset()
        self.owned: frozenset[int] = frozenset()
        self.stores: dict[tuple[str, int], KeptStore] = {}
        self._copies: dict[tuple[str, int], KeptStore] = {}

    @property
    def sources(self) -> list[TopicPartition]:
        """The channel partitions among the assigned ones."""
        return [tp for tp in self.assigned if tp.topic in self._channels]

    @property
    def internal(self) -> list[TopicPartition]:
        """The partitions of internal topics among the assigned ones."""
        return [tp for tp in self.assigned if tp.topic in self._stage_of]

    def beside(self, partitions: Iterable[int]) -> list[TopicPartition]:
        """The assigned channel partitions of these numbers, in channels with as many partitions as the stages: one worker has both."""
        counts = self._channel_counts
        wanted = frozenset(partitions)
        return [tp for tp in self.sources if tp.partition in wanted and counts.get(tp.topic) == self._settings.partitions]

    def stage_of(self, topic: str) -> str | None:
        """The stage that an internal topic belongs to; None for a channel."""
        return self._stage_of.get(topic)

    def changelog(self, stage: str, partition: int) -> TopicPartition:
        """Where the changes of a store go."""
        return TopicPartition(changelog_topic(self._settings.base, stage), partition)

    def change(self, assigned: Iterable[TopicPartition]) -> None:
        """Own exactly these from now on: the program forgets all, stores that went are closed, those that stay drop what is pending.

        Raises:
            InvariantBroken: The stages are not co-partitioned, so that a message by memory could reach a partition of somebody else.
        """
        self.assigned = frozenset(assigned)
        by_stage = {stage: {tp.partition for tp in self.assigned if tp.topic == topic} for topic, stage in self._stage_of.items()}
        shares = list(by_stage.values())
        if any(share != shares[0] for share in shares):
            raise InvariantBroken(f"expected every stage to own the same partitions, found {by_stage}")
        self.owned = frozenset(shares[0]) if shares else frozenset()
        for partition in sorted(self._opened):
            self._program.closed(partition)
        self._opened.clear()
        for (stage, partition), store in list(self.stores.items()):
            if partition in self.owned:
                store.rollback()
            else:
                del self.stores[stage, partition]
                if self._settings.standby:
                    store.rollback()
                    self._copies[stage, partition] = store
                else:
                    store.close()

    def open(self) -> None:
        """Open the stores of partitions that are new here; one that cannot be used starts again, empty."""
        self._destroy_other_generations()
        for partition in sorted(self.owned):
            for stage in self._program.stages:
                if (stage, partition) not in self.stores:
                    copy = self._copies.pop((stage, partition), None)
                    self.stores[stage, partition] = self._open(stage, partition) if copy is None else copy

    def rebuild(self, stage: str, partition: int) -> KeptStore:
        """Throw the state of one store away, on disk too.

        Raises:
            DiskUnusable: It was rebuilt only now: doing it again and again would help nobody.
        """
        self._note_rebuild(stage, partition)
        with suppress(StateUnusable):
            self.stores.pop((stage, partition)).close()
        store = self.stores[stage, partition] = self._start_again(stage, partition)
        return store

    def rebuild_at(self, path: str) -> None:
        """Throw the store away whose files lie under `path`, where one of the open stores does."""
        for stage, partition in list(self.stores):
            if Path(path).is_relative_to(self._directory(stage, partition)):
                self.rebuild(stage, partition)

    def hand_over(self) -> None:
        """Give the restored partitions to the program."""
        for partition in sorted(self.owned):
            self._program.opened(partition, {stage: self.stores[stage, partition] for stage in self._program.stages})
            self._opened.add(partition)
        self._are_whole(of for of in self._rebuilt if of not in self._copies)

    def without_fingerprint(self) -> frozenset[int]:
        """The partitions with a store that was never committed, or whose changelog has lost what was."""
        return frozenset(partition for (_, partition), store in self.stores.items() if store.get_meta(FINGERPRINT) is None)

    def check_fingerprints(self) -> str | None:
        """Compare what each store was folded with; an empty store takes the program's. Returns what is wrong, if anything is."""
        ours = self._program.fingerprint
        for (stage, partition), store in sorted(self.stores.items()):
            theirs = store.get_meta(FINGERPRINT)
            if theirs is None and next(store.groups(), None) is None:
                store.put_meta(FINGERPRINT, ours)
            elif theirs != ours:
                return (
                    f"the state of {stage}[{partition}] was folded with another topology, hash key or number of partitions: expected "
                    f"«{ours.decode(errors='replace')}», found «{theirs.decode(errors='replace') if theirs else 'none'}». Run this worker "
                    f"with what the state was made with, or fold everything anew with `touchstone topics rebuild` (docs/operate.md)"
                )
        return None

    def open_copies(self) -> dict[TopicPartition, KeptStore]:
        """Open a copy of every store that is not ours; returns them by their changelogs."""
        for partition in range(self._settings.partitions):
            for stage in self._program.stages:
                if partition not in self.owned and (stage, partition) not in self._copies:
                    self._copies[stage, partition] = self._open(stage, partition)
        return {self.changelog(stage, partition): store for (stage, partition), store in self._copies.items()}

    def rebuild_copy(self, changelog: TopicPartition) -> KeptStore:
        """Throw a copy away, on disk too.

        Raises:
            DiskUnusable: It was rebuilt only now.
        """
        stage = next(stage for stage in self._program.stages if self.changelog(stage, changelog.partition) == changelog)
        self._note_rebuild(stage, changelog.partition)
        with suppress(StateUnusable):
            self._copies.pop((stage, changelog.partition)).close()
        store = self._copies[stage, changelog.partition] = self._start_again(stage, changelog.partition)
        return store

    def caught_up(self, changelogs: Iterable[TopicPartition]) -> None:
        """The copies of these were read to the end of their changelogs: one that was rebuilt is in use again."""
        whole = frozenset(changelogs)
        self._are_whole(of for of in self._rebuilt if self.changelog(*of) in whole)

    def close(self) -> None:
        """Close everything."""
        self.change([])
        for store in self._copies.values():
            store.close()
        self._copies.clear()

    def _directory(self, stage: str, partition: int) -> Path:
        return self._settings.data_dir / store_directory(self._settings.generation, stage, partition)

    def _open(self, stage: str, partition: int) -> KeptStore:
        directory = self._directory(stage, partition)
        try:
            return self._open_store(directory, self._program.stages[stage])
        except StateUnusable as error:
            log.warning("%s", error)
            self._note_rebuild(stage, partition)
            return self._start_again(stage, partition)

    def _start_again(self, stage: str, partition: int) -> KeptStore:
        directory = self._directory(stage, partition)
        self._destroy(directory)
        return self._open_store(directory, self._program.stages[stage])

    def _note_rebuild(self, stage: str, partition: int) -> None:
        """Remember that a store is rebuilt; None stands for one that is not in use again yet."""
        before = self._rebuilt.get((stage, partition), -_SOON_S)
        if before is None or time.monotonic() - before < _SOON_S:
            raise DiskUnusable(
                str(self._directory(stage, partition)),
                f"state of {stage}[{partition}] broke again right after it was rebuilt from its changelog",
                "look for errors of the disk or the memory of this machine, or try another --data-dir; if it breaks there as well, the "
                "changelog itself is damaged: `touchstone topics rebuild` (docs/operate.md)",
            )
        self._rebuilt[stage, partition] = None

    def _are_whole(self, stores: Iterable[tuple[str, int]]) -> None:
        self._rebuilt |= {of: time.monotonic() for of in stores if self._rebuilt[of] is None}

    def _destroy_other_generations(self) -> None:
        """State of a generation that is no longer in use would only fill the disk."""
        ours = {store_directory(self._settings.generation, stage, partition) for stage, partition in self._possible()}
        for directory in self._settings.data_dir.iterdir() if self._settings.data_dir.is_dir() else ():
            if directory.name not in ours and is_store_directory(directory.name, self._program.stages):
                log.info("removing %s, the state of a generation that is no longer in use", directory)
                self._destroy(directory)
                with suppress(OSError):  # what else lies there is not ours
                    directory.rmdir()

    def _possible(self) -> Iterable[tuple[str, int]]:
        return ((stage, partition) for stage in self._program.stages for partition in range(self._settings.partitions))

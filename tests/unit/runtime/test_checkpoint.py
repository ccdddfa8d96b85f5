"""Two epochs: the next records are processed while a commit is under way, and belong to the commit after it."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from aiokafka import TopicPartition

from touchstone.clock import SystemClock
from touchstone.errors import Fenced, InvariantBroken, StateUnusable
from touchstone.runtime.batch import Slice
from touchstone.runtime.checkpoint import Checkpoint
from touchstone.runtime.delivery import Delivery
from touchstone.runtime.failpoint import Failpoints
from touchstone.runtime.partitions import Partitions
from touchstone.runtime.producer import Item, Outgoing, Producer
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.status import RuntimeStatus
from touchstone.runtime.timekeeper import Timekeeper
from touchstone.state.memory import DictBackend
from touchstone.state.rows import RowStore

SOURCE = TopicPartition("t", 0)
OUTPUT = TopicPartition("out", 0)
CHANGELOG = TopicPartition("app-counts-changelog", 0)
CHANGED, UNTOUCHED = TopicPartition("app.counts", 0), TopicPartition("app.counts", 1)


class SlowBroker:
    """Stands for the producer: what is written is acknowledged once `may_go_on` is set."""

    in_transaction = False

    def __init__(self) -> None:
        self.may_go_on = asyncio.Event()
        self.is_held = False
        self.written: list[Outgoing] = []
        self.committed: list[Mapping[TopicPartition, int]] = []
        self.notes: list[Mapping[TopicPartition, str]] = []

    def hold(self) -> None:
        """A commit has been decided on."""
        self.is_held = True

    def release(self) -> None:
        """It has ended."""
        self.is_held = False

    async def transact(
        self,
        outgoing: Outgoing,
        positions: Mapping[TopicPartition, int],
        before_end: Callable[[], None],
        notes: Mapping[TopicPartition, str],
    ) -> dict[TopicPartition, int]:
        """Take records and offsets, slowly."""
        await self.may_go_on.wait()
        self.written.append(outgoing)
        before_end()
        self.committed.append(positions)
        self.notes.append(notes)
        return dict.fromkeys(outgoing, 7 * len(self.written))


class Counting:
    """Stands for the stages: counts, says what it counts, and knows what stands."""

    def __init__(self) -> None:
        self.open = self.under_way = self.stands = 0

    stages: Mapping[str, Mapping[str, Any]] = {"counts": {"i": int}}

    def deliver(self, *_: object) -> None:
        """Nothing is said to it."""

    def settle(self, _out: object, _wall_ms: int) -> bool:
        """Nothing was put off."""
        return False

    def note(self, _topic: str, _partition: int) -> str:
        """What is kept beside the offset: what was counted since the last commit."""
        return str(self.open)

    def resume(self, _topic: str, _partition: int, note: str) -> None:
        """Go on counting from there."""
        self.open = int(note)

    def sealed(self) -> None:
        """What was counted is being committed."""
        self.under_way, self.open = self.open, 0

    def committed(self) -> None:
        """What was sealed stands."""
        self.stands += self.under_way


class Timeless:
    """Stands for the timekeeper, where time does not move."""

    now = None

    def due(self, *_: object) -> list[tuple[int, int]]:
        """Nothing."""
        return []

    def statement(self, *_: object) -> None:
        """Nothing to say."""

    def wants_commit(self, *_: object) -> bool:
        """Never."""
        return False


class Stores:
    """Stands for the partitions: one store."""

    def __init__(self, store: RowStore) -> None:
        self.stores = {("counts", 0): store}

    def changelog(self, _stage: str, _partition: int) -> TopicPartition:
        """Its changelog."""
        return CHANGELOG


class Bench:
    """A checkpoint on a slow broker, with one store."""

    def __init__(self) -> None:
        settings = WorkerSettings(
            app="app",
            bootstrap="nowhere:1",
            instance="w1",
            data_dir=Path("/none"),
            partitions=1,
            channel_topics=("t",),
            commit_interval_ms=0,
            commit_records=10,
        )
        self.broker, self.program, status = SlowBroker(), Counting(), RuntimeStatus()
        self.store = RowStore(DictBackend(), self.program.stages["counts"])
        self.delivery = Delivery(settings, cast("Any", self.program), cast("Producer", self.broker), status, Failpoints({}))
        self.delivery.know_outputs({"out": 1})
        self.checkpoint = Checkpoint(
            settings,
            cast("Any", self.program),
            partitions=cast("Partitions", Stores(self.store)),
            delivery=self.delivery,
            producer=cast("Producer", self.broker),
            timekeeper=cast("Timekeeper", Timeless()),
            clock=SystemClock(),
            failpoints=Failpoints({}),
            status=status,
        )
        self.checkpoint.start({SOURCE: 0}, {SOURCE: "0"})

    def process(self, count: int, position: int) -> None:
        """What the loop does with so many records, up to this position: count them, and say the count."""
        self.program.open += count
        self.store.put("all", "i", (self.store.get("all", "i") or 0) + count)
        self.delivery.record("out", b"all", str(self.store.get("all", "i")).encode())
        self.checkpoint.processed(Slice(SOURCE, cast("Any", [None] * count), position))


def run(story: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    """Tell a story inside an event loop."""

    async def told() -> None:
        await story(Bench())

    asyncio.run(told())


def test_what_is_done_while_a_commit_is_under_way_goes_into_the_next_one() -> None:
    """Records, changes, positions and counts of the two never mix, and what is read meanwhile is the newest."""

    async def story(bench: Bench) -> None:
        bench.process(3, position=3)
        await bench.checkpoint.commit()
        bench.process(2, position=5)

        assert bench.checkpoint.is_under_way
        bench.broker.may_go_on.set()
        await bench.checkpoint.commit()
        await bench.checkpoint.finish()

        assert bench.broker.committed == [{SOURCE: 3}, {SOURCE: 5}]
        assert bench.broker.notes == [{SOURCE: "3"}, {SOURCE: "2"}]
        assert [wave[OUTPUT] for wave in bench.broker.written] == [[Item(b"all", b"3")], [Item(b"all", b"5")]]
        assert [len(wave[CHANGELOG]) for wave in bench.broker.written] == [1, 1]
        assert (bench.store.get("all", "i"), bench.store.offset, bench.program.stands) == (5, 14, 5)

    run(story)


def test_a_partition_that_changed_by_memory_is_in_the_transaction_with_its_offset() -> None:
    """Else whoever takes it over would not wait for the outcome, and what a worker that wakes up commits then would be lost to it."""

    async def story(bench: Bench) -> None:
        bench.broker.may_go_on.set()
        bench.checkpoint.start({SOURCE: 0, CHANGED: 40, UNTOUCHED: 50}, {SOURCE: "0"})
        bench.process(3, position=3)

        await bench.checkpoint.commit()
        await bench.checkpoint.finish()

        assert bench.broker.committed == [{SOURCE: 3, CHANGED: 40}]

    run(story)


def test_no_second_commit_begins_before_the_first_has_ended_unless_too_much_waits() -> None:
    """Time alone does not call for one; many records do, and then they wait."""

    async def story(bench: Bench) -> None:
        bench.process(3, position=3)
        await bench.checkpoint.commit()

        bench.process(9, position=12)
        is_due_before = bench.checkpoint.is_due
        bench.process(1, position=13)
        assert (is_due_before, bench.checkpoint.is_due) == (False, True)
        second = asyncio.create_task(bench.checkpoint.commit())
        await asyncio.wait([second], timeout=0.01)
        assert not second.done()
        bench.broker.may_go_on.set()
        await second
        await bench.checkpoint.finish()

        assert bench.broker.committed == [{SOURCE: 3}, {SOURCE: 13}]

    run(story)


def test_what_a_commit_failed_with_is_told_once() -> None:
    """Whoever looks next learns it, and recovers; it is not told again afterwards."""

    async def story(bench: Bench) -> None:
        def broken(next_offset: int) -> None:
            raise StateUnusable("/none", f"expected to write up to {next_offset}, found a broken disk")

        ended = asyncio.Event()
        bench.checkpoint.tell(ended.set)
        bench.process(3, position=3)
        bench.broker.may_go_on.set()
        bench.store.commit = broken  # type: ignore[method-assign]  # a disk that breaks now
        await bench.checkpoint.commit()
        await ended.wait()

        with pytest.raises(StateUnusable):
            bench.checkpoint.check()

        bench.checkpoint.check()
        assert bench.broker.committed == [{SOURCE: 3}]

    run(story)


def test_no_commit_follows_one_that_failed() -> None:
    """A worker on its way out is asked to hand its partitions back: the later epoch must not stand without the earlier one.

    Found by the walk (seed 4): only the store's own guard stood between the second commit and a lost epoch.
    """

    async def story(bench: Bench) -> None:
        async def refuse(*_: object) -> dict[TopicPartition, int]:
            raise Fenced("the group refused our offsets")

        accept, bench.broker.transact = bench.broker.transact, refuse  # type: ignore[method-assign,assignment]  # the group refuses
        bench.broker.may_go_on.set()
        bench.delivery.record("out", b"all", b"3")
        bench.checkpoint.moved(SOURCE, 3)
        await bench.checkpoint.commit()
        with pytest.raises(Fenced):
            await bench.checkpoint.finish()
        bench.broker.transact = accept  # type: ignore[method-assign]
        bench.process(2, position=5)

        with pytest.raises(Fenced):
            await bench.checkpoint.commit()

        assert bench.broker.committed == []
        bench.checkpoint.start({SOURCE: 0}, {SOURCE: "0"})
        bench.process(5, position=5)
        await bench.checkpoint.commit()
        await bench.checkpoint.finish()
        assert bench.broker.committed == [{SOURCE: 5}]

    run(story)


def test_a_changelog_that_begins_anew_under_a_worker_ends_it() -> None:
    """However much is written at once: what lies before it is gone, and the local store would hide that."""

    async def story(bench: Bench) -> None:
        bench.broker.may_go_on.set()
        bench.process(3, position=3)
        await bench.checkpoint.commit()
        await bench.checkpoint.finish()
        bench.broker.written = []  # deleted and made again: what is written now ends at 7 once more
        bench.process(3, position=6)
        await bench.checkpoint.commit()

        with pytest.raises(InvariantBroken, match="deleted and made again"):
            await bench.checkpoint.finish()

    run(story)


def test_nothing_is_emitted_into_the_transaction_of_a_commit_that_is_decided() -> None:
    """It would stand although its offsets do not."""
    settings = WorkerSettings(app="a", bootstrap="nowhere:1", instance="w1", data_dir=Path("/none"), partitions=1, channel_topics=("t",))
    producer = Producer(settings, cast("Any", None))
    producer.hold()

    with pytest.raises(InvariantBroken, match="while a commit is under way"):
        producer.emit({OUTPUT: [Item(b"k", b"v")]})

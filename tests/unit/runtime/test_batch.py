"""Batches are cut so that nobody waits long and nothing is reordered."""

from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from touchstone.runtime.batch import Batch, portions


def records(tp: TopicPartition, count: int) -> list[Any]:
    """So many records with every second offset, as after an aborted transaction."""
    return [
        SimpleNamespace(topic=tp.topic, partition=tp.partition, offset=2 * n, timestamp=n, key=None, value=b"v", headers=())
        for n in range(count)
    ]


def batch_of(sizes: dict[tuple[str, int], int]) -> Batch:
    """A batch with so many records per partition, whose positions lie behind a marker."""
    by_tp = {TopicPartition(*tp): records(TopicPartition(*tp), count) for tp, count in sizes.items()}
    return Batch(1, by_tp, {tp: 2 * len(found) + 1 for tp, found in by_tp.items()})


SIZES = st.dictionaries(st.tuples(st.sampled_from(["web", "app", "iot"]), st.integers(0, 3)), st.integers(0, 30))


@given(SIZES, st.integers(1, 12))
def test_every_record_comes_once_in_the_order_of_its_partition(sizes: dict[tuple[str, int], int], limit: int) -> None:
    """Law: joined again, the portions are the batch; none is larger than the limit; positions only rise and end where the batch does."""
    batch = batch_of(sizes)
    seen: dict[TopicPartition, list[int]] = {}
    positions: dict[TopicPartition, int] = {}

    for portion in portions(batch, limit):
        assert portion.size == sum(len(piece.records) for piece in portion.slices) <= limit
        for piece in portion.slices:
            assert piece.tp.topic == portion.topic
            seen.setdefault(piece.tp, []).extend(record.offset for record in piece.records)
            assert piece.position > positions.get(piece.tp, -1)
            positions[piece.tp] = piece.position

    assert seen == {tp: [record.offset for record in found] for tp, found in batch.records.items() if found}
    assert positions == {tp: batch.positions[tp] for tp in seen}


def test_a_backlog_of_one_topic_does_not_hold_up_another() -> None:
    """A topic with a single record is served after one portion of the topic with a thousand."""
    batch = batch_of({("web", 0): 1_000, ("app", 0): 1})

    topics = [portion.topic for portion in portions(batch, 100)]

    assert topics.index("app") == 1


def test_a_slice_that_is_not_the_last_ends_behind_its_last_record() -> None:
    """Until a partition's last slice is done, the position lies right behind the last record that was handled."""
    batch = batch_of({("web", 0): 3})

    positions = [piece.position for portion in portions(batch, 2) for piece in portion.slices]

    assert positions == [3, 7]

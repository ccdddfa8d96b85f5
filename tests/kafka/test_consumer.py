"""touchstone.consumer.Moments on a real topic: groups, restarts, partitions that move."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from tests.samples import moment_with
from touchstone.consumer import Change, Moments
from touchstone.contracts.codec import bundled_codec
from touchstone.errors import Retriable, UsageError
from touchstone.model.output import Customer, Moment
from touchstone.runtime.admin import TopicSpec, apply
from touchstone.runtime.client import produce_lines

PARTITIONS = 4


def moment(number: int, revision: int = 1, action: str = "assert") -> Moment:
    """A moment of customer number `number`; all its revisions lie in that customer's partition."""
    return moment_with(
        moment_id=f"m{number}",
        revision=revision,
        action=action,
        customer_id=f"customer-{number}",
        occurred_at=1_714_557_600_000 + number,
        corrects="merge" if action == "retract" else None,
    )


async def produce(kafka: str, topic: str, moments: Sequence[Moment]) -> None:
    """Write moments as Touchstone does."""
    codec = bundled_codec()
    await produce_lines(kafka, [(topic, each.customer_id.encode(), codec.encode_moment(each)) for each in moments])


def say(kafka: str, topic: str, moments: Sequence[Moment]) -> None:
    """The same where no event loop runs."""
    asyncio.run(produce(kafka, topic, moments))


@pytest.fixture
def topic(kafka: str, topic_prefix: str) -> str:
    """An empty topic of moments."""
    name = f"{topic_prefix}moments"
    asyncio.run(apply(kafka, [TopicSpec(name, PARTITIONS)]))
    return name


async def take(moments: Moments, count: int) -> list[Change]:
    """The next changes; fails when they do not come."""
    changes: list[Change] = []
    async with asyncio.timeout(60):
        async for change in moments:
            changes.append(change)
            if len(changes) == count:
                break
    return changes


def told(changes: Sequence[Change]) -> set[tuple[str, str]]:
    """What was said of which moment."""
    return {(change.what, change.moment.moment_id) for change in changes}


def test_without_a_group_every_run_tells_everything(kafka: str, topic: str) -> None:
    """Assertions and retractions of all partitions, from the beginning, every time."""
    say(kafka, topic, [moment(n) for n in range(8)] + [moment(3, 2, "retract")])

    async def run() -> list[Change]:
        async with Moments(kafka, topic=topic) as moments:
            return await take(moments, 9)

    for _ in range(2):
        changes = asyncio.run(run())
        assert told(changes) == {("asserted", f"m{n}") for n in range(8)} | {("retracted", "m3")}


def test_after_a_restart_only_what_is_new_is_told_and_the_old_is_known(kafka: str, topic: str) -> None:
    """The memory comes back from the topic: a retraction names what was asserted in the run before.

    The change that was handed out last, and after which no other was asked for, is told again.
    """

    async def run(count: int) -> tuple[list[Change], set[str]]:
        async with Moments(kafka, topic=topic, group=f"{topic}.readers") as moments:
            return await take(moments, count), {each.moment_id for each in moments.standing()}

    say(kafka, topic, [moment(n) for n in range(6)])
    first, _ = asyncio.run(run(6))
    say(kafka, topic, [moment(2, 2, "retract"), moment(4, 1), moment(6)])

    second, standing = asyncio.run(run(3))

    assert told(first) == {("asserted", f"m{n}") for n in range(6)}
    assert told(second) == {("retracted", "m2"), ("asserted", "m6"), ("asserted", first[-1].moment.moment_id)}
    assert [change.before for change in second if change.what == "retracted"] == [moment(2)]
    assert {"m0", "m6"} <= standing
    assert "m2" not in standing


def test_a_partition_that_moves_takes_its_history_along(kafka: str, topic: str) -> None:
    """A second member joins and gets partitions that the first one read: it knows what was asserted there, and nothing is told twice."""
    customers = 16

    async def collect(moments: Moments, changes: list[Change]) -> None:
        async for change in moments:
            changes.append(change)  # noqa: PERF401 - the list is looked at meanwhile

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110 - the condition lies in other tasks' data
                await asyncio.sleep(0.02)

    def owned(moments: Moments) -> set[int]:
        reader = moments._reader
        return {number for number in range(PARTITIONS) if reader is not None and reader.owns(number)}

    async def run() -> tuple[list[Change], list[Change]]:
        of_first: list[Change] = []
        of_second: list[Change] = []
        async with Moments(kafka, topic=topic, group=f"{topic}.readers") as first, asyncio.TaskGroup() as group:
            reading = group.create_task(collect(first, of_first))
            await until(lambda: len(of_first) == customers)
            async with Moments(kafka, topic=topic, group=f"{topic}.readers") as second:
                also_reading = group.create_task(collect(second, of_second))
                await until(lambda: bool(owned(second)) and owned(first) | owned(second) == set(range(PARTITIONS)))
                await until(lambda: not owned(first) & owned(second))
                await produce(kafka, topic, [moment(n, 2, "retract") for n in range(customers)])
                await until(lambda: len(of_first) + len(of_second) == 2 * customers)
                also_reading.cancel()
                await asyncio.wait([also_reading])
            reading.cancel()
        return of_first, of_second

    asyncio.run(produce(kafka, topic, [moment(n) for n in range(customers)]))

    of_first, of_second = asyncio.run(run())

    assert told(of_first + of_second) == {(what, f"m{n}") for what in ("asserted", "retracted") for n in range(customers)}
    assert of_second
    assert all(change.what == "retracted" and change.before == moment(int(change.moment.moment_id[1:])) for change in of_second)


def test_a_topic_of_something_else_and_a_missing_one_are_messages(kafka: str, topic: str) -> None:
    """The user learns what is wrong; nothing hangs."""
    customer = bundled_codec().encode_customer(Customer("ada", 1, "default", "active", None))
    asyncio.run(produce_lines(kafka, [(topic, b"ada", customer)]))

    async def run(bootstrap: str, name: str) -> None:
        async with Moments(bootstrap, topic=name) as moments:
            await take(moments, 1)

    with pytest.raises(UsageError, match="holds Customer records"):
        asyncio.run(run(kafka, topic))
    with pytest.raises(UsageError, match="touchstone topics apply"):
        asyncio.run(run(kafka, f"{topic}.nothing"))
    with pytest.raises(Retriable, match="is it running"):
        asyncio.run(run("127.0.0.1:1", topic))

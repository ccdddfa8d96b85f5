"""New generations of an application's state, made offline: on another number of partitions, or built anew from touchpoints and outputs."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from touchstone.app import channel_topics, input_topics, ordering_of, output_topics
from touchstone.clock import SystemClock
from touchstone.contracts.codec import reading_codec
from touchstone.errors import UsageError
from touchstone.identity.ordering import Ordering
from touchstone.intake.agent import Intake
from touchstone.intake.touchpoint import Accepted
from touchstone.journey.recall import Book
from touchstone.model.component import NEVER
from touchstone.model.erasure import ForgottenTable, decode_forgotten
from touchstone.model.output import Carried, Customer, Moment, Review
from touchstone.observe.metrics import Counts
from touchstone.pipeline import JOURNEY, Pipeline, stages_of
from touchstone.runtime.admin import application_topics, apply, partition_counts
from touchstone.runtime.agreement import Agreement, read_agreement, refuse_changed_outputs
from touchstone.runtime.client import read_topic
from touchstone.runtime.failpoint import Failpoints
from touchstone.runtime.generation import begin, refuse_members, write_messages, writing
from touchstone.runtime.inputs import Inputs, what_is_left
from touchstone.runtime.names import clock_topic, generation_base
from touchstone.runtime.repartition import Moved, Repartition, statements
from touchstone.topology.compile import Topology
from touchstone.topology.fingerprint import differences

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Change:
    """What was done, or would be: from which generation to which, and what that means in numbers."""

    before: int
    generation: int
    partitions: int
    rows: int = 0
    messages: int = 0


@dataclass(frozen=True)
class Recalled:
    """What is known of the outputs and inputs of an application that is to be built anew.

    `unknown`: customer ids of which nothing says from which identifier they were made; `left`: moments and customers from before the
    touchpoints begin that Kafka still holds, which stay as they were said.
    """

    book: Book
    inputs: Inputs
    not_before: int
    unknown: int
    left: tuple[int, int]


def program_of(topology: Topology, ordering: Ordering) -> Pipeline:
    """The stages of a topology, which say nothing here."""
    return Pipeline(topology, ordering, topology.partitions, lambda _record, _out: None, SystemClock())


async def agreement_to_repartition(topology: Topology, app: str, bootstrap: str) -> Agreement:
    """What stands, after a look whether it may be moved to the topology's number of partitions.

    Raises:
        UsageError: Workers run, nothing was ever agreed on, or more than the number of partitions differs.
    """
    agreement = await read_agreement(bootstrap, app)
    if agreement is None:
        raise UsageError(
            f"expected the state of {app!r} on this Kafka, found that no worker has ever run: there is nothing to move, set `partitions` as you like"
        )
    await refuse_members(bootstrap, app)
    ours = program_of(topology, ordering_of(topology)).terms
    others = differences(dict(agreement.terms) | {"partitions": topology.partitions}, dict(ours))
    if others:
        raise UsageError(
            "\n".join(
                ["expected that only the number of partitions differs, found:", *(f"- {line}" for line in others), "Change one at a time"]
            )
        )
    refuse_changed_outputs(agreement, await partition_counts(bootstrap, output_topics(topology)))
    return agreement


async def repartition(
    topology: Topology, app: str, bootstrap: str, agreement: Agreement, *, replication: int | None = None, tell: Tell = lambda *_: None
) -> Change:
    """Move the state of `app` to the topology's number of partitions.

    Raises:
        UsageError: Workers run, or another change was begun.
        Retriable: The brokers cannot be reached; run it again.
    """
    ordering, count = ordering_of(topology), topology.partitions
    new = await begin(bootstrap, app, "repartition", count, agreement)
    await apply(bootstrap, application_topics(app, stages_of(topology), count, new.begun.generation), replication)
    work = Repartition(new, program_of(topology, ordering), lambda key: ordering.partition(key, count))
    async with writing(new, Failpoints.from_environment(os.environ).reached) as hand:
        await work.run(hand, tell)
    moved: Moved = work.moved
    return Change(agreement.generation, new.begun.generation, count, moved.rows, moved.messages)


async def recall(topology: Topology, app: str, bootstrap: str, tell: Tell = lambda *_: None) -> Recalled:
    """Read back what was said, and look at what is left of the touchpoints. Changes nothing.

    Raises:
        UsageError: Workers run, or the outputs were written with another hash key.
        Retriable: The brokers cannot be reached.
    """
    await refuse_members(bootstrap, app)
    agreement = await read_agreement(bootstrap, app)
    ordering = ordering_of(topology)
    _refuse_other_key(agreement, program_of(topology, ordering))
    book, codec = Book(ordering, await read_forgotten(topology, bootstrap)), reading_codec()
    asking = {output.topic: output.name for output in topology.asking}
    reviews = [] if topology.matching is None else [topology.topics.reviews]
    there = await partition_counts(bootstrap, [topology.topics.customers, topology.topics.moments, *asking, *reviews])
    for topic in sorted(there):
        number = 0
        async for record in read_topic(bootstrap, [topic]):
            said = None if record.value is None else codec.decode_record(record.value)
            if isinstance(said, Moment) and topic in asking:
                book.add(Carried(asking[topic], said))
            elif isinstance(said, Moment | Customer | Review):
                book.add(said)
            number += 1
            if number % 1_000 == 0:
                tell(topic, number, 0)
    inputs = await what_is_left(bootstrap, input_topics(topology))
    left = book.leave_before(inputs.since_ms) if inputs.since_ms is not None else (0, 0)
    if unknown := book.find_origins():
        await _trace(book, topology, ordering, bootstrap)
        unknown = book.find_origins()
    if book.customers and len(unknown) == len(book.ids):
        raise UsageError(
            f"none of the {len(unknown)} customer ids in {topology.topics.customers} was made with this hash key: set the one that the application had "
            "(docs/operate.md)"
        )
    base = generation_base(app, agreement.generation if agreement else 1)
    reached = [at for statement in await statements(bootstrap, clock_topic(base)) for _, at in statement.reached]
    # Under another clock the time that was lost may never come; heard at once, it is only noisier.
    is_same_clock = agreement is not None and agreement.clock == topology.clock
    return Recalled(book, inputs, max(reached, default=NEVER) if is_same_clock else NEVER, len(unknown), left)


async def read_forgotten(topology: Topology, bootstrap: str) -> ForgottenTable:
    """What the privacy log says; nothing where there is no such topic yet.

    Raises:
        Retriable: The brokers cannot be reached.
    """
    forgotten, topic = ForgottenTable(), topology.topics.privacy
    if topic in await partition_counts(bootstrap, [topic]):
        async for record in read_topic(bootstrap, [topic]):
            if record.value is not None:
                forgotten.learn(decode_forgotten(record.value))
    return forgotten


async def rebuild(
    topology: Topology, app: str, bootstrap: str, recalled: Recalled, *, replication: int | None = None, tell: Tell = lambda *_: None
) -> Change:
    """Begin a generation without state: all touchpoints are read again, and components answer for what was said.

    Raises:
        UsageError: Workers run, or another change was begun.
        Retriable: The brokers cannot be reached; run it again.
    """
    ordering, count = ordering_of(topology), topology.partitions
    program = program_of(topology, ordering)
    outputs = await partition_counts(bootstrap, output_topics(topology))
    ours = Agreement(
        partitions=count,
        clock=topology.clock,
        fingerprint=program.fingerprint.decode(errors="replace"),
        terms=dict(program.terms),
        outputs=outputs,
    )
    await apply(bootstrap, application_topics(app, stages_of(topology), count, 1)[-1:], replication)
    before = await read_agreement(bootstrap, app)
    if before is not None:
        refuse_changed_outputs(before, outputs)
    new = await begin(bootstrap, app, "rebuild", count, before or ours)
    number = new.begun.generation
    await apply(bootstrap, application_topics(app, stages_of(topology), count, number), replication)
    messages = 0
    async with writing(new, Failpoints.from_environment(os.environ).reached) as hand:
        portion: list[tuple[int, bytes]] = []
        for message in recalled.book.recalls(recalled.not_before):
            portion.append((ordering.partition(message.to, count), program.encode(message)))
            messages += 1
            if len(portion) == 500:
                await write_messages(hand, new, JOURNEY, portion)
                tell("what was said", messages, len(recalled.book.ids))
                portion = []
        await write_messages(hand, new, JOURNEY, portion)
        stands = msgspec.structs.replace(ours, generation=number, latest=number, outputs=(before.outputs if before else {}) | outputs)
        await hand.finish(stands, {}, recalled.inputs.beginnings)
    return Change(new.before.generation, number, count, 0, messages)


def _refuse_other_key(agreement: Agreement | None, program: Pipeline) -> None:
    if agreement is not None and agreement.terms.get("hash key") != program.terms["hash key"]:
        raise UsageError(
            "the hash key is not the one that the application had: every customer id would change. Set the old one (docs/operate.md)"
        )


async def _trace(book: Book, topology: Topology, ordering: Ordering, bootstrap: str) -> None:
    """Look for the identifiers of customer ids in the touchpoints themselves."""
    intake = Intake(topology, ordering, Counts(), reading_codec())
    async for record in read_topic(bootstrap, channel_topics(topology)):
        taken = intake.take(record, [])
        if isinstance(taken, Accepted):
            book.trace(taken.touchpoint.identifiers)

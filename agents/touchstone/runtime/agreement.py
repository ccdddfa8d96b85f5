"""What all workers of an application agree on: checked before a worker joins the group, changed offline.

It stands on one compacted topic, as one record: which generation of the application's own topics is in use, on how many partitions, with
which clock, topology and hash key, and how many partitions each output had when it was first written. The fingerprint that every store
carries says the same more sparely, and is checked again after the restore.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import msgspec

from touchstone.errors import UsageError
from touchstone.runtime.admin import group_members, partition_counts
from touchstone.runtime.client import producing, read_topic
from touchstone.runtime.names import agreement_topic
from touchstone.runtime.program import Program
from touchstone.runtime.settings import WorkerSettings
from touchstone.topology.fingerprint import differences

KEY = b"agreement"
_SHOWN = 12


class Begun(msgspec.Struct, frozen=True):
    """A new generation that is being made; no worker may start before it is finished or given up."""

    what: Literal["repartition", "rebuild"]
    generation: int
    partitions: int


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """The record. `latest` is the highest number that any generation was ever given."""

    generation: int = 1
    partitions: int
    clock: str
    fingerprint: str
    terms: dict[str, Any]
    outputs: dict[str, int] = {}
    latest: int = 1
    begun: Begun | None = None


def encode_agreement(agreement: Agreement) -> bytes:
    """The value of the record."""
    return msgspec.json.encode(agreement)


async def read_agreement(bootstrap: str, app: str) -> Agreement | None:
    """What stands now; None before the first worker, or where there is no such topic yet.

    Raises:
        Retriable: The brokers cannot be reached.
    """
    topic = agreement_topic(app)
    if topic not in await partition_counts(bootstrap, [topic]):
        return None
    last = None
    async for record in read_topic(bootstrap, [topic]):
        if record.value is not None:
            last = record.value
    return None if last is None else msgspec.json.decode(last, type=Agreement)


async def write_agreement(bootstrap: str, app: str, agreement: Agreement) -> None:
    """Let this stand from now on.

    Raises:
        Retriable: The brokers cannot be reached.
    """
    async with producing(bootstrap) as producer:
        await producer.send_and_wait(agreement_topic(app), encode_agreement(agreement), KEY)


async def enter(settings: WorkerSettings, program: Program) -> WorkerSettings:
    """See that this worker fits to what stands, before it joins the group. Returns its settings with the generation in use.

    Raises:
        UsageError: It does not; the text says in words what differs and what to do.
        Retriable: The brokers cannot be reached.
    """
    agreement = await read_agreement(settings.bootstrap, settings.app)
    if agreement is None:
        return settings
    _refuse_others(agreement, settings, program)
    if agreement.clock != settings.clock and (others := await _others(settings)):
        # Whoever is a member now has signed before: it may be the first to run with the clock that we were told too.
        agreement = await read_agreement(settings.bootstrap, settings.app) or agreement
        if agreement.clock != settings.clock:
            raise UsageError(_wrong_clock(agreement.clock, settings, f"{', '.join(others)} run with it"))
    return replace(settings, generation=agreement.generation)


async def sign(settings: WorkerSettings, program: Program, counts: Mapping[str, int]) -> None:
    """Let what this worker was told stand, where nothing did before. `counts`: the partitions of the topics as they are.

    Raises:
        UsageError: An output has got another number of partitions since it was first written.
        Retriable: The brokers cannot be reached.
    """
    before = await read_agreement(settings.bootstrap, settings.app)
    outputs = {topic: counts[topic] for topic in settings.output_topics}
    if before is not None:
        refuse_changed_outputs(before, outputs)
        outputs = before.outputs | outputs
    agreement = Agreement(
        generation=settings.generation,
        partitions=settings.partitions,
        clock=settings.clock,
        fingerprint=program.fingerprint.decode(errors="replace"),
        terms=dict(program.terms),
        outputs=outputs,
        latest=before.latest if before else 1,
    )
    if before is None or agreement != msgspec.structs.replace(before, begun=None, terms=agreement.terms):
        await write_agreement(settings.bootstrap, settings.app, agreement)


async def confirm(settings: WorkerSettings, program: Program) -> None:
    """See that it still stands now that we are a member of the group and before we read anything: another worker may have started at the
    same time as we did, or somebody may change something offline. Whoever does looks for members after having written that it was begun.

    Raises:
        UsageError: It does not.
        Retriable: The brokers cannot be reached.
    """
    agreement = await read_agreement(settings.bootstrap, settings.app)
    if agreement is None:
        return
    _refuse_others(agreement, settings, program)
    if agreement.clock != settings.clock:
        raise UsageError(_wrong_clock(agreement.clock, settings, "a worker has started with it at the same time"))
    if agreement.generation != settings.generation:
        raise UsageError(
            f"expected generation {settings.generation} of the topics of {settings.app!r}, found {agreement.generation}: they were changed while "
            "this worker started; start it again"
        )


def refuse_changed_outputs(agreement: Agreement, counts: Mapping[str, int]) -> None:
    """See that no output has grown: the revisions of one moment would lie in two partitions, and no reader could tell the last one.

    Raises:
        UsageError: One has.
    """
    wrong = [
        f"{topic}: expected {agreement.outputs[topic]} partitions as when it was first written, found {count}"
        for topic, count in counts.items()
        if agreement.outputs.get(topic, count) != count
    ]
    if wrong:
        remedy = "The count of an output is frozen: write to a topic of another name (`topics:` and `outputs:` in the topology)"
        raise UsageError("\n".join([*wrong, remedy]))


def _refuse_others(agreement: Agreement, settings: WorkerSettings, program: Program) -> None:
    """Raise what says why this worker cannot work with this state."""
    app = settings.app
    if agreement.begun is not None:
        what = agreement.begun.what
        raise UsageError(
            f"`touchstone topics {what}` of {app!r} was begun and is not finished; run it again, it goes on where it was broken off, "
            f"or give it up with `touchstone topics {what} --abandon`"
        )
    if agreement.partitions != settings.partitions:
        raise UsageError(
            f"{app!r} works on {agreement.partitions} partitions, the topology says {settings.partitions}. To change the number stop all workers "
            "and run `touchstone topics repartition` with this topology; else put the old number back"
        )
    ours = program.fingerprint.decode(errors="replace")
    if agreement.fingerprint == ours:
        return
    found = differences(agreement.terms, dict(program.terms))
    lines = [f"- {line}" for line in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"- and {len(found) - _SHOWN} more")
    if any(line.startswith("hash key") for line in found):
        remedy = "With another hash key every customer id would change: run this worker with the old one (docs/operate.md)"
    else:
        remedy = (
            "Run this worker with what the state was made with; or stop all workers and fold everything anew with `touchstone topics rebuild` "
            "(docs/operate.md); or use an application id and output topics of its own"
        )
    raise UsageError(
        "\n".join([f"the state of {app!r} was folded with another topology, hash key or number of partitions:", *lines, remedy])
    )


def _wrong_clock(clock: str, settings: WorkerSettings, why: str) -> str:
    return (
        f"the workers of {settings.app!r} go by clock: {clock} ({why}), this one was told clock: {settings.clock}. Two clocks in one application "
        f"would let deadlines fire too early: start it with --clock {clock}, or stop the others first"
    )


async def _others(settings: WorkerSettings) -> list[str]:
    members = await group_members(settings.bootstrap, settings.app)
    return sorted({member for member in members if member != settings.transactional_id})

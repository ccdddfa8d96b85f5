"""A command given to the live system, and what came of it."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import cast

from touchstone.contracts.codec import reading_codec, writing_codec
from touchstone.errors import RecordRejected
from touchstone.intake.command import CommandReader, Ruled
from touchstone.intake.event_time import arrival
from touchstone.model.output import Customer, IdentityChange, Moment, Review
from touchstone.runtime.client import ends, follow, group_lag, produce_lines, read_topic
from touchstone.runtime.program import Record
from touchstone.stewardship.effect import Effect
from touchstone.topology.compile import Topology
from touchstone.topology.subjects import subject_of

_LOOK_EVERY_S = 0.3
Told = Moment | Customer | IdentityChange | Review
Sign = tuple[str, str, str]
"""By what a statement is known again: its kind, of whom or what it is, what it says."""


async def given_before(topology: Topology, bootstrap: str, reader: CommandReader) -> dict[tuple[str, str], Ruled]:
    """(tenant, command id) -> every command of the topic that was not refused.

    Raises:
        UsageError: there is no such topic.
        Retriable: the brokers cannot be reached.
    """
    found: dict[tuple[str, str], Ruled] = {}
    async for record in read_topic(bootstrap, [topology.topics.commands]):
        try:
            ruled = reader.read(record.value or b"", arrival(record.timestamp, record.headers))
        except RecordRejected:
            continue  # it is in the dead letters
        found.setdefault((ruled.command.tenant, ruled.command.command_id), ruled)
    return found


async def give(ruled: Ruled, expected: Effect, topology: Topology, app: str, bootstrap: str, seconds: float) -> list[Told] | None:
    """Send the command and wait until everything that is expected of it was said. Returns that; None where the time ran out.

    Raises:
        Retriable: the brokers cannot be reached.
    """
    names = topology.topics
    outputs = [names.moments, names.customers, names.identities] + [names.reviews] * (topology.matching is not None)
    begin = await ends(bootstrap, outputs)
    value = writing_codec(subject_of(topology)).encode_command(ruled.command)
    await produce_lines(bootstrap, [(names.commands, ruled.command.command_id.encode(), value)])
    awaited = set(signs(expected.records))
    seen: list[Told] = []
    try:
        async with asyncio.timeout(seconds):
            while True:
                lags = await group_lag(bootstrap, app, [names.commands])
                if not any(lag.records for lag in lags):
                    break
                await asyncio.sleep(_LOOK_EVERY_S)
            if awaited:
                codec = reading_codec()
                following = cast("AsyncGenerator[Record, None]", follow(bootstrap, outputs, begin=begin))
                async with aclosing(following) as records:
                    async for record in records:
                        said = None if record.value is None else codec.decode_record(record.value)
                        found = set(signs([said])) & awaited if isinstance(said, Told) else set[Sign]()
                        if isinstance(said, Told) and found:
                            seen.append(said)
                            awaited -= found
                            if not awaited:
                                break
    except TimeoutError:
        return None
    return seen


def signs(records: Iterable[Told]) -> Iterable[Sign]:
    """What of a statement is the same in a twin and in the live system; revisions and times of detection are not."""
    for record in records:
        match record:
            case Moment():
                yield "moment", record.moment_id, record.action
            case Customer():
                yield "customer", record.customer_id, record.status
            case IdentityChange():
                yield "identity", record.customer_id, f"{record.kind} {record.command}"
            case Review():
                yield "review", record.review_id, f"{record.status} {record.command}"

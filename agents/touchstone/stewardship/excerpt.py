"""A twin that knows what the live system knows of some identifiers: their components, copied from the changelogs while workers run."""

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import msgspec

from touchstone.errors import UsageError
from touchstone.hash_key import secret_from
from touchstone.identity.ordering import Ordering
from touchstone.model.component import Header, Likeness, Pointer
from touchstone.pipeline import IDENTITY, JOURNEY, OutputRecord
from touchstone.runtime.agreement import Agreement, read_agreement
from touchstone.runtime.client import journey_clock, read_topic
from touchstone.runtime.names import changelog_topic, generation_base
from touchstone.simulate import Twin
from touchstone.state.keys import ROW, group_of, row_of
from touchstone.topology.compile import Topology
from touchstone.topology.fingerprint import differences

Rows = dict[bytes, bytes]
_pointer = msgspec.msgpack.Decoder(Pointer).decode
_header = msgspec.msgpack.Decoder(Header).decode
_likeness = msgspec.msgpack.Decoder(Likeness).decode


async def live_twin(topology: Topology, app: str, bootstrap: str, names: Iterable[str], say: Callable[[OutputRecord], None]) -> Twin:
    """A twin with the components of these identifiers (and the commands of these names), and of those whom they look like, as of the last commit.

    What it is told from then on has the effect that it would have on the live system, moments and customer ids included. Workers may run.

    Raises:
        UsageError: no worker has ever run, or the workers have another topology or hash key.
        Retriable: the brokers cannot be reached.
    """
    agreement = await read_agreement(bootstrap, app)
    if agreement is None:
        raise UsageError(
            f"expected the state of {app!r} on this Kafka, found that no worker has ever run; --file tries a command on a file"
        )
    secret = secret_from(os.environ)
    twin = Twin(topology, say, secret=secret)
    _refuse_others(agreement, topology, twin)
    reader = _Reader(bootstrap, generation_base(app, agreement.generation), agreement.partitions, Ordering(topology.kinds, secret))
    pointers = await reader.follow(IDENTITY, set(names), b"i", lambda row: _pointer(row).root)
    components = await reader.follow(JOURNEY, set(pointers), b"h", lambda row: _header(row).redirect)
    if (strangers := _alike(components) - pointers.keys()) and topology.matching is not None:
        found = await reader.follow(IDENTITY, strangers, b"i", lambda row: _pointer(row).root)
        pointers |= found
        components |= await reader.follow(JOURNEY, set(found) - components.keys(), b"h", lambda row: _header(row).redirect)
    for stage, groups in ((IDENTITY, pointers), (JOURNEY, components)):
        twin.stores[0][stage].load([entry for rows in groups.values() for entry in rows.items()], 1)
    reached = await journey_clock(bootstrap, generation_base(app, agreement.generation))
    if reached:
        twin.move_to(max(reached.values()))
    return twin


def _alike(components: Mapping[str, Rows]) -> set[str]:
    """Who looks like somebody in these components. A likeness is kept at the weaker of the two."""
    found: set[str] = set()
    for rows in components.values():
        for key, value in rows.items():
            if row_of(key)[1].startswith("l"):
                likeness = _likeness(value)
                found |= {likeness.weak, likeness.strong}
    return found


def _refuse_others(agreement: Agreement, topology: Topology, twin: Twin) -> None:
    ours = dict(twin.pipeline.terms) | {"partitions": agreement.terms.get("partitions")}
    found = differences(dict(agreement.terms), ours)
    if found:
        raise UsageError(
            "\n".join(
                [f"expected the topology and hash key of the workers, found others ({topology.name}):", *(f"- {line}" for line in found)]
            )
        )


class _Reader:
    """Reads groups of rows out of changelogs, and those that they lead to."""

    def __init__(self, bootstrap: str, base: str, partitions: int, ordering: Ordering) -> None:
        self._bootstrap, self._base, self._partitions, self._ordering = bootstrap, base, partitions, ordering

    async def follow(self, stage: str, groups: set[str], tag: bytes, leads_to: Callable[[bytes], Any]) -> dict[str, Rows]:
        """The rows of the groups, and of all that the row `tag` of one of them leads to."""
        found: dict[str, Rows] = {}
        wanted = set(groups)
        while wanted:
            found |= await self._read(stage, wanted)
            links = (value for group in wanted for key, value in found[group].items() if row_of(key)[1].encode() == tag)
            wanted = {link for link in map(leads_to, links) if link is not None} - found.keys()
        return found

    async def _read(self, stage: str, groups: Collection[str]) -> dict[str, Rows]:
        found: dict[str, Rows] = {group: {} for group in groups}
        partitions = {self._ordering.partition(group, self._partitions) for group in groups}
        async for record in read_topic(self._bootstrap, [changelog_topic(self._base, stage)], only=partitions):
            group = None if record.key is None or record.key[:1] != ROW else group_of(record.key)
            if record.key is None or group not in found:
                continue
            if record.value is None:
                found[group].pop(record.key, None)
            else:
                found[group][record.key] = record.value
        return found

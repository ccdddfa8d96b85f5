"""What a command would do: given to a twin, it shows who becomes whom, and what is taken back and said instead."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from touchstone.contracts.codec import bundled_codec
from touchstone.intake.command import Ruled
from touchstone.model.output import Customer, IdentityChange, Moment, Review
from touchstone.pipeline import JOURNEY, OutputRecord
from touchstone.runtime.program import Record
from touchstone.simulate import Twin
from touchstone.stewardship.names import Values, values_of
from touchstone.topology.compile import Topology

People = Mapping[str, frozenset[str]]
"""Customer id -> identifier keys."""


@dataclass(frozen=True)
class Effect:
    """Who was who of those concerned, who is who then, and everything that would be said, in its order; `values`: what keys stand for."""

    before: People
    after: People
    records: tuple[Moment | Customer | IdentityChange | Review, ...]
    values: Values = field(default_factory=dict)

    @property
    def moments(self) -> list[Moment]:
        """Those that would be taken back or asserted."""
        return [record for record in self.records if isinstance(record, Moment)]

    @property
    def changes(self) -> list[IdentityChange]:
        """What would be said of who is who."""
        return [record for record in self.records if isinstance(record, IdentityChange)]


def people(twin: Twin) -> dict[str, frozenset[str]]:
    """All active customers that the twin knows."""
    stores = [stores[JOURNEY] for stores in twin.stores]
    said = ((name[1:], row) for store in stores for root in store.groups() for name, row in store.scan(root, "c"))
    return {customer_id: frozenset(row.members) for customer_id, row in said if row.status == "active"}


def effect_of(ruled: Ruled, twin: Twin, said: Sequence[OutputRecord], topology: Topology) -> Effect:
    """Give the command to the twin, which has said all of `said` so far and goes on doing so."""
    before, begin = people(twin), len(said)
    command = ruled.command
    twin.take(Record(topology.topics.commands, 0, 0, command.at, None, bundled_codec().encode_command(command), ()))
    after = people(twin)
    records = tuple(record for record in said[begin:] if isinstance(record, Moment | Customer | IdentityChange | Review))
    named = ruled.named
    concerned = {record.customer_id for record in records if not isinstance(record, Review)}
    return Effect(_of(before, named, concerned), _of(after, named, concerned), records, values_of(twin))


def _of(found: People, named: Iterable[str], concerned: Iterable[str]) -> People:
    named, concerned = set(named), set(concerned)
    return {customer_id: members for customer_id, members in sorted(found.items()) if customer_id in concerned or named & members}

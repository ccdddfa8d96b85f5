"""People told on the twin, and what each of them is given."""

import json
from typing import Any, cast

from touchstone.model.component import Person
from touchstone.model.output import Customer, IdentityChange
from touchstone.pipeline import JOURNEY, OutputRecord
from touchstone.privacy.document import Export
from touchstone.privacy.export import export_of
from touchstone.privacy.held import Holdings, Said
from touchstone.simulate import Twin
from touchstone.stewardship.access import about, carriers, kept, lines_of, rights, said_on
from touchstone.stewardship.holdings import holdings
from touchstone.topology.compile import Topology
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.view import FinalView

TOPOLOGY = load_topology(default_topology_path())
ALICE = {"user_id": "alice-17"}


class World:
    """A twin that was told some lines, each for itself or many at once, and what it said."""

    def __init__(self, lines: list[bytes], at_once: int = 1, topology: Topology = TOPOLOGY) -> None:
        self.topology = topology
        self.records: list[OutputRecord] = []
        self.twin = Twin(topology, self.records.append)
        for start in range(0, len(lines), at_once):
            self.twin.feed(lines[start : start + at_once])
        self.customers = FinalView(self.records).customers

    def active(self) -> list[Customer]:
        """Everybody of whom something is known now."""
        return [customer for customer in self.customers.values() if customer.status == "active"]

    def of(self, kind: str, value: str) -> Customer:
        """Whoever has the identifier."""
        (found,) = [c for c in self.active() if (kind, value) in {(row["kind"], row["value"]) for row in c.identifiers}]
        return found

    def person(self, customer_id: str) -> Person:
        """The fold of a person, which counts the touchpoints that it was made of."""
        stores = [stores[JOURNEY] for stores in self.twin.stores]
        (found,) = [row for store in stores for root in store.groups() if (row := store.get(root, "p" + customer_id)) is not None]
        return cast("Person", found)

    def export(self, customer: Customer, held: Holdings | None = None) -> Export:
        """What she is given; `held`: of a state that holds something else."""
        held = held or holdings(self.twin, customer.customer_id)
        assert held is not None
        former = tuple(c.customer_id for c in self.customers.values() if c.merged_into == customer.customer_id)
        moments = {line.topic: said_on(line, self.records) for line in lines_of(self.topology)}
        changes = about({customer.customer_id, *former}, [record for record in self.records if isinstance(record, IdentityChange)])
        said = Said(customer, former, carriers(self.topology, moments), changes, "customers.v1", "identities.v1")
        return export_of(held, said, kept(self.topology, "touchstone"), rights("privacy@shop.example"), 0)


def line(number: str, at: str, what: str, identifiers: dict[str, str], **more: Any) -> bytes:
    """One touchpoint of the first of May."""
    stated = {"event_id": number, "channel": "web", "type": what, "occurred_at": f"2024-05-01T{at}:00Z", "identifiers": identifiers}
    return json.dumps(stated | more).encode()

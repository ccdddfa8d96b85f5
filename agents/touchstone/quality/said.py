"""Which source said what of which customer: touchpoints, led to their customers by the crosswalk of the customer records."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from touchstone.contracts.codec import Codec
from touchstone.identity.ordering import Ordering
from touchstone.intake.agent import Intake
from touchstone.intake.touchpoint import Accepted
from touchstone.model.message import IdentityMessage
from touchstone.model.output import Customer
from touchstone.observe.metrics import Counts
from touchstone.runtime.program import Record
from touchstone.topology.compile import Topology


class Said(NamedTuple):
    """What a touchpoint said of a customer; `order` is that of the fold, in which the last one counts."""

    customer_id: str
    source: str
    order: tuple[int, str, str]
    profile: Mapping[str, Any]


def crosswalk(topology: Topology, customers: Iterable[Customer]) -> dict[str, str]:
    """Every identifier of an active customer -> the customer's id; as keys that `SaidReader` knows."""
    ordering = Ordering(topology.kinds)
    return {
        ordering.key(customer.tenant, each["kind"], each["value"]): customer.customer_id
        for customer in customers
        if customer.status == "active"
        for each in customer.identifiers
    }


class SaidReader:
    """Reads records of channel topics. A touchpoint counts for the customer to whom its strongest known identifier leads."""

    def __init__(self, topology: Topology, owners: Mapping[str, str], codec: Codec | None = None) -> None:
        self._intake = Intake(topology, Ordering(topology.kinds), Counts(), codec)
        self._owners = owners
        self._messages: list[IdentityMessage] = []

    def read(self, record: Record) -> Said | None:
        """What it says; None where intake refuses it, where it is nobody's, or a steward's command."""
        taken = self._intake.take_any(record, self._messages)
        self._messages.clear()
        if not isinstance(taken, Accepted):
            return None
        touchpoint, owners = taken.touchpoint, self._owners
        owner = next((owners[one] for one in touchpoint.identifiers if one in owners), None)
        return None if owner is None else Said(owner, touchpoint.source, touchpoint.order, touchpoint.profile)

"""What is the same in every partition of the journey stage: the topology's journeys, compiled, and the limits of a person."""

from touchstone.identity.ordering import Ordering
from touchstone.identity.resolve import Policy
from touchstone.journey.fold import next_deadline
from touchstone.journey.rules import CompiledJourney
from touchstone.model.component import Person
from touchstone.topology.compile import Topology


class Journeys:
    """The journeys of a topology, compiled once."""

    def __init__(self, topology: Topology, ordering: Ordering) -> None:
        self.topology = topology
        self.ordering = ordering
        self.per_day, self.room = topology.touchpoints_per_day, topology.profile_bytes
        self.compiled = tuple(CompiledJourney(journey) for journey in topology.journeys)
        self.limits = Policy(topology.kinds, topology.identifiers_per_person, topology.merges_per_person, ordering.strength)

    def earliest_deadline(self, person: Person) -> int | None:
        """When the next silence of a person speaks (milliseconds), or None."""
        due = (next_deadline(person.states[journey.name], journey) for journey in self.compiled)
        return min((deadline[0] for deadline in due if deadline is not None), default=None)


def customer_id_of(ordering: Ordering, origin: str, *, is_nobody: bool) -> str:
    """The public id made from an identifier, keyed so that nobody can guess it; what belongs to nobody has ids of its own."""
    return ordering.digest(("nobody " if is_nobody else "person ") + origin).hex()

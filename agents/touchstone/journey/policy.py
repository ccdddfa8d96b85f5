"""What is the same in every partition of the journey stage: the topology's journeys, compiled, and the limits of a person."""

from touchstone.identity.ordering import Ordering
from touchstone.identity.resolve import Policy
from touchstone.intake.describing import describer_of
from touchstone.journey.attributes import AttributeRules
from touchstone.journey.fold import next_deadline
from touchstone.journey.rules import CompiledJourney
from touchstone.matching.judge import judge_of
from touchstone.model.component import Person
from touchstone.topology.compile import Topology


class Journeys:
    """The journeys of a topology and the rules of its golden record, compiled once."""

    def __init__(self, topology: Topology, ordering: Ordering) -> None:
        self.topology = topology
        self.ordering = ordering
        self.per_day, self.room = topology.touchpoints_per_day, topology.profile_bytes
        self.consents, self.asking = topology.consents, topology.asking
        self.compiled = tuple(CompiledJourney(journey) for journey in topology.journeys)
        self.attributes = None if topology.attributes is None else AttributeRules(topology.attributes)
        self.recycled = topology.recycled
        self.alike = None if topology.matching is None else judge_of(topology.matching)
        self.describer = None if topology.matching is None else describer_of(topology.matching, ordering.digest)
        self.limits = Policy(
            topology.kinds,
            topology.identifiers_per_person,
            topology.merges_per_person,
            ordering.strength,
            None if self.alike is None else self.alike.protect,
        )

    def look_ahead(self, person: Person, now: int) -> int | None:
        """Derive what follows from the time, as of `now`. Returns when next a silence speaks or a derived attribute changes, or None."""
        due = (next_deadline(person.states[journey.name], journey) for journey in self.compiled)
        times = [deadline[0] for deadline in due if deadline is not None]
        changes_at = None if self.attributes is None else self.attributes.follow(person, now)
        if changes_at is not None:
            times.append(changes_at)
        return min(times, default=None)


def customer_id_of(ordering: Ordering, origin: str, *, is_nobody: bool, epoch: int | None = None) -> str:
    """The public id made from an identifier, keyed so that nobody can guess it; what belongs to nobody has ids of its own.

    `epoch`: up to when the identifier was forgotten: whoever comes back after that is somebody new.
    """
    made_from = origin if epoch is None else f"{origin} {epoch}"
    return ordering.digest(("nobody " if is_nobody else "person ") + made_from).hex()

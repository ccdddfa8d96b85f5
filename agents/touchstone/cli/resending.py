"""Which letters are sent again, and why others are left alone."""

from typing import NamedTuple

from touchstone.cli.letters import Found
from touchstone.clock import SystemClock
from touchstone.contracts.codec import Codec
from touchstone.errors import UsageError
from touchstone.identity.ordering import Ordering
from touchstone.intake.agent import Intake
from touchstone.intake.lines import Prepared
from touchstone.intake.redrive import Again, again, tries
from touchstone.model.output import DeadLetter
from touchstone.observe.metrics import Counts
from touchstone.runtime.program import Record
from touchstone.topology.compile import Topology


class Verdict(NamedTuple):
    """What becomes of a letter, in words; the record that is sent (None: it is left alone); and what this topology would refuse it with."""

    found: Found
    says: str
    record: Again | None
    refusal: DeadLetter | None = None


class Examiner:
    """Judges letters before they are sent, by the pipeline's own intake: what would be refused again is sent only if `anyway`."""

    def __init__(self, topology: Topology, codec: Codec, *, max_tries: int, anyway: bool) -> None:
        self._intake = Intake(topology, Ordering(topology.kinds), Counts(), codec)
        self._max_tries, self._anyway = max_tries, anyway
        self._now_ms = SystemClock().now_ms()

    def look(self, found: Found, corrected: Prepared | None = None) -> Verdict:
        """What becomes of this letter, or of the corrected line in its place.

        Raises:
            UsageError: The corrected line would be refused again.
        """
        made = tries(found.letter)
        if made >= self._max_tries:
            why = f"was sent again {made} times and refused each time: raise --max-tries if something has changed, or drop it"
            return Verdict(found, why, None)
        try:
            record = again(found.letter, corrected)
        except UsageError as fault:
            return Verdict(found, str(fault), None)
        refusal = self._refused(record)
        if refusal is None:
            return Verdict(found, "would be used", record)
        if corrected is not None and not self._anyway:
            raise UsageError(f"the corrected line would be refused again, {refusal.reason}: {refusal.detail}; nothing was sent")
        return Verdict(found, f"would be refused again: {refusal.reason}", record if self._anyway else None, refusal)

    def _refused(self, record: Again) -> DeadLetter | None:
        """The letter that the record would become again, or None."""
        taken = self._intake.take_any(Record(record.topic, 0, (1 << 62), self._now_ms, record.key, record.value, record.headers), [])
        return taken if isinstance(taken, DeadLetter) else None

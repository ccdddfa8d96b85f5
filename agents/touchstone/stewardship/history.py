"""What the channels' topics tell of people: every description of an identifier once, as the records that a model is learnt from."""

from collections.abc import Callable
from dataclasses import replace

from touchstone.contracts.codec import Codec, reading_codec
from touchstone.errors import UsageError
from touchstone.generations import read_forgotten
from touchstone.identity.ordering import Ordering
from touchstone.intake.agent import Intake
from touchstone.intake.describe import Describer
from touchstone.intake.touchpoint import Accepted
from touchstone.matching.records import Record as Description
from touchstone.model.erasure import ForgottenTable
from touchstone.model.message import Describe, IdentityMessage
from touchstone.model.touchpoint import Touchpoint
from touchstone.observe.metrics import Counts
from touchstone.runtime.client import ends, read_topic
from touchstone.runtime.program import Record
from touchstone.topology.compile import Topology

_Progress = Callable[[int, int], None]


class History:
    """Takes touchpoints in as workers do, and keeps what they say of people. What intake would refuse says nothing, nor what was forgotten.

    Raises:
        UsageError: the topology has no `matching`.
    """

    def __init__(self, topology: Topology, codec: Codec | None = None, forgotten: ForgottenTable | None = None) -> None:
        if topology.matching is None:
            raise UsageError(
                f"expected `matching` in the topology {topology.name}, found none: it says which attributes are compared as what"
            )
        self._intake = Intake(replace(topology, matching=None), Ordering(topology.kinds), Counts(), codec)
        self._forgotten = forgotten or ForgottenTable()
        self._describer = Describer(topology.matching, Ordering(topology.kinds).digest)
        self._messages: list[IdentityMessage] = []
        self._found: dict[tuple[str, str], Description] = {}

    def take(self, record: Record) -> None:
        """Take in a record of a channel."""
        taken = self._intake.take_any(record, self._messages)
        self._messages.clear()
        told = self._describe(taken.touchpoint) if isinstance(taken, Accepted) else None
        if told is not None and told.described.values:
            said = told.described
            self._found.setdefault((said.identifier, said.record), Description(f"{said.identifier} {said.record}", said.values))

    def _describe(self, touchpoint: Touchpoint) -> Describe | None:
        return self._describer.describe_anew(touchpoint, lambda x: self._forgotten.until(x) >= touchpoint.occurred_at)

    @property
    def records(self) -> list[Description]:
        """The descriptions, in one order whatever that of the touchpoints was."""
        return [self._found[name] for name in sorted(self._found)]


async def history_of(topology: Topology, bootstrap: str, progress: _Progress = lambda _done, _total: None) -> History:
    """Everything that is in the channels' topics now, of what was committed.

    Raises:
        UsageError: the topology has no `matching`, or a topic does not exist.
        Retriable: the brokers cannot be reached.
    """
    history = History(topology, reading_codec(), await read_forgotten(topology, bootstrap))
    topics = sorted({channel.topic for channel in topology.channels.values()})
    total = sum((await ends(bootstrap, topics)).values())
    reached: dict[tuple[str, int], int] = {}
    done = 0
    async for record in read_topic(bootstrap, topics):
        history.take(record)
        place = record.topic, record.partition
        done += record.offset + 1 - reached.get(place, 0)
        reached[place] = record.offset + 1
        progress(min(done, total), total)
    return history

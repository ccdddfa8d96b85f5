"""The joined stages: what they remember between transactions, and what must not survive one that was undone."""

from collections import deque
from collections.abc import Sequence
from typing import Any

from touchstone.clock import ManualClock
from touchstone.identity.ordering import Ordering
from touchstone.model.component import IDENTITY_ROWS, JOURNEY_ROWS
from touchstone.model.message import Claim
from touchstone.pipeline import IDENTITY, JOURNEY, Pipeline
from touchstone.runtime.program import Record
from touchstone.state.memory import DictBackend
from touchstone.state.rows import RowStore
from touchstone.topology.load import default_topology_path, load_topology

TOPOLOGY = load_topology(default_topology_path())
LINE = (
    b'{"event_id": "1", "channel": "web", "type": "search", "occurred_at": "2024-05-01T10:00:00Z", '
    b'"identifiers": {"user_id": "ada", "cookie": "c1"}}'
)


class Kept:
    """An `Out` that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: deque[tuple[str, int, Any]] = deque()

    def message(self, stage: str, partition: int, message: Any) -> None:
        """Keep it."""
        self.messages.append((stage, partition, message))

    def record(self, topic: str, key: bytes, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """Not used here."""


def opened(pipeline: Pipeline) -> None:
    """Hand the only partition over, with empty stores."""
    pipeline.opened(0, {IDENTITY: RowStore(DictBackend(), IDENTITY_ROWS), JOURNEY: RowStore(DictBackend(), JOURNEY_ROWS)})


def claims_of(pipeline: Pipeline, event_id: bytes) -> int:
    """How many claims one more touchpoint of the same two identifiers makes."""
    out = Kept()
    record = Record("touchpoints.web.v1", 0, 0, 1_714_557_600_000, None, LINE.replace(b'"1"', event_id))
    pipeline.process([record], out)
    return sum(isinstance(message, Claim) for _, _, message in out.messages)


def test_a_known_pair_is_claimed_once_until_partitions_are_handed_over_again() -> None:
    """After a transaction was undone its claims are gone; what intake remembered of them must be gone as well."""
    pipeline = Pipeline(TOPOLOGY, Ordering(TOPOLOGY.kinds), 1, lambda _record, _out: None, ManualClock(1))
    opened(pipeline)

    first, second = claims_of(pipeline, b'"1"'), claims_of(pipeline, b'"2"')
    opened(pipeline)
    again = claims_of(pipeline, b'"3"')

    assert (first, second, again) == (1, 0, 1)

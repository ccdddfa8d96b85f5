"""What the runtime runs: the contract between the engine (batches, offsets, stores) and the stages (customers, phases)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from touchstone.state.store import Store


class Record(NamedTuple):
    """A record of a source topic as the stages see it; `timestamp` is the broker's append time in milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


Prepare = Callable[[Mapping[Any, Sequence[Any]]], Awaitable[None]]
"""Fetches what records (topic partition -> batch) need before they are handed on. `Retriable`: the records wait, and it is called again."""


class Out(Protocol):
    """Where the stages put what they say. Nothing leaves before the transaction commits."""

    def message(self, stage: str, partition: int, message: Any) -> None:
        """To a stage's partition: by memory where this worker owns it (local delivery), else by the stage's internal topic."""
        ...

    def record(self, topic: str, key: bytes, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """To an output topic; the partition is murmur2 of the key, as Java's producer chooses it."""
        ...


class Program(Protocol):
    """The stages, as the runtime sees them. All calls are synchronous and come from one thread; any exception ends the process."""

    @property
    def stages(self) -> Mapping[str, Mapping[str, Any]]:
        """Stage name -> {tag: row type}: each has an internal topic, a store and a changelog, all with the same partition count."""
        ...

    @property
    def fingerprint(self) -> bytes:
        """What a state must have been made with to be continued; kept with every store and checked after the restore."""
        ...

    @property
    def terms(self) -> Mapping[str, Any]:
        """What the fingerprint was made of, as plain values under names that a person understands; to say what differs."""
        ...

    def opened(self, partition: int, stores: Mapping[str, Store]) -> None:
        """The partition's stores are restored and ours."""
        ...

    def closed(self, partition: int) -> None:
        """The partition is somebody else's now; forget all about it."""
        ...

    def process(self, records: Sequence[Record], out: Out) -> int | None:
        """Handle records of one partition of one channel topic, in order. Returns the latest source time among them (None: none).

        Raises:
            TooManyDeadLetters: the records before the one it names are done, and it wants none behind; they are committed, then all ends.
        """
        ...

    def note(self, topic: str, partition: int) -> str:
        """A few words to be kept beside the committed offset of a channel's partition, as of the records processed so far."""
        ...

    def resume(self, topic: str, partition: int, note: str) -> None:
        """The partition is read on from its committed offset, beside which this was kept; empty where there was nothing."""
        ...

    def receive(self, stage: str, payload: bytes) -> Any:
        """Decode a record of an internal topic into a message."""
        ...

    def encode(self, message: Any) -> bytes:
        """The bytes of a message for an internal topic."""
        ...

    def deliver(self, stage: str, partition: int, message: Any, out: Out) -> None:
        """Handle one message of a stage."""
        ...

    def advance(self, partition: int, now: int, out: Out) -> None:
        """The clock of the journey partitions has reached `now` (milliseconds): fire what is due in this partition."""
        ...

    def settle(self, out: Out, wall_ms: int) -> bool:
        """Before a commit: finish what was put off. May send messages; True means: deliver them and call again before the commit."""
        ...

    def sealed(self) -> None:
        """Whatever was done until now belongs to the transaction that is being committed; what follows belongs to the next."""
        ...

    def committed(self) -> None:
        """The transaction has ended: what was sealed stands."""
        ...

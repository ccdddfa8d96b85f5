"""Every exception Touchstone raises, by who must act."""

from collections.abc import Sequence
from dataclasses import dataclass


class TouchstoneError(Exception):
    """The root of all errors raised on purpose."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a topology or a mapping.

    `path` is the place inside the document (`journeys.purchase.rules[2].to`); line and column count from 1.
    """

    message: str
    path: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}: " if self.file else ""
        return f"{where}{self.path + ': ' if self.path else ''}{self.message}"


class TopologyError(TouchstoneError):
    """The definition is wrong: all faults at once; the command line prints them and exits with 2."""

    subject = "the topology"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class MappingError(TopologyError):
    """The mapping of a customer file is wrong: all faults at once, like a topology's."""

    subject = "the mapping"


class UsageError(TouchstoneError):
    """The user asked for something that cannot be done; the text says what to do instead. Exit code 2."""


class Unavailable(TouchstoneError):
    """Something outside that is needed is not to be had (Java, the network, a broker, a port); the text says what to do. Exit code 1."""


class RecordRejected(TouchstoneError):
    """This record can never be processed: it becomes a dead letter and the stream goes on.

    `reason` is a stable code from `contracts/reasons.py`; `detail` says what was expected and found, without personal values.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")


class TooManyDeadLetters(TouchstoneError):
    """A producer sends what cannot be used: stop before this record instead of draining its topic into the dead letters.

    Everything before `offset` may be committed, nothing from there on. `latest` is the latest source time before it (milliseconds).
    """

    def __init__(self, topic: str, partition: int, offset: int, why: str, latest: int | None = None) -> None:
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.latest = latest
        super().__init__(f"{topic}[{partition}]@{offset}: {why}")


class Retriable(TouchstoneError):
    """The world is busy (broker, lock still held): try again, the offset stays."""


class StateUnusable(TouchstoneError):
    """Local state is corrupt or ahead of its changelog: wipe that partition and rebuild it from the changelog."""

    def __init__(self, path: str, why: str) -> None:
        self.path = path
        self.why = why
        super().__init__(f"state at {path} cannot be used: {why}; it will be rebuilt from its changelog")


class DiskUnusable(TouchstoneError):
    """The disk under the state is full, read-only or not ours: an operator must act, rebuilding the state would not help."""

    def __init__(self, path: str, why: str, remedy: str) -> None:
        self.path = path
        self.why = why
        self.remedy = remedy
        super().__init__(f"state at {path} cannot be written: {why}; nothing that was committed is lost; {remedy}, then start again")


class Fenced(TouchstoneError):
    """The partition belongs to someone else now: stop quietly, commit nothing."""


class Stalled(TouchstoneError):
    """The worker cannot go on although nothing says no: its consumer died, or nothing moves any more. A new start is the remedy."""


class InvariantBroken(TouchstoneError):
    """We have a bug: log once, leave non-zero without committing."""

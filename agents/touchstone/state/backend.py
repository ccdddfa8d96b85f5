"""What a store needs from whatever keeps its bytes: ordered keys and one atomic write."""

from collections.abc import Iterable, Iterator
from typing import Protocol

Entry = tuple[bytes, bytes | None]
"""A key and its new value; None deletes it."""


class Backend(Protocol):
    """Ordered bytes with an offset that moves only together with them.

    All methods may raise `StateUnusable` (corrupt), `Retriable` (busy), `DiskUnusable` (full, read-only) and no other error of the
    medium.
    """

    @property
    def path(self) -> str:
        """Where the bytes are, for messages."""
        ...

    @property
    def offset(self) -> int:
        """The offset given with the last write; 0 for an empty backend."""
        ...

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
        ...

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All entries with `start <= key < stop` in the order of their keys; later writes may or may not be seen."""
        ...

    def write(self, entries: Iterable[Entry], offset: int) -> None:
        """Make all entries and the offset visible and durable together; of a key given twice the last one stands."""
        ...

    def compact(self, start: bytes, stop: bytes) -> None:
        """Let old values of the keys in `start <= key < stop` leave the medium."""
        ...

    def wipe(self) -> None:
        """Become empty, with offset 0."""
        ...

    def close(self) -> None:
        """Release files and locks. Closing twice does nothing."""
        ...

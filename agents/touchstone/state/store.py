"""The state of one stage in one partition, as a stage sees it.

A row is found by its group (an identifier, or the root of a component) and its name inside the group; the first character of the
name is its tag and says what type of struct it holds. What is put or deleted stays pending until the runtime commits it.
"""

from collections.abc import Iterator
from typing import Any, Protocol


class Store(Protocol):
    """Rows and timers of one partition. Single threaded, synchronous.

    The objects returned by `get` and `scan` are shared with the store: after changing one in place, `put` it again.
    """

    def get(self, group: str, name: str) -> Any | None:
        """The row, or None."""
        ...

    def put(self, group: str, name: str, row: Any) -> None:
        """Write a row; it is visible at once and durable after the commit."""
        ...

    def delete(self, group: str, name: str) -> None:
        """Remove a row; removing what is not there does nothing."""
        ...

    def scan(self, group: str, tag: str) -> list[tuple[str, Any]]:
        """All rows of the group whose name begins with `tag`, as (name, row) in the order of their names (UTF-8 bytes)."""
        ...

    def set_timer(self, at: int, group: str) -> None:
        """Remember to wake the group at this time (milliseconds). The same (at, group) twice is one timer."""
        ...

    def clear_timer(self, at: int, group: str) -> None:
        """Forget a timer; forgetting what is not there does nothing."""
        ...

    def due(self, until: int, limit: int) -> list[tuple[int, str]]:
        """The timers with `at <= until`, earliest first, at most `limit`. They stay until they are cleared."""
        ...

    def get_meta(self, name: str) -> bytes | None:
        """A small named value, or None. It travels with the changelog like a row."""
        ...

    def put_meta(self, name: str, value: bytes) -> None:
        """Write a named value; pending like a row."""
        ...

    def scrub(self, group: str) -> None:
        """After the commit, let what was once written of this group and is deleted or replaced leave the disk."""
        ...

    def groups(self) -> Iterator[str]:
        """Every group that has rows; slow, for checks and tests."""
        ...


class CommittedStore(Store, Protocol):
    """The side of a store that the runtime sees."""

    @property
    def offset(self) -> int:
        """The next offset to read from the changelog; 0 for an empty store."""
        ...

    def seal(self) -> list[tuple[bytes, bytes | None]]:
        """What changed since the last seal, encoded, one entry a key, None for a deletion: the records for the changelog.

        What changes from now on belongs to the next commit: stages may go on while this one is under way.
        """
        ...

    def commit(self, next_offset: int) -> None:
        """Make what was sealed durable together with the changelog offset behind it."""
        ...

    def rollback(self) -> None:
        """Forget what is pending, sealed or not, and every object handed out."""
        ...

    def load(self, records: list[tuple[bytes, bytes | None]], next_offset: int) -> None:
        """Write records of the changelog in bulk (restore)."""
        ...

    def close(self) -> None:
        """Release files and locks; nothing pending is kept."""
        ...

    def wipe(self) -> None:
        """Throw everything away, on disk too, and start empty at offset 0."""
        ...

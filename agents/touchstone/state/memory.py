"""Bytes in a dictionary: for the offline twin and the tests."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from touchstone.state.backend import Entry


class DictBackend:
    """A backend without a disk. It survives `close`, so that a test can open a second store over what the first one committed."""

    path = "memory"

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self._order: list[bytes] = []
        self._is_ordered = True
        self._offset = 0

    @property
    def offset(self) -> int:
        """The offset given with the last write; 0 for an empty backend."""
        return self._offset

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
        return self._values.get(key)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All entries with `start <= key < stop` in the order of their keys, as they are now."""
        if not self._is_ordered:
            # Mostly sorted already, which makes it linear; the twin never writes and never comes here.
            self._order = sorted(self._values)
            self._is_ordered = True
        order, values = self._order, self._values
        index = bisect_left(order, start)
        while index < len(order) and (key := order[index]) < stop:
            if (value := values.get(key)) is not None:
                yield key, value
            index += 1

    def write(self, entries: Iterable[Entry], offset: int) -> None:
        """Take over all entries and the offset."""
        for key, value in entries:
            if value is None:
                self._values.pop(key, None)
            else:
                self._values[key] = value
        self._is_ordered = False
        self._offset = offset

    def compact(self, start: bytes, stop: bytes) -> None:
        """Nothing old is kept."""

    def wipe(self) -> None:
        """Become empty, with offset 0."""
        self._values = {}
        self._order = []
        self._is_ordered = True
        self._offset = 0

    def close(self) -> None:
        """Nothing to release."""

"""When to wake which group: pending timers over those on disk."""

from heapq import heapify, heappop, heappush
from itertools import chain

from touchstone.state.backend import Backend, Entry
from touchstone.state.keys import EARLIEST, LATEST, TIMER, after, timer_key, timer_of, timers_from

Timer = tuple[int, str]
"""(time in milliseconds, group)"""

_END = after(TIMER)


class Timers:
    """The timers of one store. `due` costs nothing while nothing is due: it knows a time before which no timer lies."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._changes: dict[Timer, bool] = {}  # set (True) or cleared (False), and not in the backend yet
        self._fresh: dict[Timer, bool] = {}  # of these, what came after the last seal
        self._is_sealed = False  # some of them are on their way to the backend
        self._heap: list[Timer] = []  # every timer that is True in _changes, and some that no longer are
        self._none_before = EARLIEST
        self._is_any_stored = True

    def set(self, at: int, group: str) -> None:
        """Remember a timer."""
        timer = (at, group)
        if not self._changes.get(timer, False):
            self._changes[timer] = self._fresh[timer] = True
            heappush(self._heap, timer)
        self._none_before = min(self._none_before, at)

    def clear(self, at: int, group: str) -> None:
        """Forget a timer."""
        timer = (at, group)
        if self._is_any_stored:
            self._changes[timer] = self._fresh[timer] = False
            return
        self._fresh.pop(timer, None)
        if self._changes.pop(timer, None) and len(self._heap) > 2 * len(self._changes) + 64:
            # Nothing on disk to delete: without this the offline twin, which never commits, would remember every cleared timer.
            self._heap = list(self._changes)
            heapify(self._heap)

    def due(self, until: int, limit: int) -> list[Timer]:
        """The timers at or before `until`, earliest first, at most `limit`."""
        if until < self._none_before or limit <= 0:
            return []
        pending, next_pending = self._due_pending(until, limit)
        stored, next_stored = self._due_stored(until, limit)
        found = sorted(chain(pending, stored))[:limit]
        self._none_before = found[0][0] if found else min(next_pending, next_stored)
        return found

    def seal(self) -> list[Entry]:
        """What changed since the last seal, as entries of the changelog."""
        self._is_any_stored = self._is_any_stored or any(self._fresh.values())
        sealed, self._fresh = self._fresh, {}
        self._is_sealed = bool(sealed)
        return [(timer_key(at, group), b"" if is_set else None) for (at, group), is_set in sealed.items()]

    def committed(self) -> None:
        """What was sealed is in the backend now."""
        self._changes = dict(self._fresh)
        self._heap = [timer for timer, is_set in self._fresh.items() if is_set]
        heapify(self._heap)
        self._is_sealed = False

    def forget(self) -> None:
        """Drop the changes and whatever is believed about the backend."""
        self._changes = {}
        self._fresh = {}
        self._is_sealed = False
        self._heap = []
        self._none_before = EARLIEST
        self._is_any_stored = True

    def _due_pending(self, until: int, limit: int) -> tuple[list[Timer], int]:
        heap, changes = self._heap, self._changes
        found: list[Timer] = []
        while heap and (heap[0][0] <= until or not changes.get(heap[0])) and len(found) < limit:
            timer = heappop(heap)
            # A timer set, cleared and set again lies in the heap twice, as neighbours.
            if changes.get(timer) and (not found or found[-1] != timer):
                found.append(timer)
        next_pending = heap[0][0] if heap else LATEST
        for timer in found:
            heappush(heap, timer)
        return found, next_pending

    def _due_stored(self, until: int, limit: int) -> tuple[list[Timer], int]:
        if not self._is_any_stored:
            return [], LATEST
        found: list[Timer] = []
        is_empty = self._none_before == EARLIEST
        # Not from the start of all timers: in front of the earliest one lie only deletions, and RocksDB would walk over them.
        for key, _ in self._backend.scan(timers_from(self._none_before), _END):
            is_empty = False
            timer = timer_of(key)
            if timer in self._changes:
                continue
            if timer[0] > until or len(found) == limit:
                return found, timer[0]
            found.append(timer)
        if is_empty and not self._is_sealed:
            self._is_any_stored = False
        return found, LATEST

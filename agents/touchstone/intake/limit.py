"""When so much of a channel is unusable that its producer is to blame: the worker stops instead of draining the topic into the dead letters.

Counted is per partition of a channel's topic, where records have an order: so the verdict depends on the records alone, not on how many
workers read them or where a transaction ended. What was counted is kept beside the committed offset (`note`), in the same transaction: a
worker that starts again, or takes a partition over, goes on counting where the last commit was and stops at the same record.
"""

from collections import Counter

from touchstone.contracts.reasons import REASONS
from touchstone.topology.compile import DeadLetterLimit

_SHOWN_REASONS = 3


class Tally:
    """What was counted in one partition. `seen` and `refused` begin anew after so many records; `in_a_row` ends with the first usable one."""

    __slots__ = ("_limit", "_reasons", "in_a_row", "refused", "seen")

    def __init__(self, limit: DeadLetterLimit, note: str = "") -> None:
        """Go on from a note; one that cannot be read, or was made with a larger `of`, begins anew."""
        self._limit = limit
        self._reasons: Counter[str] = Counter()
        self.seen, self.refused, self.in_a_row = _read(note)
        if self.seen >= limit.of:
            self.seen = self.refused = 0

    @property
    def note(self) -> str:
        """What a successor needs to go on counting."""
        return f"{self.seen} {self.refused} {self.in_a_row}"

    def used(self) -> None:
        """The next record was usable."""
        self.in_a_row = 0
        self._count()

    def refuse(self, reason: str) -> str | None:
        """The next record becomes a dead letter; or, where that is one too many, it is not counted and the answer says why."""
        if self.refused < self._limit.refused and self.in_a_row < self._limit.in_a_row:
            self.refused += 1
            self.in_a_row += 1
            self._reasons[reason] += 1
            self._count()
            return None
        return self._verdict(reason)

    def _count(self) -> None:
        self.seen += 1
        if self.seen >= self._limit.of:
            self.seen = self.refused = 0
            self._reasons.clear()

    def _verdict(self, reason: str) -> str:
        limit = self._limit
        if self.in_a_row >= limit.in_a_row:
            how_many = (
                f"this would be dead letter number {self.in_a_row + 1:,} in a row; limits.dead_letters.in_a_row allows {limit.in_a_row:,}"
            )
        else:
            how_many = (
                f"this would be dead letter number {self.refused + 1:,} among {self.seen + 1:,} records; "
                f"limits.dead_letters allows {limit.refused:,} of {limit.of:,}"
            )
        return f"{how_many}. Reasons: {self._told(reason)}"

    def _told(self, last: str) -> str:
        """The most frequent reasons since the worker has started, and what each means."""
        reasons = self._reasons + Counter([last])
        return "; ".join(f"{reason} ({count:,}): {REASONS.get(reason, '')}" for reason, count in reasons.most_common(_SHOWN_REASONS))


class Tallies:
    """The tallies of all partitions that this worker reads."""

    def __init__(self, limit: DeadLetterLimit) -> None:
        self._limit = limit
        self._tallies: dict[tuple[str, int], Tally] = {}

    def of(self, topic: str, partition: int) -> Tally:
        """The tally of this partition; a new one where nothing was counted yet."""
        tally = self._tallies.get((topic, partition))
        if tally is None:
            tally = self._tallies[topic, partition] = Tally(self._limit)
        return tally

    def note(self, topic: str, partition: int) -> str:
        """What is to be kept beside the committed offset."""
        tally = self._tallies.get((topic, partition))
        return "" if tally is None else tally.note

    def resume(self, topic: str, partition: int, note: str) -> None:
        """Go on from what was kept there."""
        self._tallies[topic, partition] = Tally(self._limit, note)


def _read(note: str) -> tuple[int, int, int]:
    parts = note.split()
    if len(parts) == 3 and all(part.isascii() and part.isdigit() and len(part) < 12 for part in parts):
        seen, refused, in_a_row = map(int, parts)
        return seen, min(refused, seen), in_a_row
    return 0, 0, 0

"""From scored pairs to people: best score first, and two groups only where enough of what was seen between them agrees."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from touchstone.matching.records import IDENTIFIERS, Record

NEIGHBOURS = 50
"""So many accepted edges of one record count, the best ones."""

SUPPORT = 0.0
"""Two groups are joined when the compared pairs between them say on average at least so many bits."""

CLIP = 5.0
"""One pair says at most so many bits, for or against: many that agree a little outvote one that agrees perfectly."""

TELLING: tuple[str, ...] = ("birth_date", "generation", *IDENTIFIERS)
"""What tells people apart who agree in everything else."""

UNIQUE: tuple[str, ...] = ("generation",)
"""Of these a person has one value: two groups with different ones are never joined."""


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """A pair of records that was compared, with its score in bits; `one` before `other`."""

    score: float
    one: str
    other: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An accepted edge whose groups were not joined, and why: `support`, `neighbours`, or the column that is unique."""

    edge: Edge
    why: str


def cluster(
    records: Sequence[Record],
    edges: Iterable[Edge],
    accept: float,
    *,
    support: float = SUPPORT,
    neighbours: int = NEIGHBOURS,
    unique: Sequence[str] = UNIQUE,
) -> tuple[list[frozenset[str]], list[Refused]]:
    """The people, and the accepted edges that were refused.

    `edges` holds everything that was compared, also what scored low: it speaks against a join. The result is a function of the sets of
    records and edges, not of their order.
    """
    ordered = sorted(edges, key=lambda edge: (-edge.score, edge.one, edge.other))
    groups = _Groups(records, unique)
    between: dict[str, dict[str, float]] = {}
    for edge in ordered:
        between.setdefault(edge.one, {})[edge.other] = edge.score
        between.setdefault(edge.other, {})[edge.one] = edge.score
    by_id = {record.id: record for record in records}
    degree: dict[str, int] = {}
    refused: list[Refused] = []
    for edge in ordered:
        if edge.score < accept:
            break
        one, other = groups.of(edge.one), groups.of(edge.other)
        if max(degree.get(edge.one, 0), degree.get(edge.other, 0)) >= neighbours:
            refused.append(Refused(edge, "neighbours"))
            continue
        if one != other:
            if _is_ambiguous(edge, groups, between, by_id, accept):
                refused.append(Refused(edge, "ambiguous"))
                continue
            if (column := groups.conflict(one, other)) is not None:
                refused.append(Refused(edge, column))
                continue
            if _support(groups.members[one], groups.members[other], between) < support:
                refused.append(Refused(edge, "support"))
                continue
            groups.join(one, other)
        degree[edge.one] = degree.get(edge.one, 0) + 1
        degree[edge.other] = degree.get(edge.other, 0) + 1
    return sorted((frozenset(members) for members in groups.members.values()), key=min), refused


def _is_ambiguous(
    edge: Edge, groups: "_Groups", between: Mapping[str, Mapping[str, float]], records: Mapping[str, Record], accept: float
) -> bool:
    """Whether one end lacks just what tells the other end from a third record that it resembles as well.

    John Smith without a date of birth, at an address where two of them live, is neither of them: whoever came first must not have him.
    """
    for end, chosen in ((edge.one, edge.other), (edge.other, edge.one)):
        lacking = [column for column in TELLING if column in records[chosen].values and column not in records[end].values]
        for rival, score in between[end].items() if lacking else ():
            if score < accept or groups.of(rival) in {groups.of(chosen), groups.of(end)} or between[chosen].get(rival, -1.0) >= 0:
                continue
            if any(
                records[rival].values.get(column, records[chosen].values[column]) != records[chosen].values[column] for column in lacking
            ):
                return True
    return False


def _support(ones: set[str], others: set[str], between: Mapping[str, Mapping[str, float]]) -> float:
    """The mean of what the compared pairs between two groups say, each within limits."""
    small, large = (ones, others) if len(ones) <= len(others) else (others, ones)
    scores = [score for record in small for neighbour, score in between.get(record, {}).items() if neighbour in large]
    return sum(min(max(score, -CLIP), CLIP) for score in scores) / len(scores)


class _Groups:
    """Disjoint groups of records, each with the values of its unique columns."""

    def __init__(self, records: Sequence[Record], unique: Sequence[str]) -> None:
        self.members = {record.id: {record.id} for record in records}
        self._group = {record.id: record.id for record in records}
        self._values = {record.id: {column: value for column in unique if (value := record.values.get(column))} for record in records}

    def of(self, record: str) -> str:
        return self._group[record]

    def conflict(self, one: str, other: str) -> str | None:
        """The unique column in which two groups differ."""
        ones, others = self._values[one], self._values[other]
        return next((column for column in ones if column in others and ones[column] != others[column]), None)

    def join(self, one: str, other: str) -> None:
        kept, gone = (one, other) if len(self.members[one]) >= len(self.members[other]) else (other, one)
        for record in self.members[gone]:
            self._group[record] = kept
        self.members[kept] |= self.members.pop(gone)
        self._values[kept] |= self._values.pop(gone)

"""From scored pairs to people: best score first, and two groups only where enough of what was seen between them agrees."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from heapq import nsmallest

from touchstone.matching.records import IDENTIFIERS, Record

NEIGHBOURS = 50
"""So many accepted edges of one record count, the best ones."""

ACCEPTED = 2.5
"""Bits: from this score on two records are taken for one person, where the caller does not say it; 85 %."""

SUPPORT = 0.0
"""Two groups are joined when the pairs between them say on average at least so many bits."""

CLIP = 5.0
"""One pair says at most so many bits, for or against: many that agree a little outvote one that agrees perfectly."""

ASKED = 12
"""Of each of two groups so many records speak for or against their join."""

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


Between = Callable[[str, str], float | None]
"""What two records, by their ids, say of each other in bits, whichever comes first; None where nobody has compared them."""


class Protection:
    """What keeps groups of records from growing into one another: the same for a file and for a stream.

    Every answer is a function of the records, of the accepted edges, of what was taken so far, and of the two sets it is asked about. Edges
    are to be asked about best score first, those of one score in the order of their ids: then the people do not depend on the order in which
    anything arrived. How groups are kept is the caller's affair.
    """

    def __init__(
        self,
        records: Mapping[str, Record],
        accepted: Iterable[Edge],
        between: Between,
        *,
        accept: float = ACCEPTED,
        support: float = SUPPORT,
        neighbours: int = NEIGHBOURS,
        unique: Sequence[str] = UNIQUE,
    ) -> None:
        self._records, self._between = records, between
        self._accept, self._support, self._neighbours = accept, support, neighbours
        self._accepted: dict[str, list[str]] = {}
        for edge in accepted:
            self._accepted.setdefault(edge.one, []).append(edge.other)
            self._accepted.setdefault(edge.other, []).append(edge.one)
        self._holders: dict[str, dict[str, str]] = {
            column: {name: value for name, record in records.items() if (value := record.values.get(column))} for column in unique
        }
        self._taken: dict[str, int] = {}

    def why_not(self, edge: Edge, ones: AbstractSet[str], others: AbstractSet[str]) -> str | None:
        """Why the group of `edge.one` and that of `edge.other` must not be joined: `neighbours`, `ambiguous`, a column, `support`; or None.

        Where the two are one group already there is nothing to join: then only the number of neighbours is asked.
        """
        if max(self._taken.get(edge.one, 0), self._taken.get(edge.other, 0)) >= self._neighbours:
            return "neighbours"
        if edge.other in ones:
            return None
        if self._is_ambiguous(edge.one, edge.other, ones, others) or self._is_ambiguous(edge.other, edge.one, ones, others):
            return "ambiguous"
        for column, holders in self._holders.items():
            if not _agree(_held(holders, ones), _held(holders, others)):
                return column
        return "support" if self._mean(edge, ones, others) < self._support else None

    def take(self, edge: Edge) -> None:
        """Count an edge that was not refused: each of its records has one neighbour more."""
        for record in (edge.one, edge.other):
            self._taken[record] = self._taken.get(record, 0) + 1

    def _is_ambiguous(self, end: str, chosen: str, ones: AbstractSet[str], others: AbstractSet[str]) -> bool:
        """Whether one end lacks just what tells the other end from a third record that it resembles as well.

        John Smith without a date of birth, at an address where two of them live, is neither of them: whoever came first must not have him. A number of his own
        that they share says whose he is.
        """
        known, own = self._records[chosen].values, self._records[end].values
        if any(known[column] == own.get(column) for column in IDENTIFIERS if column in known):
            return False
        lacking = [column for column in TELLING if column in known and column not in own]
        for rival in self._accepted.get(end, ()) if lacking else ():
            if rival in ones or rival in others:
                continue
            said = self._records[rival].values
            if not any(said.get(column, known[column]) != known[column] for column in lacking):
                continue
            score = self._between(chosen, rival)
            if score is None or score < self._accept:
                return True
        return False

    def _mean(self, edge: Edge, ones: AbstractSet[str], others: AbstractSet[str]) -> float:
        """The mean of what the pairs between two groups say, each within limits."""
        some = self._asked(edge.other, others)
        said = [score for one in self._asked(edge.one, ones) for other in some if (score := self._between(one, other)) is not None]
        return sum(sorted(min(max(score, -CLIP), CLIP) for score in said)) / max(len(said), 1)

    def _asked(self, end: str, group: AbstractSet[str]) -> AbstractSet[str]:
        """A small group; of a large one the end of the edge, whom it resembles, and then the first by id, whoever came first."""
        if len(group) <= ASKED:
            return group
        near = nsmallest(ASKED // 2, (other for other in self._accepted.get(end, ()) if other in group))
        return {end, *near, *nsmallest(ASKED - 1 - len(near), group - {end, *near})}


def cluster(
    records: Sequence[Record],
    edges: Iterable[Edge],
    accept: float,
    *,
    between: Between | None = None,
    support: float = SUPPORT,
    neighbours: int = NEIGHBOURS,
    unique: Sequence[str] = UNIQUE,
) -> tuple[list[frozenset[str]], list[Refused]]:
    """The people, and the accepted edges that were refused.

    `edges` holds everything that was compared, also what scored low: it speaks against a join. Pairs that were not compared say what `between`
    says of them; without it, nothing. The result is a function of the sets of records and edges, not of their order.
    """
    ordered = sorted(edges, key=lambda edge: (-edge.score, edge.one, edge.other))
    compared = {(edge.one, edge.other): edge.score for edge in ordered}

    def said(one: str, other: str) -> float | None:
        score = compared.get((one, other) if one < other else (other, one))
        if score is None and between is not None and (score := between(one, other)) is not None:
            compared[min(one, other), max(one, other)] = score
        return score

    accepted = [edge for edge in ordered if edge.score >= accept]
    protection = Protection(
        {record.id: record for record in records}, accepted, said, accept=accept, support=support, neighbours=neighbours, unique=unique
    )
    group = {record.id: {record.id} for record in records}
    refused: list[Refused] = []
    for edge in accepted:
        ones, others = group[edge.one], group[edge.other]
        if (why := protection.why_not(edge, ones, others)) is not None:
            refused.append(Refused(edge, why))
            continue
        protection.take(edge)
        if ones is not others:
            kept, gone = (ones, others) if len(ones) >= len(others) else (others, ones)
            kept |= gone
            group.update(dict.fromkeys(gone, kept))
    return sorted({id(members): frozenset(members) for members in group.values()}.values(), key=min), refused


def _held(holders: Mapping[str, str], records: AbstractSet[str]) -> set[str]:
    """The values that records of a group have."""
    return {holders[record] for record in records & holders.keys()} if holders else set()


def _agree(ones: set[str], others: set[str]) -> bool:
    """Whether two groups can have one value between them."""
    return not ones or not others or ones == others

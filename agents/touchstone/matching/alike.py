"""The judge of likeness, with everything that compares: judge.py loads it."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from hashlib import blake2b

import numpy as np

from touchstone.identity.resolve import Evidence, Likely
from touchstone.matching.blocking import STREAM_BLOCKS, Block
from touchstone.matching.cluster import Edge, Protection
from touchstone.matching.frozen import scorer_of, thresholds_of
from touchstone.matching.judge import Explanation
from touchstone.matching.records import Record
from touchstone.topology.compile import Matching


class Alike:
    """The matching of a topology, ready to judge. Thresholds in bits."""

    def __init__(self, matching: Matching) -> None:
        self.scorer = scorer_of(matching)
        self.accept, self.review = thresholds_of(self.scorer)
        self.neighbours = matching.neighbours
        self.version = self.scorer.model.version
        self.blocks = matching.blocks or STREAM_BLOCKS
        self.terms = f"model {self.version}, blocks {_hash(self.blocks)}"

    def scores(self, records: Sequence[Record], pairs: Sequence[tuple[int, int]]) -> list[float]:
        """For each pair of positions in `records` how much the two look alike."""
        positions = np.array(pairs, dtype=np.int64)
        scores: list[float] = self.scorer.score(records, positions[:, 0], positions[:, 1]).tolist()
        return scores

    def score_pair(self, one: Record, other: Record) -> float:
        """How much two records look alike."""
        return self.scorer.score_pair(one, other)

    def explain(self, one: Record, other: Record) -> Explanation:
        """Why a pair has its score."""
        return self.scorer.explain(one, other)

    def protect(self, evidence: Evidence) -> "Guard":
        """What protects the people of a component from growing into one another by likeness."""
        return Guard(evidence, self)


class Guard:
    """`cluster.Protection` for people: a group of identifiers stands for all records of these."""

    def __init__(self, evidence: Evidence, alike: Alike) -> None:
        self._names = {x: [_name(x, record) for record in records] for x, records in evidence.records.items()}
        records = {
            _name(x, record): Record(_name(x, record), dict(values))
            for x, found in evidence.records.items()
            for record, values in found.items()
        }
        compared: dict[tuple[str, str], float] = {}

        def between(one: str, other: str) -> float:
            pair = (one, other) if one < other else (other, one)
            score = compared.get(pair)
            if score is None:
                score = compared[pair] = alike.scorer.score_pair(records[one], records[other])
            return score

        accepted = [_edge(likely) for likely in evidence.likely]
        self._protection = Protection(records, accepted, between, accept=alike.accept, neighbours=alike.neighbours)

    def why_not(self, likely: Likely, ones: AbstractSet[str], others: AbstractSet[str]) -> str | None:
        """The rule that forbids to unite the identifiers `ones` (of `likely.weak`) and `others`, or None."""
        return self._protection.why_not(_edge(likely), set(self._records_of(ones)), set(self._records_of(others)))

    def take(self, likely: Likely) -> None:
        """The likeness counts."""
        self._protection.take(_edge(likely))

    def _records_of(self, identifiers: AbstractSet[str]) -> Iterator[str]:
        for x in identifiers & self._names.keys():
            yield from self._names[x]


def _hash(blocks: Sequence[Block]) -> str:
    return blake2b(repr(blocks).encode(), digest_size=6).hexdigest()


def _edge(likely: Likely) -> Edge:
    return Edge(likely.score, _name(likely.weak, likely.records[0]), _name(likely.strong, likely.records[1]))


def _name(identifier: str, record: str) -> str:
    return f"{identifier}\x1f{record}"

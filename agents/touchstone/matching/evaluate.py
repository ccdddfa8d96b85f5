"""How good a model is where the truth is known: pairs and clusters, and the worst errors with their evidence."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from touchstone.matching.blocking import BLOCK_LIMIT, DEFAULT_BLOCKS, Block, candidates
from touchstone.matching.cluster import Edge, cluster
from touchstone.matching.judge import Explanation, bits
from touchstone.matching.model import Model
from touchstone.matching.records import Record
from touchstone.matching.score import Scorer
from touchstone.matching.training import between, edges


class Quality(msgspec.Struct, frozen=True):
    """Precision, recall and their harmonic mean."""

    precision: float
    recall: float
    f1: float


class Error(msgspec.Struct, frozen=True):
    """A pair that was judged wrongly: `missed` is one person taken for two, otherwise two taken for one. `why` says where it went wrong."""

    missed: bool
    one: str
    other: str
    why: str
    explanation: Explanation


class Report(msgspec.Struct, frozen=True):
    """The figures. `pairs` are the pairs that score above acceptance; `clusters` the pairs inside the people found; `b_cubed` per record."""

    records: int
    people: int
    people_found: int
    true_pairs: int
    compared: int
    blocks_closed: int
    blocking_recall: float
    in_review: int
    pairs: Quality
    clusters: Quality
    b_cubed: Quality
    errors: tuple[Error, ...]


def evaluate(
    model: Model,
    records: Sequence[Record],
    truth: Mapping[str, str],
    *,
    blocks: Sequence[Block] = DEFAULT_BLOCKS,
    limit: int = BLOCK_LIMIT,
    worst: int = 10,
) -> Report:
    """The quality of a model on records; `truth` has for each record's id whose it is."""
    found = candidates(records, blocks, limit)
    scorer = Scorer(model)
    scores = scorer.score(records, found.left, found.right)
    compared = edges(records, found.left, found.right, scores)
    accept, review = bits(model.accept), bits(model.review)
    people, _ = cluster(records, compared, accept, between=between(scorer, records))
    accepted = [edge for edge in compared if edge.score >= accept]
    right = sum(truth[edge.one] == truth[edge.other] for edge in accepted)
    possible = sum(truth[edge.one] == truth[edge.other] for edge in compared)
    true_pairs = _pairs_of(Counter(truth[record.id] for record in records).values())
    return Report(
        records=len(records),
        people=len({truth[record.id] for record in records}),
        people_found=len(people),
        true_pairs=true_pairs,
        compared=len(compared),
        blocks_closed=found.closed,
        blocking_recall=_share(possible, true_pairs),
        in_review=sum(review <= edge.score < accept for edge in compared),
        pairs=_quality(right, len(accepted), true_pairs),
        clusters=cluster_quality(people, truth),
        b_cubed=b_cubed(people, truth),
        errors=_worst(model, records, truth, people, compared, worst),
    )


def cluster_quality(people: Iterable[frozenset[str]], truth: Mapping[str, str]) -> Quality:
    """Of the pairs of records inside the people found and inside the true ones."""
    people = list(people)
    together = sum(_pairs_of(Counter(truth[member] for member in person).values()) for person in people)
    members = [member for person in people for member in person]
    return _quality(together, _pairs_of(map(len, people)), _pairs_of(Counter(truth[member] for member in members).values()))


def b_cubed(people: Iterable[frozenset[str]], truth: Mapping[str, str]) -> Quality:
    """Per record, what share of those found with it belong to it, and what share of those that belong to it were found; then the mean."""
    people = list(people)
    size = Counter(truth[member] for person in people for member in person)
    precision = recall = 0.0
    for person in people:
        for entity, count in Counter(truth[member] for member in person).items():
            precision += count * count / len(person)
            recall += count * count / size[entity]
    records = sum(map(len, people))
    return _harmonic(_share(precision, records), _share(recall, records))


def _worst(
    model: Model,
    records: Sequence[Record],
    truth: Mapping[str, str],
    people: Sequence[frozenset[str]],
    compared: Sequence[Edge],
    worst: int,
) -> tuple[Error, ...]:
    """The errors that the score was surest of: strangers with the highest, one person's records with the lowest score."""
    by_id = {record.id: record for record in records}
    person_of = {member: n for n, person in enumerate(people) for member in person}
    scored = {(edge.one, edge.other): edge.score for edge in compared}
    wrong: list[tuple[float, bool, str, str]] = []
    for pair, score in scored.items():
        together, same = person_of[pair[0]] == person_of[pair[1]], truth[pair[0]] == truth[pair[1]]
        if together and not same:
            wrong.append((score, False, *pair))
        elif same and not together:
            wrong.append((-score, True, *pair))
    chosen = sorted(wrong, key=lambda error: (-error[0], error[2], error[3]))[:worst]
    scorer, accept = Scorer(model), bits(model.accept)
    return tuple(
        Error(missed, one, other, _reason(missed, scored[one, other], accept), scorer.explain(by_id[one], by_id[other]))
        for _, missed, one, other in chosen
    )


def _reason(missed: bool, score: float, accept: float) -> str:
    if missed:
        return "scored too low" if score < accept else "accepted, but the groups around it did not agree"
    return "scored too high" if score >= accept else "joined through others"


def _pairs_of(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def _quality(right: int, found: int, true: int) -> Quality:
    return _harmonic(_share(right, found), _share(right, true))


def _harmonic(precision: float, recall: float) -> Quality:
    return Quality(precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0)

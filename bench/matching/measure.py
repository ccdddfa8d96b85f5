"""How good a partition of records into people is, held against the truth.

Three measures, because each is blind to something: *pairs* count records brought together (large people weigh much), *clusters* count people
found exactly (one record amiss and the person is lost), *B-cubed* asks for every record how much of its person was found with it (each record
weighs the same). Nothing here is taken from the matching library: it is what that library is measured with.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scores:
    """Precision, the share of what was found that is true; recall, the share of what is true that was found."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Their harmonic mean."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


@dataclass(frozen=True, slots=True)
class Quality:
    """The three measures of one partition."""

    pairs: Scores
    clusters: Scores
    b_cubed: Scores


def quality(truth: Mapping[str, str], found: Mapping[str, str]) -> Quality:
    """Measure what was found; each maps a record to its person. Who has no pair to find has found them all.

    Raises:
        ValueError: the two do not speak of the same records: then no measure means anything.
    """
    if truth.keys() != found.keys():
        missing, foreign = len(truth.keys() - found.keys()), len(found.keys() - truth.keys())
        raise ValueError(f"expected each of {len(truth):,} records in a cluster, {missing:,} are in none and {foreign:,} are unknown")
    true_sizes, found_sizes = Counter(truth.values()), Counter(found.values())
    common = Counter((who, found[record]) for record, who in truth.items())
    exact = sum(size == true_sizes[who] == found_sizes[as_whom] for (who, as_whom), size in common.items())
    right = _pairs(common.values())
    return Quality(
        pairs=Scores(_share(right, _pairs(found_sizes.values())), _share(right, _pairs(true_sizes.values()))),
        clusters=Scores(_share(exact, len(found_sizes)), _share(exact, len(true_sizes))),
        b_cubed=Scores(
            _share(sum(size * size / found_sizes[as_whom] for (_, as_whom), size in common.items()), len(truth)),
            _share(sum(size * size / true_sizes[who] for (who, _), size in common.items()), len(truth)),
        ),
    )


def agreement(labels: Iterable[tuple[str, str, bool]], found: Mapping[str, str]) -> Scores:
    """What was found on the pairs that somebody has judged, and on no other pair."""
    judged = Counter((is_one, found[left] == found[right]) for left, right, is_one in labels)
    right = judged[True, True]
    return Scores(_share(right, right + judged[False, True]), _share(right, right + judged[True, False]))


def _pairs(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0

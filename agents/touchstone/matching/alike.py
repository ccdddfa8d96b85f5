"""What the journey stage needs to know of likeness: from which score on it counts, and what else is asked of it."""

from touchstone.matching.frozen import scorer_of, thresholds_of
from touchstone.topology.compile import Matching

SUPPORT, AMBIGUOUS, NEIGHBOURS = "support", "ambiguous", "neighbours"
"""What keeps two apart who look alike: the rest of what is known of them, a third who fits as well, or how many are like one already."""


class Alike:
    """The matching of a topology, ready to judge. Thresholds in bits."""

    def __init__(self, matching: Matching) -> None:
        self.scorer = scorer_of(matching)
        self.accept, self.review = thresholds_of(self.scorer)
        self.neighbours = matching.neighbours
        self.version = self.scorer.model.version
        self.protect = None

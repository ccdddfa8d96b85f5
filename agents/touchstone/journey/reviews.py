"""Which pairs that look alike somebody should look at: not sure enough to be one, and nobody has decided."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from touchstone.identity.evidence import Likenesses
from touchstone.identity.resolve import People
from touchstone.matching.judge import AMBIGUOUS, NEIGHBOURS, SUPPORT, Judge
from touchstone.model.command import Pair, joins, pair_of
from touchstone.model.component import Likeness, Ruling

OPEN, ACCEPTED, REJECTED = "open", "accepted", "rejected"
SETTLED, WITHDRAWN = "settled", "withdrawn"
BY_SCORE = "score"
"""Why a pair is not united: it is below the threshold. Otherwise what protected it."""

_WORTH_A_LOOK = {AMBIGUOUS, NEIGHBOURS, SUPPORT}
"""What keeps two apart who look alike enough, and is no limit of a person: a human may know better."""


class Doubt(NamedTuple):
    """What is to be said of a pair. `likeness`: its best one, None where none is left."""

    status: str
    likeness: Likeness | None
    why: str
    command: str | None = None

    @property
    def digest(self) -> str:
        """By which it is known again."""
        likeness = self.likeness
        found = "" if likeness is None else f"{likeness.score:.9f} {' '.join(likeness.records)}"
        return f"{self.status} {found} {self.why} {self.command or ''}"


def doubts(
    likenesses: Likenesses, people: People, home: Mapping[str, str], standing: Iterable[Ruling], said: Iterable[Pair], judge: Judge
) -> dict[Pair, Doubt]:
    """(weak, strong) -> what is to be said of it; of those in `said` something was said before. `home`: identifier -> customer id.

    A pair of which nothing was said, and which nobody needs to look at, is left out; one that a steward has decided never is, whether it was
    found before or after.
    """
    rulings = {ruling.pair: ruling for ruling in standing}
    best: dict[Pair, Likeness] = {}
    for likeness in likenesses.open():
        pair = likeness.weak, likeness.strong
        known = best.get(pair)
        if known is None or (known.score, known.records) < (likeness.score, likeness.records):
            best[pair] = likeness
    found: dict[Pair, Doubt] = {}
    for pair, likeness in best.items():
        ruling = rulings.get(pair_of(*pair))
        is_one = pair[0] in home and home[pair[0]] == home.get(pair[1])
        why = BY_SCORE if likeness.score < judge.accept else people.unlikely.get(pair, "")
        if ruling is not None:
            found[pair] = Doubt(ACCEPTED if joins(ruling.action) else REJECTED, likeness, why, ruling.command)
        elif not is_one and (why == BY_SCORE or why in _WORTH_A_LOOK):
            found[pair] = Doubt(OPEN, likeness, why)
        else:
            found[pair] = Doubt(SETTLED, likeness, why)
    before = set(said)
    found |= {pair: Doubt(WITHDRAWN, None, "") for pair in before - found.keys()}
    return {pair: doubt for pair, doubt in found.items() if pair in before or doubt.status not in (SETTLED, WITHDRAWN)}

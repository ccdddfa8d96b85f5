"""Touchstone's own matching over a folder, unsupervised and with its defaults: `run_touchstone FOLDER`.

It is told which column plays which role, as a topology would tell it, and nothing else.
"""

from bench.matching.sheet import RECORD_ID, rows_in, task_in, write_clusters
from bench.matching.told import Clock, folder_asked_for, tell
from touchstone import __version__
from touchstone.matching.blocking import candidates
from touchstone.matching.cluster import cluster
from touchstone.matching.judge import bits
from touchstone.matching.records import make_records
from touchstone.matching.score import Scorer
from touchstone.matching.training import between, edges, train


def main() -> int:
    """Learn without labels, compare what shares a block, cluster."""
    folder, clock = folder_asked_for(), Clock()
    roles = task_in(folder).roles
    records = make_records(((row[RECORD_ID], row) for row in rows_in(folder)), roles)
    model = train(records)
    clock.learned()
    pairs = candidates(records)
    scorer = Scorer(model)
    scores = scorer.score(records, pairs.left, pairs.right)
    people, _ = cluster(records, edges(records, pairs.left, pairs.right, scores), bits(model.accept), between=between(scorer, records))
    write_clusters(folder, ((record, number) for number, person in enumerate(people) for record in person))
    note = f"{pairs.closed:,} blocks closed" if pairs.closed else ""
    tell(clock.told(__version__, compared=len(pairs), note=note))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Two identifiers side by side: what each source wrote down of the person behind them, whose they are, and what speaks for one person."""

from collections.abc import Mapping
from dataclasses import dataclass

from touchstone.matching.judge import Explains, Explanation
from touchstone.matching.records import Record
from touchstone.model.component import Likeness
from touchstone.pipeline import JOURNEY
from touchstone.simulate import Twin
from touchstone.stewardship.effect import people


@dataclass(frozen=True)
class Side:
    """One of the two. `values`: of the record by which they are compared, empty where nothing is known of it any more."""

    identifier: str
    customer_id: str | None
    members: frozenset[str]
    values: Mapping[str, str]
    described: int


@dataclass(frozen=True)
class Comparison:
    """Both sides; `explanation` is None where one of the two records is gone. `is_open`: a block in which they met is."""

    one: Side
    other: Side
    explanation: Explanation | None
    is_open: bool


def compare_sides(twin: Twin, one: str, other: str, judge: Explains) -> Comparison:
    """What the twin knows of these two; of several pairs of records the likeliest that still counts, as the review was scored by it."""
    found, records, closed = _rows(twin)
    of_both = [each for each in found if {each.weak, each.strong} == {one, other}]
    best = max(of_both, key=lambda each: (not closed.issuperset(each.blocks), each.score, each.records), default=None)
    ids: tuple[str, str] = ("", "")
    if best is not None:
        ids = best.records if best.weak == one else (best.records[1], best.records[0])
    known = [records.get(x, {}) for x in (one, other)]
    values = [of_x.get(record, {}) for of_x, record in zip(known, ids, strict=True)]
    explanation = judge.explain(Record(one, dict(values[0])), Record(other, dict(values[1]))) if all(values) else None
    homes = {x: (customer_id, members) for customer_id, members in people(twin).items() for x in members}
    sides = [
        Side(x, homes[x][0] if x in homes else None, homes[x][1] if x in homes else frozenset(), of_record, len(of_x))
        for x, of_record, of_x in zip((one, other), values, known, strict=True)
    ]
    return Comparison(sides[0], sides[1], explanation, best is not None and not closed.issuperset(best.blocks))


def _rows(twin: Twin) -> tuple[list[Likeness], dict[str, dict[str, Mapping[str, str]]], set[str]]:
    found: list[Likeness] = []
    records: dict[str, dict[str, Mapping[str, str]]] = {}
    closed: set[str] = set()
    for store in (stores[JOURNEY] for stores in twin.stores):
        for root in store.groups():
            found += (row for _, row in store.scan(root, "l"))
            for _, row in store.scan(root, "d"):
                records.setdefault(row.identifier, {})[row.record] = row.values
            closed.update(name[1:] for name, _ in store.scan(root, "k"))
    return found, records, closed

"""The final view: what a reader of the output topics believes in the end, in a form that can be compared.

The live system, a replay and the offline twin speak in different orders and with different revisions, but at one time T their final
views are equal (DESIGN.md 6). A view keeps the highest revision of each moment, customer and review; log positions, revisions and times
of detection are left out of what is compared.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from touchstone.contracts.json_form import to_json_dict
from touchstone.model.output import Carried, Customer, DeadLetter, IdentityChange, Moment, Review

Final = dict[str, list[dict[str, Any]]]
"""`moments`, `outputs`, `customers` and `deadletters`, each a sorted list of JSON objects with the contracts' field names.

`outputs` are moments on outputs that ask for consent, each with the name of its `output`. Where there are any, `reviews` are those that are
open, accepted or rejected.
"""

_NOT_COMPARED = {
    "moments": ("revision", "action", "detected_at", "corrects"),
    "outputs": ("revision", "action", "detected_at", "corrects"),
    "customers": ("revision",),
    "reviews": ("revision", "detected_at", "customers"),
    "deadletters": ("letter_id", "topic", "partition", "offset", "occurred_at"),
}
_NAMED_BY = {"moments": ("moment_id",), "outputs": ("output", "moment_id"), "customers": ("customer_id",), "reviews": ("review_id",)}

_STANDING_REVIEWS = frozenset({"open", "accepted", "rejected"})


class FinalView:
    """What was said, reduced to what stands. Records may come in any order and more than once."""

    def __init__(self, records: Iterable[Moment | Carried | Customer | IdentityChange | Review | DeadLetter] = ()) -> None:
        self.moments: dict[str, Moment] = {}
        self.outputs: dict[str, dict[str, Moment]] = {}
        self.customers: dict[str, Customer] = {}
        self.reviews: dict[str, Review] = {}
        self.deadletters: dict[str, DeadLetter] = {}
        for record in records:
            self.apply(record)

    def apply(self, record: Moment | Carried | Customer | IdentityChange | Review | DeadLetter) -> None:
        """Take in one output record; identity changes are a log of what happened on the way and no part of the view."""
        match record:
            case Moment():
                _keep_highest(self.moments, record)
            case Carried(output=name, moment=moment):
                _keep_highest(self.outputs.setdefault(name, {}), moment)
            case Customer():
                found = self.customers.get(record.customer_id)
                if found is None or record.revision > found.revision:
                    self.customers[record.customer_id] = record
            case Review():
                question = self.reviews.get(record.review_id)
                if question is None or record.revision > question.revision:
                    self.reviews[record.review_id] = record
            case DeadLetter():
                self.deadletters[record.letter_id] = record
            case IdentityChange():
                pass

    def final(self, as_of_ms: int, retention_ms: int) -> Final:
        """The view at `as_of_ms`: asserted moments and reviews not older than the retention, active customers, dead letters."""
        horizon = as_of_ms - retention_ms
        carried = [(name, m) for name, moments in self.outputs.items() for m in _standing(moments, horizon)]
        active = [c for c in self.customers.values() if c.status == "active"]
        reviews = [r for r in self.reviews.values() if r.status in _STANDING_REVIEWS and r.occurred_at >= horizon]
        standing: Final = {
            "moments": _compared("moments", _standing(self.moments, horizon)),
            "outputs": sorted(
                ({"output": name, **row} for name, moment in carried for row in _compared("outputs", [moment])), key=_canonical
            ),
            "customers": _compared("customers", active),
            "deadletters": _compared("deadletters", list(self.deadletters.values())),
        }
        return standing | ({"reviews": _compared("reviews", reviews)} if reviews else {})


def _keep_highest(moments: dict[str, Moment], moment: Moment) -> None:
    known = moments.get(moment.moment_id)
    if known is None or moment.revision > known.revision:
        moments[moment.moment_id] = moment


def _standing(moments: Mapping[str, Moment], horizon: int) -> list[Moment]:
    return [m for m in moments.values() if m.action == "assert" and m.occurred_at >= horizon]


def holders(customers: Iterable[Customer], kind: str, value: str, as_of_ms: int, tenant: str | None = None) -> list[Customer]:
    """Who held an identifier at a time: those to whom it belonged by then, or, where it belongs to nobody now, who used it then.

    Two, where both used it. Only active customers are asked: who was merged is found as whom they were merged into.
    """
    active = [one for one in customers if one.status == "active" and tenant in {None, one.tenant}]
    uses = [(one, row) for one in active for row in one.shared_identifiers if (row["kind"], row["value"]) == (kind, value)]
    if uses:
        return [one for one, row in uses if row["valid_from"] <= as_of_ms and (row["valid_to"] is None or as_of_ms < row["valid_to"])]
    return [
        one
        for one in active
        for row in one.identifiers
        if (row["kind"], row["value"]) == (kind, value) and (row["first_seen"] is None or row["first_seen"] <= as_of_ms)
    ]


def digest(final: Final) -> str:
    """A short name for a final view: equal views have equal digests."""
    return hashlib.sha256(_canonical(final).encode()).hexdigest()


def diff(left: Final, right: Final, names: tuple[str, str] = ("live", "twin")) -> list[str]:
    """Every difference between two views in one readable line each; empty when they are equal."""
    lines: list[str] = []
    for section, names_of in _NAMED_BY.items():
        ours, theirs = ({" ".join(row[name] for name in names_of): row for row in view.get(section, ())} for view in (left, right))
        for name in sorted(ours.keys() | theirs.keys()):
            lines += _row_differences(section, name, ours.get(name), theirs.get(name), names)
    return lines + _letter_differences(left["deadletters"], right["deadletters"], names)


def _compared(section: str, records: Sequence[Moment | Customer | Review | DeadLetter]) -> list[dict[str, Any]]:
    rows = []
    for record in records:
        row = to_json_dict(record)
        for name in _NOT_COMPARED[section]:
            del row[name]
        if isinstance(record, Customer):
            row = {name: _ordered(value) for name, value in row.items()}
        rows.append(row)
    return sorted(rows, key=lambda row: ([row.get(name, "") for name in _NAMED_BY.get(section, ())], _canonical(row)))


def _ordered(value: Any) -> Any:
    """The lists of a customer are sets: give them one order."""
    return sorted(value, key=_canonical) if isinstance(value, list) else value


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _row_differences(
    section: str, name: str, ours: Mapping[str, Any] | None, theirs: Mapping[str, Any] | None, names: tuple[str, str]
) -> list[str]:
    what = f"{section.removesuffix('s')} {name}"
    if ours is None or theirs is None:
        present, row = (names[1], theirs) if ours is None else (names[0], ours)
        return [f"{what}: only in {present}: {_summary(section, row or {})}"]
    return [
        f"{what}: {field}: {names[0]} {_canonical(ours.get(field))}, {names[1]} {_canonical(theirs.get(field))}"
        for field in sorted(ours.keys() | theirs.keys())
        if ours.get(field) != theirs.get(field)
    ]


def _summary(section: str, row: Mapping[str, Any]) -> str:
    if section == "reviews":
        return f"{row['status']} at {row['score']:.3f}: {_canonical(row['identifiers'])}"
    if section != "customers":
        step = f"{row['from_phase'] or 'start'} -> {row['to_phase']}"
        return f"{row['journey']} {row['kind']} {step} by {row['rule']} at {row['occurred_at']} of customer {row['customer_id']}"
    return _canonical(row)


def _letter_differences(left: Sequence[Mapping[str, Any]], right: Sequence[Mapping[str, Any]], names: tuple[str, str]) -> list[str]:
    ours, theirs = (Counter(map(_canonical, rows)) for rows in (left, right))
    return [
        f"deadletter: {extra}x more in {present}: {letter}"
        for present, more, fewer in ((names[0], ours, theirs), (names[1], theirs, ours))
        for letter, extra in sorted((more - fewer).items())
    ]

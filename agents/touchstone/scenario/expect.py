"""What was found against what a story expects, in words that show both."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from touchstone.errors import RecordRejected
from touchstone.identity.ordering import Ordering, Readable
from touchstone.intake.identifiers import IdentifierReader
from touchstone.intake.touchpoint import DEFAULT_TENANT
from touchstone.journey.policy import customer_id_of
from touchstone.model.identifier import identifier_key, kind_of, tenant_of, value_of
from touchstone.model.output import Carried, Customer, IdentityChange, Moment
from touchstone.pipeline import OutputRecord
from touchstone.scenario.golden import golden_failures
from touchstone.scenario.model import Became, Held, Log, OnOutput, Standing, Then
from touchstone.scenario.moments import moment_text, normal_text
from touchstone.scenario.times import FIRST_DAY_MS, time_ms, time_text
from touchstone.topology.compile import Topology
from touchstone.view import Final, FinalView, holders

Row = Mapping[str, Any]
Group = frozenset[str]
MOST_SHOWN = 12


class Expectations:
    """`then` of one story. Identifiers are compared by keys that hold their values."""

    def __init__(self, then: Then, topology: Topology, ordering: Ordering) -> None:
        self._then = then
        self._topology = topology
        self._ordering = ordering
        self._reader = IdentifierReader(topology, Readable(topology.kinds))

    def failures(self, final: Final, records: Sequence[OutputRecord], counted: Counter[tuple[str, tuple[str, ...]]]) -> list[str]:
        """Everything that is not as expected."""
        then = self._then
        found = [*self._people(final), *_differ("dead_letters", then.dead_letters, Counter(row["reason"] for row in final["deadletters"]))]
        for n, standing in enumerate(then.customers):
            found += [f"customers[{n}] ({_named(standing.of)}): {text}" for text in self._standing(standing, final)]
        found += [text for held in then.held for text in self._held(held, records)]
        found += self._reviews(final)
        found += self._counted(counted)
        found += [f"log: {text}" for text in self._log(then.log, records)]
        return found

    # -- who is who ------------------------------------------------------------------------------------------------------------
    def _people(self, final: Final) -> Iterable[str]:
        then, groups = self._then, {row["customer_id"]: _members(row) for row in final["customers"]}
        alone = {customer_id: group for customer_id, group in groups.items() if self._is_nobody(customer_id, group)}
        people = Counter(group for customer_id, group in groups.items() if customer_id not in alone)
        if isinstance(then.people, int):
            yield from _differ("people", then.people, people.total())
        elif then.people is not None:
            yield from _unlike("people", Counter(self._keys(one) for one in then.people), people)
        if then.nobody is not None or isinstance(then.people, list):
            yield from _unlike("nobody", Counter(self._keys(one) for one in then.nobody or ()), Counter(alone.values()))

    def _is_nobody(self, customer_id: str, group: Group) -> bool:
        return len(group) == 1 and customer_id == self._id_of(next(iter(group)), is_nobody=True)

    def _id_of(self, key: str, *, is_nobody: bool) -> str:
        origin = self._ordering.key(tenant_of(key), kind_of(key), value_of(key))
        return customer_id_of(self._ordering, origin, is_nobody=is_nobody)

    def _keys(self, written: Mapping[str, Any]) -> Group:
        """Identifiers as they are kept: read as intake reads them, one by one, so that even what no touchpoint may say can be expected."""
        tenant = str(written.get("tenant", DEFAULT_TENANT))
        keys: set[str] = set()
        for kind, values in written.items():
            for value in values if isinstance(values, list) else [values]:
                if kind != "tenant":
                    try:
                        keys.update(self._reader.read(tenant, [{"kind": kind, "value": value}]).keys)
                    except RecordRejected:  # blocked: nobody can have it, which the comparison will say
                        keys.add(identifier_key(tenant, kind, str(value)))
        return frozenset(keys)

    # -- one customer ----------------------------------------------------------------------------------------------------------
    def _standing(self, standing: Standing, final: Final) -> Iterable[str]:
        wanted = self._keys(standing.of)
        owners = [row for row in final["customers"] if wanted & _members(row)]
        if len(owners) != 1 or not wanted <= _members(owners[0]):
            yield f"expected one customer with these identifiers, found {len(owners)}: {_shown(map(_members, owners))}"
            return
        row, journey = owners[0], standing.journey or self._topology.journeys[0].name
        state: Row = next((one for one in row["journeys"] if one["journey"] == journey), {})
        for name in ("phase", "cycle", "dormant", "since", "deadline"):
            expected = getattr(standing, name)
            if expected is not None:
                found = state.get(name)
                if name in {"since", "deadline"}:
                    expected = time_text(time_ms(expected, FIRST_DAY_MS))
                    found = None if found is None else time_text(time_ms(found, FIRST_DAY_MS))
                yield from _differ(name, expected, "none" if found is None else found)
        if standing.interactions is not None:
            yield from _differ("interactions", standing.interactions, {one["channel"]: one["count"] for one in row["interactions"]})
        if standing.attributes is not None:
            yield from _differ("attributes", standing.attributes, {one["name"]: json.loads(one["value"]) for one in row["attributes"]})
        for name, survived in standing.golden.items():
            yield from golden_failures(name, survived, next((one for one in row["attributes"] if one["name"] == name), None))
        if standing.consents is not None:
            yield from _differ("consents", standing.consents, {one["purpose"]: one["granted"] for one in row["consents"]})
        lists = [("moments", standing.moments, final["moments"])]
        for name, texts in standing.outputs.items():
            lists.append((f"outputs: {name}", texts, [one for one in final["outputs"] if one["output"] == name]))
        for what, written, rows in lists:
            if written is not None:
                mine = [one for one in rows if one["customer_id"] == row["customer_id"] and one["journey"] == journey]
                yield from _unlike_moments(what, written, sorted(mine, key=lambda one: str(one["occurred_at"])))

    def _held(self, held: Held, records: Sequence[OutputRecord]) -> Iterable[str]:
        """Who held an identifier, by what stands in the end."""
        key = next(iter(self._keys(held.identifier)))
        last = FinalView(records).customers.values()
        found = holders(last, kind_of(key), value_of(key), time_ms(held.as_of, FIRST_DAY_MS), tenant_of(key))
        people = Counter(_members({"tenant": one.tenant, "identifiers": one.identifiers}) for one in found)
        wanted = [self._keys(one) for one in held.by]
        if len(wanted) != people.total() or not all(any(one <= members for members in people) for one in wanted):
            yield f"held: {_named(held.identifier)} as of {held.as_of}: expected {_shown(wanted)}, found {_shown(people.elements())}"

    # -- what stewards are asked -------------------------------------------------------------------------------------------------
    def _reviews(self, final: Final) -> Iterable[str]:
        if self._then.reviews is None:
            return
        rows = final.get("reviews", [])
        there = {_members(row): row for row in rows}
        wanted = {frozenset(x for one in each.between for x in self._keys(one)): each for each in self._then.reviews}
        yield from _unlike("reviews", Counter(wanted.keys()), Counter(there.keys()))
        for pair in wanted.keys() & there.keys():
            yield from _differ(f"reviews: {_shown([pair])}: status", wanted[pair].status, there[pair]["status"])
            if wanted[pair].why is not None:
                yield from _differ(f"reviews: {_shown([pair])}: why", wanted[pair].why, there[pair]["why"])

    # -- on the way ------------------------------------------------------------------------------------------------------------
    def _counted(self, counted: Counter[tuple[str, tuple[str, ...]]]) -> Iterable[str]:
        for name, expected in self._then.counted.items():
            mine = {labels: n for (metric, labels), n in counted.items() if metric in {f"touchstone_{name}", f"touchstone_{name}_total"}}
            found = sum(mine.values()) if isinstance(expected, int) else {" ".join(labels): n for labels, n in mine.items()}
            yield from _differ(f"counted: {name}", expected, found)

    def _log(self, log: Log, records: Sequence[OutputRecord]) -> Iterable[str]:
        yield from self._said("", log, [record for record in records if isinstance(record, Moment)])
        for name, carried in log.outputs.items():
            said = [record.moment for record in records if isinstance(record, Carried) and record.output == name]
            yield from self._said(f"outputs: {name}: ", carried, said)
        if log.identity is not None:
            changes = [record for record in records if isinstance(record, IdentityChange)]
            kinds = (f"{one.kind} {one.rule}" if f"{one.kind} {one.rule}" in log.identity else one.kind for one in changes)
            yield from _differ("identity", {kind: n for kind, n in log.identity.items() if n}, Counter(kinds))
        last = {record.customer_id: record for record in records if isinstance(record, Customer)}
        for one in log.became:
            yield from self._became(one, last)

    def _said(self, where: str, expected: Log | OnOutput, moments: Sequence[Moment]) -> Iterable[str]:
        if expected.asserted is not None:
            yield from _differ(f"{where}asserted", expected.asserted, sum(moment.action == "assert" for moment in moments))
        if expected.retracted is not None:
            taken_back = [moment for moment in moments if moment.action == "retract"]
            rows = [{name: getattr(moment, name) for name in moment.__struct_fields__} for moment in taken_back]
            yield from _unlike_moments(f"{where}retracted", expected.retracted, rows)

    def _became(self, became: Became, last: Mapping[str, Customer]) -> Iterable[str]:
        origin = next(iter(self._keys(became.id_of)))
        what = f"became: the id of {_named(became.id_of)}"
        record = last.get(self._id_of(origin, is_nobody=False))
        if record is None:
            yield f"{what}: expected {became.status}, found that nothing was ever said of it"
            return
        yield from _differ(what, became.status, record.status)
        if became.into is not None:
            survivor = last.get(record.merged_into or "")
            members = frozenset[str]() if survivor is None else _members({"tenant": survivor.tenant, "identifiers": survivor.identifiers})
            if not self._keys(became.into) <= members:
                yield f"{what}: expected it to be carried on by {_named(became.into)}, found {_shown([members])}"


def _members(row: Row) -> Group:
    return frozenset(identifier_key(row["tenant"], one["kind"], one["value"]) for one in row["identifiers"])


def _differ(what: str, expected: Any, found: Any) -> Iterable[str]:
    found = dict(sorted(found.items())) if isinstance(found, dict) else found
    if expected != found:
        yield f"{what}: expected {_plain(expected)}, found {_plain(found)}"


def _unlike(what: str, expected: Counter[Group], found: Counter[Group]) -> Iterable[str]:
    if missing := expected - found:
        yield f"{what}: expected, but not found: {_shown(missing.elements())}"
    if extra := found - expected:
        yield f"{what}: found, but not expected: {_shown(extra.elements())}"


def _unlike_moments(what: str, expected: Sequence[str], found: Sequence[Row]) -> Iterable[str]:
    is_channel_told = any(", on " in text for text in expected)
    wanted = [normal_text(text) for text in expected]
    there = [moment_text(row, is_channel_told=is_channel_told, corrects=row.get("corrects")) for row in found]
    if wanted != there:
        marks = ["  " if text in there else "- " for text in wanted], ["  " if text in wanted else "+ " for text in there]
        lists = (["".join(pair) for pair in zip(some, texts, strict=True)] for some, texts in zip(marks, (wanted, there), strict=True))
        expected_lines, found_lines = ("\n      ".join(lines) or "  none" for lines in lists)
        yield f"{what}: expected\n      {expected_lines}\n    found\n      {found_lines}"


def _named(written: Mapping[str, Any]) -> str:
    return ", ".join(f"{kind}:{value}" for kind, value in written.items())


def _shown(groups: Iterable[Group]) -> str:
    texts = sorted("{" + ", ".join(sorted(key.removeprefix(f"{DEFAULT_TENANT}/") for key in group)) + "}" for group in groups)
    more = f" and {len(texts) - MOST_SHOWN} more" if len(texts) > MOST_SHOWN else ""
    return (", ".join(texts[:MOST_SHOWN]) or "none") + more


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else str(value)

"""One attribute of a golden record against what a story expects of it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from touchstone.scenario.model import Survived
from touchstone.scenario.times import FIRST_DAY_MS, time_ms, time_text


def golden_failures(name: str, survived: Survived, row: Mapping[str, Any] | None) -> Iterable[str]:
    """Everything that is not as expected, in words that show both."""
    if row is None:
        yield f"golden: {name}: expected {json.dumps(survived.value)}, found no such attribute"
        return
    found = _found(row)
    for field in survived.model_fields_set:
        expected = getattr(survived, field)
        if field == "at":
            expected = time_text(time_ms(expected, FIRST_DAY_MS))
        if field == "lost":
            mine = [{key: one.get(key) for key in wanted} for one, wanted in zip(found["lost"], expected, strict=False)]
            is_met = mine == expected and len(found["lost"]) == len(expected)
        else:
            is_met = found[field] == expected
        if not is_met:
            yield f"golden: {name}: {field}: expected {_plain(expected)}, found {_plain(found[field])}"


def _found(row: Mapping[str, Any]) -> dict[str, Any]:
    told = {field: row[field] for field in ("source", "channel", "touchpoint", "rule")}
    lost = [
        {**one, "value": json.loads(one["value"]), "at": time_text(time_ms(one["occurred_at"], FIRST_DAY_MS))}
        for one in row["alternatives"]
    ]
    return {
        **told,
        "value": json.loads(row["value"]),
        "at": time_text(time_ms(row["occurred_at"], FIRST_DAY_MS)),
        "lost": lost,
        "periods": [_period(one) for one in row["periods"]],
    }


def _period(one: Mapping[str, Any]) -> str:
    value = json.loads(one["value"])
    ends = "" if one["valid_to"] is None else " " + time_text(time_ms(one["valid_to"], FIRST_DAY_MS))
    said = value if isinstance(value, str) else json.dumps(value)
    return f"{said} {time_text(time_ms(one['valid_from'], FIRST_DAY_MS))} ->{ends}"


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)

"""The reference page of the contracts, made from the schemas: `python -m touchstone.contracts.reference`."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from touchstone.bundle import SCHEMAS
from touchstone.contracts.reasons import IGNORED, REASONS
from touchstone.contracts.registry import Schema, bundled_schemas

_INTRODUCTION = """\
# Contracts

What Touchstone reads and says on Kafka. This page is generated from `schemas/` by `python -m touchstone.contracts.reference`; a test fails
when it is stale.

* **Input**: `Touchpoint`, per channel as JSON or as Avro. JSON has the same field names; there `identifiers` may be a map
  `{kind: value or list of values}` too, `attributes` is another word for `properties`, times are ISO 8601 with a zone or milliseconds since
  the epoch, numbers may stand for identifiers, and `received_at` and `sent_at` may also stand among the properties. Unknown fields are ignored.
  A record may carry `received_at` in a header instead, `touchstone_received_at`, in milliseconds since the epoch as decimal text
  (`touchstone produce` does); what the touchpoint says itself goes first, and without either the time of the Kafka record counts.
* **Commands** of stewards: `Command`, as JSON or Avro, whichever it is; in JSON `identifiers` and `others` may be maps and times texts as in a
  touchpoint. docs/identity.md says what they mean.
* **Output**: Avro. The value is a zero byte, the schema id in four bytes, and the record (Confluent wire format); the headers are those of
  CloudEvents 1.0 in Kafka's binary mode (`ce_specversion`, `ce_id`, `ce_source`, `ce_type`, `ce_time`, `content-type: application/avro`).
* The command line shows the same records as JSON, with times as ISO 8601 in UTC. Bytes of a dead letter that are no UTF-8 are shown as base64
  under the field's name with `_base64` behind it.
* Closed lists are enums. A reader that meets a word of a newer list sees `UNKNOWN`.
* A newer touchpoint schema reads everything older (BACKWARD_TRANSITIVE); output schemas read each other in both directions
  (FULL_TRANSITIVE). Checked against `schemas/released/`.
"""


def reference() -> str:
    """The page as Markdown."""
    parts = [_INTRODUCTION]
    bundle = bundled_schemas()
    parts += [_record_type(bundle.current(name)) for name in dict.fromkeys(schema.name for schema in bundle.all())]
    parts += [
        "## Why a record becomes a dead letter\n\n"
        + _table(("reason", "meaning"), ((f"`{code}`", text) for code, text in REASONS.items())),
        "## Why an identifier is ignored\n\nCounted, and never a dead letter by itself.\n\n"
        + _table(("reason", "meaning"), ((f"`{code}`", text) for code, text in IGNORED.items())),
    ]
    return "\n".join(parts)


def _record_type(schema: Schema) -> str:
    file = next(path for path in sorted(SCHEMAS.glob("*.avsc")) if json.loads(path.read_text(encoding="utf-8")) == schema.document)
    example = (SCHEMAS / "examples" / f"{file.stem}.json").read_text(encoding="utf-8").strip()
    rows = ((f"`{name}`", kind, default, doc) for name, kind, default, doc in _fields(schema.document, ""))
    return (
        f"## {schema.name}\n\n{schema.document['doc']}\n\nSchema: `schemas/{file.name}`, id {schema.id} in the bundle.\n\n"
        + _table(("field", "type", "default", "meaning"), rows)
        + f"\n```json\n{example}\n```\n"
    )


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _fields(record: dict[str, Any], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    for field in record["fields"]:
        default = f"`{json.dumps(field['default'])}`" if "default" in field else ""
        yield prefix + field["name"], _type_name(field["type"]), default, field["doc"]
        items = field["type"].get("items") if isinstance(field["type"], dict) else None
        if isinstance(items, dict) and items["type"] == "record":
            yield from _fields(items, f"{prefix}{field['name']}[].")


def _type_name(kind: Any) -> str:
    if isinstance(kind, list):
        rest = [_type_name(one) for one in kind if one != "null"]
        return " or ".join(rest) + (" or null" if "null" in kind else "")
    if isinstance(kind, str):
        return kind
    match kind["type"]:
        case "enum":
            return f"{kind['name']}: {', '.join(kind['symbols'])}"
        case "array":
            return f"list of {_grouped(kind['items'])}"
        case "map":
            return f"map of {_grouped(kind['values'])}"
        case "record":
            return f"`{kind['name']}`"
        case _:
            return str(kind.get("logicalType", kind["type"]))


def _grouped(kind: Any) -> str:
    return f"({_type_name(kind)})" if isinstance(kind, list) else _type_name(kind)


if __name__ == "__main__":
    sys.stdout.write(reference())

"""What an author needs beside the editor, made from the model: the JSON Schema, and the reference page.

`touchstone validate --schema > schemas/topology.schema.json`
`python -m touchstone.topology.reference > docs/reference/topology.md`
"""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from touchstone.topology.model import WrittenTopology

_INTRODUCTION = """\
# topology.yaml

Every key of a topology, with its meaning, unit and default. This page is generated from `topology/model.py` by
`python -m touchstone.topology.reference`; a test fails when it is stale. `touchstone validate FILE` checks a file and names all of its
faults with line and column; `touchstone validate --schema` prints the JSON Schema that gives your editor completion and checks, and which
lies in `schemas/topology.schema.json`.

* A **duration** is a whole number with a unit: `ms`, `s`, `m`, `h`, `d`, `w` (`48h`). A **size** has `KiB` or `MiB` (`64KiB`). Numbers without a
  unit are refused.
* The **names** of channels, identifiers, journeys, phases, rules and outputs begin with a letter; letters, digits, `_` and `-` follow, at most 64.
  Types of touchpoints and aliases are the producers' own words: one line of text, at most 128 characters.
* Where a list of words is expected in a rule or output, one word may stand alone: `type: search` is `type: [search]`.
* Unknown and duplicate keys, undefined references, colliding aliases, unreachable phases and windows longer than `retention` are faults.
  So are tags, merge keys (`<<`), more than one document, and aliases that multiply beyond 100,000 values; a file has at most 1 MiB.
"""


def json_schema(model: type[BaseModel] = WrittenTopology, title: str = "Touchstone topology") -> str:
    """The JSON Schema of a topology, or of another document, as text."""
    return json.dumps(_schema(model, title), indent=2, ensure_ascii=False) + "\n"


def _schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **_tidy(model.model_json_schema(by_alias=True))}


def _tidy(part: Any) -> Any:
    """What pydantic makes, as an author would want it: no titles, no null, no defaults of whole parts, no names beside the pattern."""
    if isinstance(part, list):
        return [_tidy(one) for one in part]
    if not isinstance(part, dict):
        return part
    choices = list(_choices(part))
    if "anyOf" in part and len(choices) == 1:
        part = {**{key: value for key, value in part.items() if key != "anyOf"}, **choices[0]}
    tidied: dict[str, Any] = {}
    for key, value in part.items():
        if key == "properties":
            tidied[key] = {name: _tidy(field) for name, field in value.items()}
        elif key == "anyOf":
            tidied[key] = _tidy(choices)
        elif key == "default" and isinstance(value, dict):
            tidied[key] = {}
        elif not (key == "title" or (key == "default" and value is None)):
            tidied[key] = _tidy(value)
    if "patternProperties" in tidied:
        tidied["additionalProperties"] = False
    return tidied


def _choices(part: Mapping[str, Any]) -> Iterator[Any]:
    for choice in part.get("anyOf", ()):
        if "anyOf" in choice:
            yield from _choices(choice)
        elif choice != {"type": "null"}:
            yield choice


def reference(model: type[BaseModel] = WrittenTopology, introduction: str = _INTRODUCTION) -> str:
    """The reference page, as Markdown."""
    schema = _schema(model, "")
    lines = [introduction]
    for path, part in _sections(schema, schema["$defs"]):
        lines += [f"## {f'`{path}`' if path else 'The file'}", "", " ".join(str(part["description"]).split()), ""]
        lines += ["| key | meaning | value | default |", "|---|---|---|---|"]
        required = part.get("required", [])
        for key, field in part["properties"].items():
            default = "**required**" if key in required else _default(field)
            meaning = field.get("description") or schema["$defs"][next(_references(field))[1]]["description"]
            lines.append(f"| `{key}` | {meaning} | {_value(field)} | {default} |")
        lines.append("")
    return "\n".join(lines)


def _sections(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects of the file, each after the one that holds it; what is the same in two places is shown once."""
    waiting, shown = [("", schema)], set[str]()
    while waiting:
        path, part = waiting.pop(0)
        yield path, part
        below = []
        for key, field in part["properties"].items():
            for suffix, name in _references(field):
                if name not in shown:
                    shown.add(name)
                    below.append((f"{path}.{key}{suffix}".removeprefix("."), definitions[name]))
        waiting = below + waiting


def _references(field: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "$ref" in field:
        yield "", field["$ref"].rsplit("/", 1)[-1]
    for choice in field.get("anyOf", ()):
        yield from _references(choice)
    inside = [(".<name>", one) for one in field.get("patternProperties", {}).values()]
    inside += [("[]", field["items"])] if "items" in field else []
    for suffix, one in inside:
        yield from ((suffix + more, name) for more, name in _references(one))


def _value(field: Mapping[str, Any]) -> str:
    unit = field.get("x-unit")
    if unit in {"duration", "size"}:
        return str(unit)
    text = ", or ".join(dict.fromkeys(_kind(choice) for choice in field.get("anyOf", [field])))
    return f"{text} ({unit})" if unit else text


def _kind(field: Mapping[str, Any]) -> str:
    kind = field.get("type")
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_kind(choice) for choice in field["anyOf"]))
    if "enum" in field:
        return ", ".join(f"`{word}`" for word in field["enum"])
    if kind == "integer":
        return f"{field['minimum']:,} to {field['maximum']:,}"
    if kind == "array":
        return f"list of {_kind(field['items'])}"
    if kind == "object" or "$ref" in field:
        words = [one for one in field.get("patternProperties", {}).values() if "enum" in one]
        return f"mapping by name of {_kind(words[0])}" if words else "mapping by name" if "patternProperties" in field else "mapping"
    if isinstance(kind, list):
        return ", ".join(_kind({"type": one}) for one in kind)
    return {"string": "text", "boolean": "`true`, `false`"}.get(str(kind), str(kind))


def _default(field: Mapping[str, Any]) -> str:
    if "default" not in field:
        return "none"
    default = field["default"]
    return "see below" if "$ref" in field else f"`{default if isinstance(default, str) else json.dumps(default, ensure_ascii=False)}`"


if __name__ == "__main__":
    sys.stdout.write(reference())

"""The generated files: they are what the model says now."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from touchstone.topology.document import read
from touchstone.topology.load import default_topology_path, load_text
from touchstone.topology.reference import json_schema, reference
from touchstone.topology.words import Written

ROOT = Path(__file__).parents[3]


def parts() -> list[type[Written]]:
    """Every class of the model."""
    waiting, found = [Written], list[type[Written]]()
    while waiting:
        children = waiting.pop().__subclasses__()
        found += children
        waiting += children
    return found


def test_the_json_schema_is_fresh() -> None:
    """Run `touchstone validate --schema > schemas/topology.schema.json` after a change of the model."""
    assert (ROOT / "schemas" / "topology.schema.json").read_text(encoding="utf-8") == json_schema()


def test_the_reference_page_is_fresh() -> None:
    """Run `python -m touchstone.topology.reference > docs/reference/topology.md` after a change of the model."""
    assert (ROOT / "docs" / "reference" / "topology.md").read_text(encoding="utf-8") == reference()


@pytest.mark.parametrize("part", parts(), ids=lambda part: part.__name__)
def test_every_key_has_a_description_and_every_number_a_unit(part: type[Written]) -> None:
    """Nothing in a topology is left to be guessed."""
    schema = part.model_json_schema(by_alias=True)["properties"]

    for name, field in part.model_fields.items():
        assert field.description, name
        numeric = "integer" in json.dumps(schema[field.alias or name])
        assert not numeric or "x-unit" in schema[field.alias or name], name


def test_every_key_stands_on_the_reference_page() -> None:
    """The page names each key of each part."""
    page = reference()

    for part in parts():
        for name, field in part.model_fields.items():
            assert f"| `{field.alias or name}` | " in page


def test_the_shipped_topology_follows_the_json_schema() -> None:
    """An editor that knows the schema finds nothing to complain about in the file that everybody starts from."""
    root, faults = read(default_topology_path().read_text(encoding="utf-8"), "topology.yaml")
    schema = json.loads(json_schema())
    assert root is not None
    assert not faults

    assert list(violations(root.plain(), schema, schema["$defs"])) == []


def test_the_json_schema_refuses_what_the_model_refuses() -> None:
    """An unknown key, a bare number as a duration and a wrong word are seen in the editor already."""
    schema = json.loads(json_schema())
    wrong = {"version": 1, "name": "x", "channels": {"web": {"media": "own"}}, "identifiers": {}, "lateness": 48, "nme": 1}

    assert list(violations(wrong, schema, schema["$defs"])) == ["channels.web.media", "lateness", "nme"]


def test_the_defaults_of_the_page_are_those_of_the_engine() -> None:
    """Written out, the defaults change nothing."""
    page = dict(
        re.findall(
            r"^\| `(\w+)` \| .* \| (?:duration|`wall`, `event`|1 to 10,000 \(partitions\)) \| `(\w+)` \|$", reference(), re.MULTILINE
        )
    )
    minimal = "version: 1\nname: x\nchannels: {a: {}}\nidentifiers: {b: {}}\n"

    assert set(page) == {"lateness", "retention", "moments_retention", "skew", "clock", "partitions"}
    assert load_text(minimal + "\n".join(f"{key}: {value}" for key, value in page.items()), "t") == load_text(minimal, "t")


def violations(value: Any, schema: dict[str, Any], definitions: dict[str, Any], path: str = "") -> list[str]:
    """The paths that break the part of JSON Schema that ours uses."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rsplit("/", 1)[-1]]
    if "anyOf" in schema:
        tried = [violations(value, choice, definitions, path) for choice in schema["anyOf"]]
        return min(tried, key=len)
    if not _fits(value, schema):
        return [path]
    found: list[str] = []
    if isinstance(value, dict):
        for key, inner in value.items():
            here = f"{path}.{key}".removeprefix(".")
            below = schema.get("properties", {}).get(key) or next(
                (one for pattern, one in schema.get("patternProperties", {}).items() if re.search(pattern, key)), None
            )
            found += [here] if below is None else violations(inner, below, definitions, here)
        found += [f"{path}.{key}" for key in schema.get("required", ()) if key not in value]
    if isinstance(value, list):
        for n, inner in enumerate(value):
            found += violations(inner, schema["items"], definitions, f"{path}[{n}]")
    return sorted(found)


def _fits(value: Any, schema: dict[str, Any]) -> bool:
    kinds = schema.get("type")
    types: dict[Any, Any] = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}
    named = kinds if isinstance(kinds, list) else [kinds]
    if not any(isinstance(value, types[kind]) and (kind == "boolean" or not isinstance(value, bool)) for kind in named):
        return False
    if isinstance(value, str):
        return ("enum" not in schema or value in schema["enum"]) and re.search(schema.get("pattern", ""), value) is not None
    return not isinstance(value, int) or schema.get("minimum", value) <= value <= schema.get("maximum", value)

"""Where schemas come from: by the id inside a record, and by the name of the record type."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from fastavro import parse_schema

from touchstone.bundle import SCHEMAS
from touchstone.errors import InvariantBroken


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """A schema that records refer to by `id`. `parsed` is what fastavro reads and writes with.

    `parsed` has no logical types: they change nothing on the wire, and times stay integers (a datetime per field would double the cost).
    """

    id: int
    name: str
    document: dict[str, Any]
    parsed: Any


class SchemaSource(Protocol):
    """Anything that knows schemas: the bundle, or a schema registry (registered.py)."""

    def by_id(self, schema_id: int) -> Schema | None:
        """The schema that a record was written with, or None where the id is not known."""
        ...

    def current(self, name: str) -> Schema:
        """The schema that we write a record type (Moment, Customer) with, and read it as."""
        ...

    def id_of(self, name: str) -> int:
        """The id that records say which we write with that schema."""
        ...


class BundledSchemas:
    """The schemas of the bundle, under the fixed ids of `schemas/ids.json`; of several for one record type the highest id is current."""

    def __init__(self, folder: Path = SCHEMAS) -> None:
        files = json.loads((folder / "ids.json").read_text(encoding="utf-8"))
        self._by_id = {int(number): _load(int(number), folder / file) for number, file in files.items()}
        self._current = {schema.name: schema for _, schema in sorted(self._by_id.items())}

    def by_id(self, schema_id: int) -> Schema | None:
        """The schema of that id, or None."""
        return self._by_id.get(schema_id)

    def current(self, name: str) -> Schema:
        """The newest schema of a record type.

        Raises:
            InvariantBroken: the bundle has none of that name.
        """
        if name not in self._current:
            raise InvariantBroken(f"expected a schema for {name} in the bundle, found {', '.join(sorted(self._current))}")
        return self._current[name]

    def id_of(self, name: str) -> int:
        """The fixed id of a record type's newest schema."""
        return self.current(name).id

    def named(self, name: str) -> Schema | None:
        """The newest schema of a record type, or None where it is none of ours."""
        return self._current.get(name)

    def all(self) -> list[Schema]:
        """Every schema, in the order of the ids."""
        return list(self._by_id.values())


@cache
def bundled_schemas() -> BundledSchemas:
    """The bundle that ships with this version, read once."""
    return BundledSchemas()


def _load(number: int, path: Path) -> Schema:
    document = json.loads(path.read_text(encoding="utf-8"))
    return Schema(number, document["name"], document, parse_schema(without_logical_types(document)))


def without_logical_types(node: Any) -> Any:
    """The same schema with times as plain integers."""
    if isinstance(node, dict):
        plain = {key: without_logical_types(value) for key, value in node.items() if key != "logicalType"}
        return plain["type"] if "logicalType" in node and len(plain) == 1 else plain
    if isinstance(node, list):
        return [without_logical_types(item) for item in node]
    return node

"""Whether a new version of a schema may replace what is released: Avro's own rules, with the field named that breaks them.

The judgement is that of Apache's `avro`, field by field; what is added here is the words.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType, lookup_writer_field
from avro.schema import ArraySchema, Field, MapSchema, RecordSchema, Schema, UnionSchema, parse

Level = Literal["BACKWARD_TRANSITIVE", "FULL_TRANSITIVE"]

_OUTPUTS: Level = "FULL_TRANSITIVE"
LEVELS: Final[Mapping[str, Level]] = MappingProxyType(
    {
        "Touchpoint": "BACKWARD_TRANSITIVE",  # we read what any producer ever wrote
        "Moment": _OUTPUTS,  # others read what we write, old readers new records and new readers old ones
        "Customer": _OUTPUTS,
        "IdentityChange": _OUTPUTS,
        "Review": _OUTPUTS,
        "DeadLetter": _OUTPUTS,
        "Command": "BACKWARD_TRANSITIVE",
    }
)
"""Record type -> the level that its subjects have."""


class Version(NamedTuple):
    """A schema and what to call it in a sentence."""

    label: str
    document: Mapping[str, Any]


def breaks(record: str, new: Mapping[str, Any], older: Iterable[Version]) -> list[str]:
    """What a new version of a record type breaks, each in a sentence that names the field; empty when it breaks nothing."""
    found: list[str] = []
    present = Version("this version", new)
    for old in older:
        found += unreadable(present, old)
        if LEVELS[record] == "FULL_TRANSITIVE":
            found += unreadable(old, present)
    return found


def unreadable(reader: Version, writer: Version) -> list[str]:
    """Why whoever reads with one schema cannot read all that was written with the other."""
    read, written = (parse(json.dumps(version.document)) for version in (reader, writer))
    if _reads(read, written):
        return []
    name = str(reader.document.get("name"))
    why = list(_reasons(read, written, name, reader.label, writer.label))
    return [f"{sentence}: {reader.label} cannot read records of {writer.label}" for sentence in why]


def _reads(reader: Schema, writer: Schema) -> bool:
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # its constructor alone has no types
    return checker.get_compatibility(reader, writer).compatibility is SchemaCompatibilityType.compatible


def _reasons(reader: Schema, writer: Schema, path: str, reads: str, writes: str) -> Iterator[str]:
    """Go down to the fields that cannot be read."""
    if isinstance(reader, RecordSchema) and isinstance(writer, RecordSchema):
        yield from _fields(reader, writer, path, reads, writes)
    elif isinstance(reader, ArraySchema) and isinstance(writer, ArraySchema):
        yield from _reasons(reader.items, writer.items, f"{path}[]", reads, writes)
    elif isinstance(reader, MapSchema) and isinstance(writer, MapSchema):
        yield from _reasons(reader.values, writer.values, f"{path}{{}}", reads, writes)
    else:
        yield f"{path} is {_shown(reader)} in {reads} and {_shown(writer)} in {writes}"


def _fields(reader: RecordSchema, writer: RecordSchema, path: str, reads: str, writes: str) -> Iterator[str]:
    is_explained = False
    for field in reader.fields:
        written: Field | None = lookup_writer_field(writer, field)
        if written is None:
            if not field.has_default:
                is_explained = True
                yield f"{path}.{field.name} has no default in {reads} and is missing in {writes}"
        elif not _reads(field.type, written.type):
            is_explained = True
            yield from _reasons(field.type, written.type, f"{path}.{field.name}", reads, writes)
    if not is_explained:
        yield f"{path} is called {reader.fullname} in {reads} and {writer.fullname} in {writes}"


def _shown(schema: Schema) -> str:
    if isinstance(schema, UnionSchema):
        return " or ".join(map(_shown, schema.schemas))
    if symbols := getattr(schema, "symbols", None):
        return f"one of {', '.join(symbols)}"
    return str(getattr(schema, "fullname", None) or schema.type)

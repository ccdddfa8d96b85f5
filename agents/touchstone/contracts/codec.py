"""Confluent wire format: a zero byte, the schema id in four bytes, Avro."""

import os
from collections.abc import Iterable, Mapping
from functools import cache
from io import BytesIO
from struct import Struct as Layout
from typing import Any

import msgspec
from fastavro import schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError

from touchstone.contracts import binary, reasons
from touchstone.contracts.numbers import has_large_number
from touchstone.contracts.registered import RegisteredSchemas
from touchstone.contracts.registry import Schema, SchemaSource, bundled_schemas
from touchstone.contracts.registry_client import URL, configured_client
from touchstone.contracts.times import milliseconds
from touchstone.errors import InvariantBroken, RecordRejected
from touchstone.model.command import Command
from touchstone.model.output import Customer, DeadLetter, IdentityChange, Moment, Review

OutputRecord = Moment | Customer | IdentityChange | Review | DeadLetter

_PREFIX = Layout(">bI")
_UNREADABLE = (EOFError, ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError, RecursionError)
"""What reading bytes that are not what the schema says may raise. Seen of fastavro: EOFError, UnicodeDecodeError, IndexError; the others
are caught as well, because a worker must never end by what a record holds."""
_STRUCTS: dict[str, type[OutputRecord]] = {
    "Moment": Moment,
    "Customer": Customer,
    "IdentityChange": IdentityChange,
    "Review": Review,
    "DeadLetter": DeadLetter,
}


class Codec:
    """Records to bytes and back, with the schemas of a source. All structs have the field names of their schema."""

    def __init__(self, schemas: SchemaSource) -> None:
        self._schemas = schemas
        self._prefixes = _Prefixes(schemas)

    def encode_moment(self, moment: Moment) -> bytes:
        """The value of a record of a moments topic."""
        return self._prefixes["Moment"] + binary.moment(moment)

    def encode_customer(self, customer: Customer) -> bytes:
        """The value of a record of the customers topic."""
        return self._prefixes["Customer"] + binary.customer(customer)

    def encode_identity_change(self, change: IdentityChange) -> bytes:
        """The value of a record of the identities topic."""
        return self._write("IdentityChange", msgspec.structs.asdict(change))

    def encode_review(self, review: Review) -> bytes:
        """The value of a record of the reviews topic."""
        return self._write("Review", msgspec.structs.asdict(review))

    def encode_dead_letter(self, letter: DeadLetter) -> bytes:
        """The value of a record of the dead letters topic."""
        headers = [{"name": name, "value": value} for name, value in letter.headers]
        return self._write("DeadLetter", msgspec.structs.asdict(letter) | {"headers": headers})

    def encode_touchpoint(self, stated: Mapping[str, Any]) -> bytes:
        """A touchpoint in its JSON form (identifiers as map or list, times as text or number) as a producer writes it in Avro.

        Raises:
            RecordRejected: it is no touchpoint (invalid_field); nothing is checked beyond what Avro can say.
        """
        try:
            return self._write("Touchpoint", _touchpoint_in_avro(stated))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, InvariantBroken) as error:
            raise RecordRejected(reasons.INVALID_FIELD, f"expected a touchpoint to encode as Avro, found {type(error).__name__}") from None

    def encode_command(self, command: Command) -> bytes:
        """The value of a record of the commands topic."""
        return self._write("Command", msgspec.structs.asdict(command))

    def restamped(self, touchpoint: bytes, written_by: "Codec") -> bytes:
        """A touchpoint as this codec would have written it: the same but for the id. Bytes that are none stay as they are."""
        theirs = written_by._prefixes["Touchpoint"]  # noqa: SLF001  # another of our kind
        return self._prefixes["Touchpoint"] + touchpoint[len(theirs) :] if touchpoint.startswith(theirs) else touchpoint

    def decode(self, value: bytes) -> tuple[str, dict[str, Any]]:
        """The name of the record type and its fields; times are milliseconds.

        Raises:
            RecordRejected: not the wire format or not what its schema says (invalid_avro), or an unknown id (unknown_schema).
        """
        if len(value) < _PREFIX.size or value[0] != 0:
            raise RecordRejected(reasons.INVALID_AVRO, "expected a zero byte and a schema id of four bytes, found something else")
        _, number = _PREFIX.unpack_from(value)
        schema = self._schemas.by_id(number)
        if schema is None:
            raise RecordRejected(reasons.UNKNOWN_SCHEMA, f"expected the id of a known schema, found {number}")
        return schema.name, self._read(schema, value)

    def decode_record(self, value: bytes) -> OutputRecord:
        """The same as a struct of model/output.py.

        Raises:
            RecordRejected: as for `decode`; or it is a record type of the input (unknown_schema).
        """
        name, fields = self.decode(value)
        if name not in _STRUCTS:
            raise RecordRejected(reasons.UNKNOWN_SCHEMA, f"expected an output record, found a {name}")
        if name == "DeadLetter":
            fields["headers"] = [(header["name"], header["value"]) for header in fields["headers"]]
        return msgspec.convert(fields, _STRUCTS[name])

    def _write(self, name: str, fields: Mapping[str, Any]) -> bytes:
        buffer = BytesIO()
        buffer.write(self._prefixes[name])
        try:
            schemaless_writer(buffer, self._schemas.current(name).parsed, fields)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise InvariantBroken(
                f"expected a {name} as its schema says, found one that cannot be written: {type(error).__name__}"
            ) from error
        return buffer.getvalue()

    def _read(self, schema: Schema, value: bytes) -> dict[str, Any]:
        buffer = BytesIO(value)
        buffer.seek(_PREFIX.size)
        current = self._schemas.current(schema.name)
        try:
            fields = schemaless_reader(buffer, schema.parsed, None if current.parsed is schema.parsed else current.parsed)
        except SchemaResolutionError:
            raise RecordRejected(
                reasons.INVALID_AVRO,
                f"expected schema {schema.id} to be one that a {schema.name} of this version can be read from, found another",
            ) from None
        except _UNREADABLE:
            raise RecordRejected(
                reasons.INVALID_AVRO, f"expected a {schema.name} in Avro (schema {schema.id}), found other bytes"
            ) from None
        if buffer.tell() != len(value) or not isinstance(fields, dict):
            raise RecordRejected(
                reasons.INVALID_AVRO, f"expected the record to end with the {schema.name}, found {len(value) - buffer.tell()} bytes more"
            )
        if has_large_number(value, _PREFIX.size, schema.parsed):
            raise RecordRejected(reasons.INVALID_AVRO, f"expected a {schema.name} with numbers of at most 64 bits, found a larger one")
        return fields


class _Prefixes(dict[str, bytes]):
    """Record type -> the first five bytes of its records; asked for at the first one."""

    def __init__(self, schemas: SchemaSource) -> None:
        super().__init__()
        self._schemas = schemas

    def __missing__(self, name: str) -> bytes:
        self[name] = prefix = _PREFIX.pack(0, self._schemas.id_of(name))
        return prefix


def ids_in(values: Iterable[bytes | None]) -> set[int]:
    """The schema ids that these values name, of those that have the form of the wire."""
    found = {value[:5] for value in values if value is not None and len(value) > 4 and value[0] == 0}
    return {_PREFIX.unpack(prefix)[1] for prefix in found}


@cache
def bundled_codec() -> Codec:
    """The codec with the schemas that ship with this version."""
    return Codec(bundled_schemas())


def reading_codec() -> Codec:
    """The codec for reading outputs where this process is: with the ids of the registry that the environment names, else of the bundle.

    Raises:
        UsageError: it names a registry wrongly.
    """
    return _registered_codec(os.environ[URL]) if os.environ.get(URL) else bundled_codec()


def writing_codec(subjects: Mapping[str, str]) -> Codec:
    """The same for who also writes: `subjects` says under which subject each record type is registered.

    Raises:
        UsageError: the environment names a registry wrongly.
    """
    client = configured_client()
    return bundled_codec() if client is None else Codec(RegisteredSchemas(client, subjects))


@cache
def _registered_codec(_url: str) -> Codec:
    client = configured_client()
    return bundled_codec() if client is None else Codec(RegisteredSchemas(client))


def _touchpoint_in_avro(stated: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in stated.items() if value is not None}
    fields["event_id"] = str(fields["event_id"])
    for name in ("occurred_at", "sent_at", "received_at"):
        if name in fields:
            fields[name] = milliseconds(fields[name])
    given = fields["identifiers"]
    fields["identifiers"] = (
        [
            {"kind": kind, "value": str(value)}
            for kind, values in given.items()
            for value in (values if isinstance(values, list) else [values])
        ]
        if isinstance(given, Mapping)
        else [{"kind": item["kind"], "value": str(item["value"])} for item in given]
    )
    fields["properties"] = {**fields.pop("attributes", {}), **fields.get("properties", {})}
    for name in ("profile", "context", "properties"):
        fields[name] = {key: _flat(value) for key, value in fields.get(name, {}).items()}
    if "sentiment" in fields:
        fields["sentiment"] = float(fields["sentiment"])
    return fields


def _flat(value: Any) -> Any:
    """A scalar as it is; of a list or map what is nested deeper as JSON text."""
    if isinstance(value, list):
        return [_scalar(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _scalar(item) for key, item in value.items()}
    return value


def _scalar(value: Any) -> Any:
    return msgspec.json.encode(value).decode() if isinstance(value, list | Mapping) else value

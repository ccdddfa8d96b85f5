"""Schemas whose ids come from a schema registry."""

import json
import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any

from fastavro import parse_schema
from fastavro.schema import SchemaParseException, UnknownType, to_parsing_canonical_form

from touchstone.contracts import reasons
from touchstone.contracts.registry import BundledSchemas, Schema, bundled_schemas, without_logical_types
from touchstone.contracts.registry_client import RegistryClient
from touchstone.errors import InvariantBroken, RecordRejected, UsageError

log = logging.getLogger(__name__)

_UNKNOWN_FOR_S = 30.0
"""So long an id that the registry does not know is not asked for again: a producer registers before it writes, but a copy may lag behind."""
_UNKNOWN_AT_MOST = 1_000


class RegisteredSchemas:
    """Ids are the registry's, for reading and writing; what records are read *as* are the schemas of the bundle.

    Args:
        client: the registry.
        subjects: record type -> the subject under which it is registered, for those who write.
        bundle: the schemas of this version.
    """

    def __init__(self, client: RegistryClient, subjects: Mapping[str, str] | None = None, bundle: BundledSchemas | None = None) -> None:
        self._client = client
        self._subjects = dict(subjects or {})
        self._bundle = bundle or bundled_schemas()
        self._known: dict[int, Schema | str] = {}
        self._unknown: dict[int, float] = {}
        self._written: dict[str, int] = {}

    def by_id(self, schema_id: int) -> Schema | None:
        """The schema of that id, asked for once; None where the registry has none.

        Raises:
            RecordRejected: there is one, but nothing that a record could be read with.
            Retriable: the registry cannot be asked.
        """
        if schema_id not in self._known and not self._is_unknown(schema_id):
            self.fetch(schema_id)
        found = self._known.get(schema_id)
        if isinstance(found, str):
            raise RecordRejected(
                reasons.UNKNOWN_SCHEMA, f"expected schema {schema_id} of the registry to be an Avro record of ours, found {found}"
            )
        return found

    def current(self, name: str) -> Schema:
        """The schema that records of this type are read as: the one of this version.

        Raises:
            InvariantBroken: there is no such record type.
        """
        return self._bundle.current(name)

    def id_of(self, name: str) -> int:
        """The id that this version's schema of a record type has in the registry; asked for once.

        Raises:
            UsageError: it is not registered.
            Retriable: the registry cannot be asked.
        """
        if name not in self._written:
            subject = self._subjects.get(name)
            if subject is None:
                raise InvariantBroken(f"expected a subject for {name}, found none: made for reading only")
            number = self._client.id_of(subject, json.dumps(self.current(name).document))
            if number is None:
                raise UsageError(
                    f"expected the {name} schema of this version under {subject} in the registry {self._client.url}, found none such; "
                    "see `touchstone schemas diff`, then run `touchstone schemas register`"
                )
            self._written[name] = number
        return self._written[name]

    def unfetched(self, ids: Iterable[int]) -> list[int]:
        """Those of the ids that nothing is known about yet."""
        return [number for number in dict.fromkeys(ids) if number not in self._known and not self._is_unknown(number)]

    def fetch(self, schema_id: int) -> None:
        """Ask the registry for a schema and keep what it answers.

        Raises:
            Retriable: it cannot be asked.
        """
        text = self._client.schema(schema_id)
        if text is None:
            if len(self._unknown) >= _UNKNOWN_AT_MOST:
                self._unknown.clear()
            self._unknown[schema_id] = time.monotonic() + _UNKNOWN_FOR_S
        else:
            self._known[schema_id] = self._schema(schema_id, text)

    def _is_unknown(self, schema_id: int) -> bool:
        return self._unknown.get(schema_id, 0.0) > time.monotonic()

    def _schema(self, schema_id: int, text: str) -> Schema | str:
        """The schema, or what is wrong with it. One that is ours in all that concerns the wire is read without resolution, which is quicker."""
        try:
            document = json.loads(text)
            if not isinstance(document, dict) or document.get("type") != "record":
                return "another type"
            name = str(document["name"]).rpartition(".")[2]
            parsed: Any = parse_schema(without_logical_types(document))
            ours = self._bundle.named(name)
            if ours is None:
                return f"a record of another name, {name}"
            if to_parsing_canonical_form(parsed) == to_parsing_canonical_form(ours.parsed):
                parsed = ours.parsed
        except (ValueError, KeyError, TypeError, RecursionError, SchemaParseException, UnknownType) as error:
            return f"one that cannot be parsed ({type(error).__name__})"
        log.info("schema %d of the registry is a %s%s", schema_id, name, "" if parsed is ours.parsed else " of another version")
        return Schema(schema_id, name, document, parsed)

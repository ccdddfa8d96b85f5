"""Avro numbers of more than 64 bits: fastavro reads them without a word, as another number."""

import re
from collections.abc import Mapping
from typing import Any

_SUSPECT = re.compile(rb"[\x80-\xff]{9}[\x02-\xff]")
"""Ten bytes that would be a number beyond 64 bits, or are part of a text: only then is the record walked."""


class TooLarge(Exception):
    """A number, length or count of more than 64 bits."""


def has_large_number(data: bytes, start: int, parsed: Any) -> bool:
    """Does a record that fastavro could read hold a number of more than 64 bits? `parsed` is its schema, `start` where it begins."""
    if _SUSPECT.search(data, start) is None:
        return False
    try:
        _Walk(data, start).over(parsed)
    except (TooLarge, IndexError):  # beyond the end: only behind a length that was read as another one
        return True
    return False


class _Walk:
    """One walk over a record by its schema."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._at = start
        self._named: dict[str, Any] = {}

    def over(self, schema: Any) -> None:
        """Step over a value of this type."""
        if isinstance(schema, list):
            self.over(schema[self._number()])
            return
        kind, document = (schema["type"], schema) if isinstance(schema, Mapping) else (schema, None)
        if document is not None and "name" in document:
            self._named[document["name"]] = document
        match kind:
            case "null":
                pass
            case "int" | "long" | "enum":
                self._number()
            case "boolean":
                self._at += 1
            case "float":
                self._at += 4
            case "double":
                self._at += 8
            case "fixed":
                self._at += schema["size"]
            case "string" | "bytes":
                length = self._number()  # which moves on as well
                self._at += length
            case "record":
                for field in schema["fields"]:
                    self.over(field["type"])
            case "array" | "map":
                self._blocks(kind, schema)
            case _:
                self.over(kind if document is not None and not isinstance(kind, str) else self._named[kind])

    def _blocks(self, kind: str, schema: Mapping[str, Any]) -> None:
        while (count := self._number()) != 0:
            if count < 0:  # followed by the size of the block
                count = -count
                self._number()
            for _ in range(count):
                before = self._at
                if kind == "map":
                    self.over("string")
                self.over(schema["items" if kind == "array" else "values"])
                if self._at == before:  # items of no size: nothing in them can be large
                    break

    def _number(self) -> int:
        z = shift = 0
        while True:
            byte = self._data[self._at]
            self._at += 1
            z |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift > 63:
                raise TooLarge
        if z >> 64:
            raise TooLarge
        return (z >> 1) ^ -(z & 1)

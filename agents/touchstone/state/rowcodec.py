"""Rows as bytes: which type the rows of a tag have, and what is wrong where one has not."""

from collections.abc import Mapping
from typing import Any

import msgspec

from touchstone.errors import InvariantBroken, StateUnusable


class RowCodec:
    """Encodes and decodes the rows of a store.

    Args:
        row_types: tag (first character of a row's name) -> type of its rows, anything that msgspec supports.
        path: where the bytes are, for messages.
    """

    def __init__(self, row_types: Mapping[str, Any], path: str) -> None:
        for tag in row_types:
            if len(tag) != 1:
                raise InvariantBroken(f"expected tags of one character, found {tag!r}")
        self._path = path
        self.heads = frozenset(tag for tag, kind in row_types.items() if getattr(kind, "IS_HEAD", False))
        """Rows without which their group has none: they are called by their tag alone, and their type says so (`IS_HEAD`)."""
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = {tag: msgspec.msgpack.Decoder(kind).decode for tag, kind in row_types.items()}
        self._structs = {tag: kind for tag, kind in row_types.items() if isinstance(kind, type) and issubclass(kind, msgspec.Struct)}

    def check(self, tag: str) -> None:
        """See that there are rows with this tag.

        Raises:
            InvariantBroken: there are none.
        """
        if tag not in self._decode:
            raise InvariantBroken(f"expected a row name that begins with one of {self._tags!r}, found {tag!r}")

    def encoded(self, tag: str, row: Any) -> bytes:
        """The bytes of a row.

        Raises:
            InvariantBroken: it is not of its tag's type, or cannot be encoded.
        """
        expected = self._structs.get(tag)
        if expected is not None and type(row) is not expected:
            # Found now rather than after a restart, when the bytes in the changelog can no longer be decoded.
            raise InvariantBroken(f"expected {expected.__name__} in a row with tag {tag!r}, found {type(row).__name__}")
        try:
            return self._encode(row)
        except (TypeError, ValueError, msgspec.MsgspecError) as error:
            raise InvariantBroken(f"expected a row with tag {tag!r} that msgpack can hold, found {type(row).__name__}: {error}") from error

    def decoded(self, tag: str, raw: bytes) -> Any:
        """The row that the bytes stand for.

        Raises:
            StateUnusable: they stand for no row of this tag.
        """
        decode = self._decode.get(tag)
        if decode is None:
            raise StateUnusable(self._path, f"expected rows with a tag of {self._tags!r}, found {tag!r}")
        try:
            return decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            # Not the error's own text: it may quote a value.
            raise StateUnusable(self._path, f"a row with tag {tag!r} ({len(raw)} bytes) cannot be decoded as its type") from error

    @property
    def _tags(self) -> str:
        return "".join(sorted(self._decode))

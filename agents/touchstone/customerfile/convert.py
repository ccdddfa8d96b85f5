"""A row of a customer file -> the line of JSON that its touchpoint is, or why it is left out; pure.

The event id is a hash of the row's key and of everything the touchpoint says: the same row gives the same touchpoint however often it is
produced, and a row that changed gives another one (docs/decisions/0019-customer-files.md).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from touchstone.contracts.times import iso_text, milliseconds
from touchstone.customerfile.model import WrittenAttribute, WrittenConstantOrColumn, WrittenIdentifier, WrittenMapping
from touchstone.customerfile.source import Row
from touchstone.customerfile.values import Read, Time, Unreadable, event_time, part_of, reader_of, text_of, word_reader

_encode = msgspec.json.Encoder(order="deterministic").encode
_Cells = Mapping[str, Any]
T = TypeVar("T")


class RowRefused(Exception):
    """A row becomes no touchpoint: by which column, why (a code), and what was expected."""

    def __init__(self, column: str, reason: str, detail: str) -> None:
        self.column = column
        self.reason = reason
        super().__init__(detail)


class Converter:
    """Makes touchpoints of rows by one mapping. `left_out` is told of each attribute that could not be read and need not be."""

    def __init__(
        self, mapping: WrittenMapping, occurred_at: int | None = None, left_out: Callable[[str, str], None] = lambda _column, _reason: None
    ) -> None:
        self._mapping = mapping
        self._left_out = left_out
        self._empty = frozenset(word.strip().casefold() for word in mapping.empty)
        self._time = Time(mapping.occurred_at.format or (), ZoneInfo(mapping.occurred_at.zone))
        constant = mapping.occurred_at.constant if occurred_at is None else occurred_at
        self._at = None if constant is None else iso_text(milliseconds(constant))
        self._attributes = [(name, how, reader_of(how)) for name, how in mapping.profile.items()]
        self._consents = [(name, how, word_reader(how.granted, how.denied)) for name, how in mapping.consents.items()]

    def line(self, row: Row) -> bytes:
        """The touchpoint of a row.

        Raises:
            RowRefused: with the first reason found.
        """
        if row.fault:
            raise RowRefused("", "unreadable_row", row.fault)
        cells, mapping = row.cells, self._mapping
        key = [self._needed(cells, column, "row_key") for column in mapping.row_key or ()]
        said: dict[str, Any] = {
            "source": self._word(cells, mapping.source, "source"),
            "channel": self._word(cells, mapping.channel, "channel"),
        }
        said |= {"type": self._word(cells, mapping.type, "type"), "occurred_at": self._occurred_at(cells)}
        if mapping.tenant is not None:
            said["tenant"] = mapping.tenant
        said["identifiers"] = [
            {"kind": kind, "value": value}
            for kind, places in mapping.identifiers.items()
            for place in places
            for value in self._identifiers(cells, place)
        ]
        if not said["identifiers"]:
            columns = dict.fromkeys(place.column for places in mapping.identifiers.values() for place in places)
            raise RowRefused(", ".join(columns), "no_identifier", "expected at least one identifier, found none")
        said["profile"] = dict(self._profile(cells))
        said["consents"] = dict(self._consented(cells))
        name = blake2b(_encode([key, said]), digest_size=16).hexdigest()
        return _encode({"event_id": name, **said})

    def _cell(self, cells: _Cells, column: str) -> Any:
        """What a cell says; None where it says nothing."""
        cell = cells.get(column)
        if isinstance(cell, str):
            if cell.strip().casefold() in self._empty:
                return None
            if any("\ud800" <= letter <= "\udfff" for letter in cell) if not cell.isascii() else False:
                raise RowRefused(column, "wrong_encoding", "expected text in the file's encoding, found other bytes; say --encoding")
        return cell

    def _needed(self, cells: _Cells, column: str, what: str) -> str:
        cell = self._cell(cells, column)
        if cell is None:
            raise RowRefused(column, "missing", f"{what}: expected a value, found none")
        return self._read(column, cell, text_of)

    def _word(self, cells: _Cells, how: WrittenConstantOrColumn, what: str) -> str:
        return how.constant if how.constant is not None else self._needed(cells, how.column or "", what)

    def _occurred_at(self, cells: _Cells) -> str:
        column = self._mapping.occurred_at.column
        cell = None if column is None else self._cell(cells, column)
        if column is not None and cell is not None:
            return self._read(column, cell, lambda stated: event_time(stated, self._time))
        if self._at is None:
            raise RowRefused(
                column or "", "missing", "occurred_at: expected a time, found none; a `constant` beside the column stands in for it"
            )
        return self._at

    def _identifiers(self, cells: _Cells, how: WrittenIdentifier) -> Iterator[str]:
        cell = self._cell(cells, how.column)
        for value in cell if isinstance(cell, list) else () if cell is None else (cell,):
            text = self._read(how.column, value, text_of)
            for one in (text,) if how.split is None else (part.strip() for part in text.split(how.split)):
                if one and one.casefold() not in self._empty:
                    yield one

    def _profile(self, cells: _Cells) -> Iterator[tuple[str, Any]]:
        for name, how, read in self._attributes:
            if how.constant is not None:
                yield name, how.constant
                continue
            columns = (how.column,) if how.column is not None else tuple(how.columns or ())
            try:
                value = self._value(cells, how, columns, read)
            except RowRefused as refused:
                if how.unreadable == "refuse" or refused.reason == "wrong_encoding":
                    raise
                self._left_out(refused.column, refused.reason)
                continue
            if value not in {None, ""} if not isinstance(value, list) else value:
                yield name, value

    def _value(self, cells: _Cells, how: WrittenAttribute, columns: Sequence[str], read: Read) -> Any:
        stated = [one for column in columns if (one := self._cell(cells, column)) is not None]
        if not stated:
            return None
        label = ", ".join(columns)
        cell = stated[0]
        if how.columns is not None:
            cell = how.join.join(self._read(label, one, text_of) for one in stated)
        if how.split is not None:
            cell = part_of(self._read(label, cell, text_of), how.split, how.part)
            if not cell or isinstance(cell, list):
                return cell
        return self._read(label, cell, read)

    def _consented(self, cells: _Cells) -> Iterator[tuple[str, bool]]:
        for purpose, how, read in self._consents:
            cell = self._cell(cells, how.column)
            if cell is not None:
                yield purpose, self._read(how.column, cell, read)

    @staticmethod
    def _read(column: str, cell: Any, read: Callable[[Any], T]) -> T:
        try:
            return read(cell)
        except Unreadable as why:
            raise RowRefused(column, why.reason, str(why)) from None

"""A customer file, row by row, in bounded memory: CSV or JSON Lines, plain or gzip, in any encoding."""

import csv
import gzip
import io
import json
import os
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

from touchstone.customerfile.encoding import Encoding, encoding_of
from touchstone.customerfile.model import WrittenFile
from touchstone.errors import UsageError

STANDARD_INPUT = "-"
DELIMITERS = ",;\t|"
_BEGINNING = 1 << 18
"""Bytes by which encoding, form and delimiter are judged."""
_LONGEST = 4 << 20
"""Characters of a line: what has more is no file of rows."""
_GZIP = b"\x1f\x8b"


class Row(NamedTuple):
    """A row: the line in which it begins, its cells by column, and the file's own text of it. Where `fault` says something it has no cells."""

    number: int
    cells: Mapping[str, Any]
    text: str
    fault: str = ""


class CustomerFile:
    """An open customer file (see `open_customer_file`); iterate over `rows()` once. Bytes that its encoding does not know become lone surrogates, so that they
    can be seen, and written again as they were.
    """

    def __init__(self, raw: io.FileIO, name: str, how: WrittenFile, encoding: str | None = None) -> None:
        self.name = name
        self._raw = raw
        buffered: io.BufferedReader[Any] = io.BufferedReader(raw, _BEGINNING)
        if buffered.peek(2)[:2] == _GZIP:
            buffered = io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(fileobj=buffered)), _BEGINNING)
        beginning = self._told(lambda: buffered.peek(_BEGINNING)[:_BEGINNING])
        self.encoding: Encoding = encoding_of(beginning, encoding or how.encoding)
        self._lines = _Remembering(io.TextIOWrapper(buffered, self.encoding.name, errors="surrogateescape", newline=""))
        sample = beginning.decode(self.encoding.name, "replace")
        self.is_json = sample.lstrip("\ufeff \t\r\n").startswith("{")
        self.delimiter = None if self.is_json else how.delimiter or _delimiter(sample)
        self._quote = how.quote
        self.header = ""
        """The text of the line with the columns' names; empty where the file has none."""
        self.columns: Sequence[str] | None = None if self.is_json else self._header(how.columns)
        """The columns of a CSV file; of JSON Lines nobody knows them."""

    def progress(self) -> tuple[int, int | None]:
        """How many bytes were read, and of how many; None where nobody knows."""
        try:
            return self._raw.tell(), os.fstat(self._raw.fileno()).st_size or None
        except (OSError, ValueError):
            return 0, None

    def rows(self) -> Iterator[Row]:
        """The rows in their order; what cannot be read as one says why.

        Raises:
            UsageError: the file ends in the middle or cannot be read any further.
        """
        rows = self._json_rows() if self.is_json else self._csv_rows()
        while (row := self._told(lambda: next(rows, None))) is not None:
            yield row

    def _told(self, read: Any) -> Any:
        try:
            return read()
        except UnicodeError as error:
            raise UsageError(f"{self.name} cannot be read as {self.encoding.name}: {type(error).__name__}; say --encoding") from None
        except (OSError, EOFError, zlib.error) as error:
            raise UsageError(f"{self.name} cannot be read: {error}") from error

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._lines, delimiter=self.delimiter or ",", quotechar=self._quote)

    def _header(self, named: Sequence[str] | None) -> Sequence[str]:
        if named is not None:
            return named
        cells: list[str] = self._told(lambda: next((cells for cells in self._reader() if cells), []))
        self.header = self._lines.taken()
        columns = [cell.strip().removeprefix("\ufeff") for cell in cells]
        if not any(columns):
            raise UsageError(f"{self.name} is empty; expected a line with the names of the columns")
        if any("@" in one or one.replace(".", "").replace("-", "").isdecimal() for one in columns):
            raise UsageError(
                f"{self.name} begins with a row of values; expected the names of the columns there, or in the mapping as `file: {{columns: [...]}}`"
            )
        twice = sorted(name for name, count in Counter(columns).items() if count > 1 and name)
        if twice:
            raise UsageError(f"{self.name} has two columns of the name `{twice[0]}`; name all of them in the header, or rename one")
        return columns

    def _csv_rows(self) -> Iterator[Row]:
        columns = self.columns or ()
        reader = self._reader()
        while True:
            fault = ""
            cells: list[str] | None = []
            try:
                cells = next(reader, None)
            except csv.Error as error:
                fault = f"this is no CSV that can be read: {error}"
            number, text = self._lines.begin, self._lines.taken()
            if cells is None:
                return
            if not fault and not any(cells):
                continue
            if not fault and len(cells) != len(columns):
                fault = f"expected {len(columns)} cells, found {len(cells)}"
            yield Row(number, {}, text, fault) if fault else Row(number, dict(zip(columns, cells, strict=True)), text)

    def _json_rows(self) -> Iterator[Row]:
        for line in self._lines:
            number, text = self._lines.begin, self._lines.taken()
            stated = line.strip().removeprefix("\ufeff")
            if not stated:
                continue
            try:
                value = json.loads(stated)
            except (ValueError, RecursionError):
                yield Row(number, {}, text, "expected a JSON object on one line, found text that is not")
                continue
            if isinstance(value, dict):
                yield Row(number, dict(_flat(value)), text)
            else:
                yield Row(number, {}, text, f"expected a JSON object, found {type(value).__name__}")


class _Remembering:
    """Lines of a text, and what of it was read since one last asked: a quoted cell may span many lines."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._since: list[str] = []
        self._number = 0
        self.begin = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(_LONGEST)
        if not line:
            raise StopIteration
        if len(line) == _LONGEST:
            raise OSError(f"line {self._number + 1} has more than {_LONGEST:,} characters; is this a text file?")
        self._number += 1
        if not self._since:
            self.begin = self._number
        self._since.append(line)
        return line

    def taken(self) -> str:
        """The text since the last time."""
        text = "".join(self._since)
        self._since.clear()
        return text


@contextmanager
def open_customer_file(path: str, how: WrittenFile | None = None, encoding: str | None = None) -> Iterator[CustomerFile]:
    """Open a file, or standard input (`-`), and find out how it is to be read; it is open for the block.

    Raises:
        UsageError: it cannot be read, is empty, or its header is no header.
    """
    try:
        raw = io.FileIO(sys.stdin.fileno(), closefd=False) if path == STANDARD_INPUT else io.FileIO(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; expected a CSV file or JSON Lines") from error
    with raw:
        opened = CustomerFile(raw, "standard input" if path == STANDARD_INPUT else path, how or WrittenFile(), encoding)
        yield opened  # kept by its name: forgotten by a caller, its buffers would close the file under the block


def _delimiter(sample: str) -> str:
    """As the csv module judges the whole lines of the beginning, where the header agrees; else what the header has most of."""
    lines = sample.splitlines()
    whole = lines[:-1] if len(lines) > 1 and len(sample) >= _BEGINNING // 4 else lines
    header = next((line for line in whole if line.strip()), "")
    try:
        judged = csv.Sniffer().sniff("\n".join(whole[:200]), DELIMITERS).delimiter
    except csv.Error:
        judged = ""
    if judged and judged in header:
        return judged
    return max(DELIMITERS, key=header.count)


def _flat(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The fields of an object; those of inner objects by the way to them: `address.city`."""
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{before}{name}.")
        else:
            yield f"{before}{name}", inner

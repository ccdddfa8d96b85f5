"""A first mapping for a customer file, from the names of its columns and the look of its first rows: to be read and mended by its author."""

import itertools
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from touchstone.customerfile.model import DEFAULT_CHANNEL, DEFAULT_EMPTY, NO, YES
from touchstone.customerfile.source import CustomerFile
from touchstone.customerfile.vocabulary import ATTRIBUTES, CHANGED, IDENTIFIERS, known_as, plain, purpose_of
from touchstone.topology.compile import Topology

_LOOKED_AT = 1_000
"""Rows whose cells are looked at."""
_ISO = "ISO"
_DATES = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d", "%d-%m-%Y", "%m-%d-%Y")
_HOURS = ("", " %H:%M", " %H:%M:%S")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?: [A-Za-z0-9_]+)*")
_SAID = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def suggest(file: CustomerFile, topology: Topology, exported_at: str) -> str:
    """The text of a mapping; no value of a row stands in it. `exported_at` is when the rows were true where no column says so.

    Raises:
        UsageError: the file cannot be read.
    """
    rows = [row.cells for row in itertools.islice(file.rows(), _LOOKED_AT) if not row.fault]
    columns = list(file.columns if file.columns is not None else dict.fromkeys(name for row in rows for name in row))
    samples = {column: [text for row in rows if (text := _text(row.get(column)))] for column in columns}
    return "\n".join(_Suggestion(columns, samples, topology).lines(_source(file.name), exported_at, len(rows))) + "\n"


class _Suggestion:
    def __init__(self, columns: Sequence[str], samples: dict[str, list[str]], topology: Topology) -> None:
        self._samples = samples
        self._left = [column for column in columns if column]
        self._kinds = {plain(kind): kind for kind in (*topology.kind_aliases, *topology.kinds)}
        self._kinds |= {plain(alias): kind for alias, kind in topology.kind_aliases.items()}
        self._channel = DEFAULT_CHANNEL if DEFAULT_CHANNEL in topology.channels else next(iter(topology.channels))

    def lines(self, source: str, exported_at: str, rows: int) -> Iterator[str]:
        time = next((column for word in CHANGED for column in self._left if plain(column) == word and self._formats(column)), None)
        identifiers: dict[str, list[str]] = {}
        consents: dict[str, str] = {}
        profile: dict[str, str] = {}
        for column in self._left:
            kind, purpose = self._kind(column), purpose_of(column)
            attribute = known_as(column, ATTRIBUTES)
            if column == time:
                continue
            if purpose is not None and purpose not in consents and self._is_yes_or_no(column):
                consents[purpose] = column
            elif kind is not None:
                identifiers.setdefault(kind, []).append(column)
            elif attribute is not None and attribute not in profile:
                profile[attribute] = column
        used = {time, *itertools.chain.from_iterable(identifiers.values()), *consents.values(), *profile.values()}
        yield f"# A first mapping, from the names of {len(self._left):,} columns and the look of {rows:,} rows. Read it before you use it:"
        yield "#   touchstone produce FILE --mapping THIS --dry-run"
        yield "# Every key is explained in docs/reference/mapping.md; other columns can be added under `profile`."
        yield f"source: {_word(source)}  # the system that says so"
        yield f"channel: {_word(self._channel)}"
        yield from self._occurred_at(time, exported_at)
        yield "identifiers:"
        for kind, places in identifiers.items():
            yield f"  {_word(kind)}: {_word(places[0]) if len(places) == 1 else '[' + ', '.join(map(_word, places)) + ']'}"
        if not identifiers:
            yield "  # none was recognised: name at least one column, such as"
            yield f"  # {_word(next(iter(self._kinds.values()), 'email'))}: COLUMN"
        if profile:
            yield "profile:"
            for name, column in profile.items():
                yield from self._attribute(name, column)
        if consents:
            yield "consents:"
            yield from (f"  {_word(purpose)}: {_word(column)}" for purpose, column in consents.items())
        others = [column for column in self._left if column not in used]
        if others:
            yield "# Not used:"
            yield from (f"#   {_word(column)}" for column in others)

    def _occurred_at(self, column: str | None, exported_at: str) -> Iterator[str]:
        if column is None:
            yield f"occurred_at: {exported_at}  # when the file was exported; no column says when a row was changed"
            return
        form, doubt = self._form(column)
        yield f"occurred_at: {{column: {_word(column)}{form}, constant: {_quoted(exported_at)}}}{doubt}  # the constant where it is empty"

    def _attribute(self, name: str, column: str) -> Iterator[str]:
        if name == "birth_date" and self._formats(column):
            form, doubt = self._form(column)
            yield f"  {name}: {{column: {_word(column)}, as: date{form}}}{doubt}"
        else:
            yield f"  {name}: {_word(column)}"

    def _form(self, column: str) -> tuple[str, str]:
        """What is to be said of the form of its times, and of what else they might be."""
        first, *others = self._formats(column)
        if first == _ISO:
            return "", ""
        return f", format: {_quoted(first)}", f"  # or {_quoted(others[0])}: the rows looked at fit both" if others else ""

    def _formats(self, column: str) -> list[str]:
        """The forms in which the most of a column's cells are times, at least half of them; real files hold a few impossible dates."""
        cells = self._samples[column]
        forms = (_ISO, *(date + hours for date in _DATES for hours in _HOURS))
        fit = {form: sum(_is_time(cell, form) for cell in cells) for form in forms}
        most = max(fit.values())
        return [form for form, count in fit.items() if count == most] if most and 2 * most >= len(cells) else []

    def _kind(self, column: str) -> str | None:
        own = self._kinds.get(plain(column)) or self._kinds.get(plain(known_as(column, IDENTIFIERS) or ""))
        if own is not None:
            return own
        cells = self._samples[column]
        if cells and "email" in self._kinds.values() and all(_EMAIL.fullmatch(cell) for cell in cells):
            return "email"
        return None

    def _is_yes_or_no(self, column: str) -> bool:
        said = {cell.casefold() for cell in self._samples[column]}
        return not said or not said.isdisjoint({*YES, *NO})


def _is_time(cell: str, form: str) -> bool:
    try:
        if form == _ISO:
            return len(cell) >= 10 and bool(datetime.fromisoformat(cell))
        return bool(datetime.strptime(cell, form))  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        return False


def _text(cell: Any) -> str:
    """A cell as text, empty where it says nothing."""
    if isinstance(cell, bool):
        return str(cell).lower()
    text = str(cell).strip() if isinstance(cell, str | int | float) else ""
    return "" if text.casefold() in DEFAULT_EMPTY else text


def _source(name: str) -> str:
    """A name for the source, from the file's: `customers-2026-11.csv` comes from `customers`."""
    stem = re.sub(r"[^A-Za-z_]+", "_", Path(name).name.split(".")[0]).strip("_").lower()
    return stem or "crm"


def _word(text: str) -> str:
    """A word as YAML can read it again, in quotes where it needs them."""
    return text if _BARE.fullmatch(text) and text.casefold() not in _SAID else _quoted(text)


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()

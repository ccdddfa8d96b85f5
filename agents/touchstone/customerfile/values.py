"""What a cell says, read as its mapping tells; refusals name what was expected, never the value."""

import math
import re
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from touchstone.contracts.times import iso_text, milliseconds
from touchstone.customerfile.model import WrittenAttribute
from touchstone.intake.normalise import as_text

Read = Callable[[Any], Any]
"""A cell that says something -> its value.

Raises:
    Unreadable: with the reason.
"""


class Unreadable(Exception):
    """A cell cannot be read. `reason` is a short code; the text says what was expected and not what was found."""

    def __init__(self, reason: str, expected: str) -> None:
        self.reason = reason
        super().__init__(expected)


class Time(NamedTuple):
    """Reads times by forms that are tried in turn; ISO 8601 where there are none."""

    formats: Sequence[str]
    zone: ZoneInfo

    def __call__(self, cell: Any) -> datetime:
        """The time of a cell, with its zone."""
        text = text_of(cell)
        for form in self.formats:
            try:
                read = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is put in below, where the text has none
            except ValueError:
                continue
            return read if read.tzinfo else read.replace(tzinfo=self.zone)
        if not self.formats:
            try:
                read = datetime.fromisoformat(text)
            except ValueError:
                raise Unreadable("invalid_time", "expected a time in ISO 8601, such as 1990-05-01; name another `format`") from None
            return read if read.tzinfo else read.replace(tzinfo=self.zone)
        raise Unreadable("invalid_time", f"expected a time as {' or '.join(self.formats)}")


def text_of(cell: Any) -> str:
    """A cell as text without blanks around it."""
    text = as_text(cell)
    if text is None:
        raise Unreadable("not_text", f"expected text, found {type(cell).__name__}")
    return text.strip()


def event_time(cell: Any, read: Time) -> str:
    """The `occurred_at` that a cell states, as a touchpoint says it; a number of JSON is milliseconds since the epoch."""
    try:
        if isinstance(cell, int) and not read.formats:
            return iso_text(milliseconds(cell))
        since = read(cell).timestamp()
        return iso_text(milliseconds(math.floor(since * 1000 + 0.5)))
    except (ValueError, OverflowError) as error:
        raise Unreadable("invalid_time", str(error) if isinstance(error, ValueError) else "expected a time between 1900 and 2999") from None


def word_reader(yes: Collection[str], no: Collection[str]) -> Read:
    """Reads true and false by their words, in any case."""
    words = {word.casefold(): False for word in no} | {word.casefold(): True for word in yes}

    def read(cell: Any) -> bool:
        if isinstance(cell, bool):
            return cell
        found = words.get(text_of(cell).casefold())
        if found is None:
            raise Unreadable("unknown_word", "expected one of the words for yes or for no")
        return found

    return read


def reader_of(how: WrittenAttribute) -> Read:
    """What an attribute's cell is read with, once it has been split and joined."""
    match how.as_:
        case "date":
            time = Time(how.format or (), ZoneInfo(how.zone))
            return lambda cell: _date(time(cell))
        case "time":
            time = Time(how.format or (), ZoneInfo(how.zone))
            return lambda cell: event_time(cell, time)
        case "integer":
            return lambda cell: _integer(cell, how.decimal)
        case "number":
            return lambda cell: _number(cell, how.decimal)
        case "boolean":
            return word_reader(how.yes, how.no)
        case "text":
            return text_of
        case None:
            return lambda cell: cell.strip() if isinstance(cell, str) else cell


def part_of(text: str, split: str, part: str | None) -> str | list[str]:
    """A part of a text, or all of them; empty where there is no such part."""
    parts = [one for one in (piece.strip() for piece in text.split(split)) if one]
    match part:
        case None:
            return parts
        case "first":
            return parts[0] if parts else ""
        case "last":
            return parts[-1] if parts else ""
        case "rest":
            return split.join(parts[1:])
        case number:
            return parts[int(number) - 1] if int(number) <= len(parts) else ""


def _date(at: datetime) -> str:
    read = date(at.year, at.month, at.day)
    if not 1800 <= read.year < 3000:
        raise Unreadable("invalid_time", "expected a date between 1800 and 2999")
    return read.isoformat()


def _number(cell: Any, decimal: str) -> float | int:
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return cell
    text = re.sub(r"\s|[.,']", lambda found: "." if found[0] == decimal else "", text_of(cell))
    try:
        read = float(text) if "_" not in text else math.nan
    except ValueError:
        read = math.nan
    if not math.isfinite(read):
        raise Unreadable("invalid_number", f"expected a number with `{decimal}` as its decimal sign")
    return read


def _integer(cell: Any, decimal: str) -> int:
    read = _number(cell, decimal)
    if isinstance(read, float) and not read.is_integer():
        raise Unreadable("invalid_number", "expected a whole number")
    return int(read)

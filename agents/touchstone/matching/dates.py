"""Dates of birth as they are compared: eight digits, whatever the notation; what stands for "unknown" is none."""

import re
from calendar import monthrange
from functools import lru_cache

from touchstone.matching.names import LONGEST

_MONTHS = {name: n for n, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)}
_WRITTEN = re.compile(r"[A-Za-z]+|\d+")
_CENTURY = 30
"""A year of two digits above this is of the last century: a customer born in "70" was not born in 2070."""


@lru_cache(maxsize=65_536)
def birth_date(text: str) -> str:
    """`YYYYMMDD`, or empty where nothing usable was said. An impossible date keeps its digits: one of them may be a slip.

    Of day and month the one above 12 is the day; where both may be either, the month comes first. That choice does not matter:
    day and month in the other order are a level of agreement of their own.

    >>> birth_date("12/11/1978"), birth_date("1978-12-11"), birth_date("11-Dec-78"), birth_date("20/8/1991")
    ('19781211', '19781211', '19781211', '19910820')
    """
    if len(text) > LONGEST:
        return ""
    parts: list[str] = _WRITTEN.findall(text.split("T", 1)[0])
    numbers = [part for part in parts if part.isdecimal() and part.isascii()]
    named = [_MONTHS[part[:3].lower()] for part in parts if part[:3].lower() in _MONTHS]
    if len(numbers) == 1 and len(numbers[0]) == 8:
        digits = numbers[0]
    elif named and len(numbers) >= 2:
        day, year = (numbers[1], numbers[0]) if len(numbers[0]) == 4 else (numbers[0], numbers[1])
        digits = _digits(year, str(named[0]), day)
    elif len(numbers) >= 3 and len(numbers[0]) == 4:
        digits = _digits(*numbers[:3])
    elif len(numbers) >= 3:
        first, second, year = numbers[:3]
        digits = _digits(year, second, first) if int(first[:4]) > 12 >= int(second[:4]) else _digits(year, first, second)
    else:
        digits = ""
    return "" if len(set(digits)) <= 1 or digits[4:] == "0000" or len(digits) != 8 else digits


def is_possible(digits: str) -> bool:
    """Whether these eight digits are a day of the calendar."""
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:])
    return year >= 1 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]


@lru_cache(maxsize=65_536)
def is_impossible(text: str) -> bool:
    """Whether a value that should be a day is none: two that are equal are a form's default, not a birthday."""
    return len(text) != 8 or not text.isdecimal() or not is_possible(text)


def turned(digits: str) -> str:
    """Day and month in the other order."""
    return digits[:4] + digits[6:] + digits[4:6]


def _digits(year: str, month: str, day: str) -> str:
    if len(year) == 2:
        year = ("19" if int(year) > _CENTURY else "20") + year
    return f"{year[:4]:0>4}{month[:2]:0>2}{day[:2]:0>2}"

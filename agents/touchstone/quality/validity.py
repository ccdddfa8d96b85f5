"""Whether the value of an attribute can be right, by its form: nobody can tell from a value alone whether it is true."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

import phonenumbers

from touchstone.customerfile.vocabulary import ATTRIBUTES, IDENTIFIERS, known_as
from touchstone.errors import UsageError
from touchstone.intake.normalise import as_text, has_control_characters

Check = Callable[[Any, int], bool]
"""A value and a time (milliseconds) -> whether the value can be right then."""

_PLACEHOLDERS = frozenset(
    ". - -- ? ?? x xx xxx n/a na nan nil none null undefined unknown anonymous test tbd unbekannt keine inconnu desconocido".split()  # noqa: SIM905 - a list that is read
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_BROKEN = re.compile("\ufffd|Ã[\x80-\xbf€-™]|â€")
"""What is left of a text that was read in a wrong encoding."""
_OLDEST = 1900


def _text(value: Any, _now: int) -> bool:
    text = as_text(value)
    if text is None:
        return isinstance(value, bool)
    plain = text.strip()
    says_something = any(letter.isalnum() for letter in plain) and plain.casefold() not in _PLACEHOLDERS
    return says_something and not has_control_characters(text) and _BROKEN.search(text) is None


def _email(value: Any, now: int) -> bool:
    return isinstance(value, str) and _text(value, now) and _EMAIL.fullmatch(value.strip()) is not None


def _phone(value: Any, now: int) -> bool:
    """A number that its country has; one without a country is right where it has as many digits as a number can have."""
    text = as_text(value)
    if text is None or not _text(value, now):
        return False
    if text.strip().startswith("+"):
        try:
            return phonenumbers.is_possible_number(phonenumbers.parse(text))
        except phonenumbers.NumberParseException:
            return False
    return re.search(r"[A-Za-z]", text) is None and 5 <= sum(letter.isdigit() for letter in text) <= 15


def _date(value: Any, _now: int) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value.strip()[:10]).year >= _OLDEST
    except ValueError:
        return False


def _past(value: Any, now: int) -> bool:
    """A day that has been: a date of birth."""
    today = datetime.fromtimestamp(now / 1000, UTC).date()
    return _date(value, now) and date.fromisoformat(value.strip()[:10]) <= today


def _number(value: Any, _now: int) -> bool:
    try:
        return not isinstance(value, bool) and abs(float(value)) < float("inf")
    except (TypeError, ValueError):
        return False


FORMS: Mapping[str, Check] = MappingProxyType(
    {"text": _text, "email": _email, "phone": _phone, "date": _date, "past_date": _past, "number": _number}
)
"""The forms that an attribute can be held against, by name."""


def form_of(attribute: str) -> str:
    """The form that an attribute of this name is likely to have."""
    kind = known_as(attribute, IDENTIFIERS)
    if kind in {"email", "phone"}:
        return kind
    return "past_date" if known_as(attribute, ATTRIBUTES) == "birth_date" else "text"


def check_of(form: str) -> Check:
    """What holds values against a form: a name, or a regular expression between slashes that the whole text must fit.

    Raises:
        UsageError: there is no such form, or it is no regular expression.
    """
    if form in FORMS:
        return FORMS[form]
    if len(form) > 2 and form.startswith("/") and form.endswith("/"):
        try:
            pattern = re.compile(form[1:-1])
        except re.error as error:
            raise UsageError(f"{form} is no regular expression: {error}") from None
        return lambda value, _now: (text := as_text(value)) is not None and pattern.fullmatch(text.strip()) is not None
    raise UsageError(f"expected a form ({', '.join(FORMS)}) or a regular expression between slashes, found {form!r}")


def is_valid(value: Any, check: Check, now: int) -> bool:
    """Whether a value can be right; of a list all must be, and one that is empty cannot."""
    if isinstance(value, list):
        return bool(value) and all(check(one, now) for one in value)
    return check(value, now)

"""The normal form of an identifier's value: two spellings of one thing become one text.

* `email`: blanks around it removed, lower case. No tricks with dots or plus signs: whether `a.b@` and `ab@` are one mailbox only its
  provider knows.
* `phone`: E.164 where it begins with a plus sign and can be read; else its digits, because no region may be guessed.
* `digits`: its decimal digits, as ASCII. `lower`: lower case. `none`: only blanks around it removed.

All of them compose Unicode first (NFC). A value that is empty then, longer than 512 characters, or with control characters is unusable.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from math import isfinite
from types import MappingProxyType

import phonenumbers

MAX_LENGTH = 512
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def clean(stated: object) -> str | None:
    """The stated value as text, composed and stripped, or None where it is unusable in any form."""
    text = as_text(stated)
    if text is None:
        return None
    text = unicodedata.normalize("NFC", text[: 2 * MAX_LENGTH]).strip()
    return None if len(text) > MAX_LENGTH or _CONTROL.search(text) else text


def normalise(cleaned: str, form: str) -> str | None:
    """The normal form of a cleaned value, or None where nothing is left. `form` is one of FORMS."""
    normal = FORMS[form](cleaned)
    return normal if 0 < len(normal) <= MAX_LENGTH else None


def as_text(stated: object) -> str | None:
    """A text as it is, a number as its decimal text (12345.0 as 12345); None for anything else."""
    if isinstance(stated, str):
        return stated
    if isinstance(stated, bool):
        return None
    if isinstance(stated, int):
        return str(stated) if stated.bit_length() <= 3 * MAX_LENGTH else None
    if isinstance(stated, float) and isfinite(stated):
        return str(int(stated)) if stated.is_integer() else repr(stated)
    return None


def has_control_characters(text: str) -> bool:
    """Does it hold what no name or id should: NUL, line breaks, other control characters?"""
    return not text.isprintable() and _CONTROL.search(text) is not None


def _digits(text: str) -> str:
    return "".join(str(unicodedata.decimal(c)) for c in text if c.isdecimal())


def _phone(text: str) -> str:
    if text.startswith("+"):
        try:
            return phonenumbers.format_number(phonenumbers.parse(text), phonenumbers.PhoneNumberFormat.E164)
        except phonenumbers.NumberParseException:
            pass
    return _digits(text)


FORMS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {"email": str.lower, "phone": _phone, "lower": str.lower, "digits": _digits, "none": str}
)
"""Rule name of the topology -> normal form of a stripped text."""

"""Quantities with a unit, as people write them: `48h`, `64KiB`."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

DURATIONS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
SIZES = {"KiB": 1_024, "MiB": 1_048_576}

_LONGEST_MS = 100_000 * DURATIONS["d"]  # some 270 years: sums of two times stay far inside 64 bits
_LARGEST_BYTES = 1_024 * SIZES["MiB"]
_QUANTITY = re.compile(r"([0-9]{1,12})([A-Za-z]*)")


def duration_ms(written: object) -> int:
    """Milliseconds of a duration such as `48h`.

    Raises:
        PydanticCustomError: It is no whole number with one of the units ms, s, m, h, d, w, or it is longer than 100000d.
    """
    return _read(written, "duration", DURATIONS, "48h", _LONGEST_MS)


def size_bytes(written: object) -> int:
    """Bytes of a size such as `64KiB`.

    Raises:
        PydanticCustomError: It is no whole number with the unit KiB or MiB, or it is larger than 1024MiB.
    """
    return _read(written, "size", SIZES, "64KiB", _LARGEST_BYTES)


def duration_text(milliseconds: int) -> str:
    """A duration as one would write it, in the largest unit that leaves it whole: `duration_text(172800000)` is `2d`."""
    for unit in ("d", "h", "m", "s"):
        if milliseconds and milliseconds % DURATIONS[unit] == 0:
            return f"{milliseconds // DURATIONS[unit]}{unit}"
    return f"{milliseconds}ms"


def _read(written: object, what: str, units: dict[str, int], example: str, largest: int) -> int:
    found = re.sub(r"\s", "", written) if isinstance(written, str) else str(written)
    parts = _QUANTITY.fullmatch(found) if isinstance(written, str | int) and not isinstance(written, bool) else None
    if parts is None:
        raise _fault(f"expected a {what} such as {example} (a whole number with one of {', '.join(units)}), found {_shown(written)}")
    number, unit = parts.groups()
    if not unit:
        raise _fault(f"{what} without a unit: expected {what} such as {example}, found {found}; did you mean {_guesses(number, units)}?")
    if unit not in units:
        raise _fault(f"unknown unit {unit!r} in {found!r}: expected a {what} such as {example}, with one of {', '.join(units)}")
    value = int(number) * units[unit]
    if value > largest:
        raise _fault(f"expected a {what} of at most {largest // list(units.values())[-2]}{list(units)[-2]}, found {found}")
    return value


def _guesses(number: str, units: dict[str, int]) -> str:
    usual = [unit for unit in ("s", "h", "d", *SIZES) if unit in units]
    return f"{', '.join(number + unit for unit in usual[:-1])} or {number}{usual[-1]}"


def _shown(written: object) -> str:
    return "nothing" if written is None else repr(written)[:60]


def _fault(message: str) -> PydanticCustomError:
    # the text goes in as a value: braces in it are no placeholders
    return PydanticCustomError("touchstone", "{text}", {"text": message})


def _schema(units: dict[str, int]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": rf"^\s*[0-9]{{1,12}}\s*({'|'.join(units)})\s*$"}, mode="validation")


def _positive(value: Any) -> Any:
    if value == 0:
        raise _fault("expected more than 0")
    return value


Duration = Annotated[int, BeforeValidator(duration_ms), _schema(DURATIONS)]
"""Milliseconds, written with a unit; 0 is allowed."""

Span = Annotated[int, BeforeValidator(lambda written: _positive(duration_ms(written))), _schema(DURATIONS)]
"""Milliseconds, written with a unit; more than 0."""

Size = Annotated[int, BeforeValidator(lambda written: _positive(size_bytes(written))), _schema(SIZES)]
"""Bytes, written with a unit; more than 0."""

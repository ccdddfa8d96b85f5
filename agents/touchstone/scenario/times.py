"""Times as a story writes them: `10:00` on its first day, `2d 10:00` two days later, `+48h` after something, or ISO 8601."""

import re

from touchstone.contracts.times import iso_text, milliseconds
from touchstone.topology.quantity import DURATIONS, duration_ms

FIRST_DAY_MS = milliseconds("2024-05-01T00:00:00Z")
"""Midnight of the day on which every story begins (UTC)."""

CLOCK = r"(?:-?\d+d )?\d\d?:\d\d(?::\d\d(?:\.\d{1,3})?)?"
_CLOCK = re.compile(r"(?:(-?\d+)d )?(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?")
_STEP = re.compile(r"[+-](?:\d+(?:ms|[smhdw]))+")
_DAY = DURATIONS["d"]


def time_ms(written: str, before: int) -> int:
    """Milliseconds since the epoch; a step such as `+48h` or `-5m` counts from `before`.

    Raises:
        ValueError: it is none of the forms.
    """
    if (found := _CLOCK.fullmatch(written)) is not None:
        days, hours, minutes, seconds, fraction = (part or "0" for part in found.groups())
        return (
            FIRST_DAY_MS
            + int(days) * _DAY
            + (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 1000
            + int(fraction.ljust(3, "0") if found[5] else "0")
        )
    if _STEP.fullmatch(written):
        steps = sum(duration_ms(step) for step in re.findall(r"\d+[a-z]+", written))
        return before - steps if written[0] == "-" else before + steps
    try:
        return milliseconds(written)
    except ValueError:
        message = f"expected a time such as `10:00`, `2d 10:00`, `+48h` or `2024-05-01T10:00:00Z`, found `{written}`"
        raise ValueError(message) from None


def time_text(ms: int) -> str:
    """The time as a story writes it: `2d 09:20`, with seconds only where there are some; far away from the story as ISO 8601."""
    days, rest = divmod(ms - FIRST_DAY_MS, _DAY)
    if not -10_000 < days < 100_000:
        return iso_text(ms)
    clock = iso_text(FIRST_DAY_MS + rest)[11:-1].removesuffix(".000")
    return (f"{days}d " if days else "") + clock.removesuffix(":00" if clock.count(":") > 1 else "")

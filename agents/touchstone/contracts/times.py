"""Times on the wire: milliseconds since the epoch inside, ISO 8601 in UTC outside."""

from datetime import UTC, datetime, timedelta

EARLIEST_MS = -2_208_988_800_000
"""1900-01-01T00:00:00Z: no touchpoint is older, and deadlines computed from a time stay inside the calendar."""
LATEST_MS = 32_503_680_000_000
"""3000-01-01T00:00:00Z."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_MS = 86_400_000


def iso_text(ms: int) -> str:
    """The time as the command line says it: `iso_text(0)` is `1970-01-01T00:00:00.000Z`."""
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")[:-6] + "Z"


def within_calendar(ms: int) -> int:
    """The time, or the nearest one that we know: on a topic that takes them, a producer may stamp its records with any number."""
    return min(max(ms, EARLIEST_MS), LATEST_MS - 1)


def milliseconds(stated: object) -> int:
    """Read an ISO 8601 text with a zone, or a whole number of milliseconds since the epoch.

    Raises:
        ValueError: neither of them, without a zone, or before 1900 or after 2999. The text holds nothing of the value.
    """
    if isinstance(stated, str):
        try:
            since = datetime.fromisoformat(stated[:-1] + "Z" if stated[-1:] == "z" else stated) - _EPOCH  # RFC 3339: t and z may be small
        except (ValueError, TypeError, OverflowError):
            raise ValueError("expected ISO 8601 with a zone such as 2024-05-01T10:00:00.000Z, found a text that is not") from None
        ms = since.days * _DAY_MS + since.seconds * 1000 + since.microseconds // 1000
    elif isinstance(stated, int) and not isinstance(stated, bool):
        ms = stated
    else:
        raise ValueError(f"expected ISO 8601 or milliseconds since the epoch, found {type(stated).__name__}")  # noqa: TRY004 - one error, one promise
    if not EARLIEST_MS <= ms < LATEST_MS:
        raise ValueError("expected a time between the years 1900 and 2999, found another")
    return ms

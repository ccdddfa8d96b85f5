"""Where a row, a timer or a named value lies in the ordered key space of a backend.

The first byte is the kind, so that no group, however it is spelled, can reach another kind's keys. The keys are those of the changelog
too: they are a public format (golden values in `tests/unit/state/test_keys.py`).

    00            the backend's own rows (offset, format version); never in the changelog
    01 time group timers; big endian with the sign bit turned, so that the bytes sort by time
    02 name       named values of the runtime
    03 group 00 name   rows; all rows of a group are neighbours, in the order of their names
"""

from touchstone.errors import InvariantBroken

OWN = b"\x00"
TIMER = b"\x01"
META = b"\x02"
ROW = b"\x03"

EARLIEST = -(1 << 63)
LATEST = (1 << 63) - 1
_TIME_BYTES = 8


def encode_text(text: str, what: str) -> bytes:
    """The UTF-8 bytes of a group or a name.

    Raises:
        InvariantBroken: it holds half a surrogate pair; intake refuses such text, so we have a bug.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        # The text may be somebody's address: only its length is said.
        raise InvariantBroken(
            f"expected a {what} that can be written as UTF-8, found a lone surrogate in {len(text)} characters"
        ) from error


def group_prefix(group: str) -> bytes:
    """What the keys of all rows of a group begin with.

    Raises:
        InvariantBroken: the group holds a NUL, which ends it on disk.
    """
    if "\x00" in group:
        raise InvariantBroken(f"expected a group without NUL, found one in a group of {len(group)} characters; intake must refuse it")
    return ROW + encode_text(group, "group") + b"\x00"


def row_of(key: bytes) -> tuple[str, str]:
    """The (group, name) that a row's key stands for."""
    group, _, name = key[1:].partition(b"\x00")
    return group.decode(), name.decode()


def group_of(key: bytes) -> str | None:
    """The group that a row's or a timer's key belongs to; None for the key of a named value, which belongs to the whole store."""
    if key[:1] == ROW:
        return row_of(key)[0]
    return timer_of(key)[1] if key[:1] == TIMER else None


def timer_key(at: int, group: str) -> bytes:
    """The key of a timer; keys sort by time, then by group.

    Raises:
        InvariantBroken: the time does not fit into 64 bits.
    """
    return timers_from(at) + encode_text(group, "group")


def timers_from(at: int) -> bytes:
    """The key at or before every timer of this time or later."""
    if not EARLIEST <= at <= LATEST:
        raise InvariantBroken(f"expected a time in milliseconds that fits into 64 bits, found {at}")
    return TIMER + (at - EARLIEST).to_bytes(_TIME_BYTES, "big")


def timer_of(key: bytes) -> tuple[int, str]:
    """The (time, group) that a timer's key stands for."""
    return int.from_bytes(key[1 : 1 + _TIME_BYTES], "big") + EARLIEST, key[1 + _TIME_BYTES :].decode()


def meta_key(name: str) -> bytes:
    """The key of a named value."""
    return META + encode_text(name, "name")


def after(prefix: bytes) -> bytes:
    """The smallest key behind all keys with this prefix; the last byte is never 0xff, which neither UTF-8 nor our kinds use."""
    return prefix[:-1] + bytes((prefix[-1] + 1,))

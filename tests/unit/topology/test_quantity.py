"""Quantities: every unit, what is refused, and back to text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from touchstone.topology.quantity import DURATIONS, duration_ms, duration_text, size_bytes


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        ("250ms", 250),
        ("5s", 5_000),
        ("5m", 300_000),
        ("48h", 172_800_000),
        ("30d", 2_592_000_000),
        ("2w", 1_209_600_000),
        (" 5 m ", 300_000),
        ("0s", 0),
    ],
)
def test_a_duration_has_a_unit(written: str, milliseconds: int) -> None:
    """Each unit means what it says; blanks do not matter."""
    assert duration_ms(written) == milliseconds


@pytest.mark.parametrize(
    "written", [48, "48", "48x", "48H", "1.5h", "-5h", "h", "", None, True, 1.5, [], "5h5m", "100001d", "٤٨h", "9" * 30 + "h"], ids=repr
)
def test_what_is_no_duration_is_refused(written: object) -> None:
    """No unit, another unit, fractions, signs, sums, other types, more than 100000d."""
    with pytest.raises(PydanticCustomError, match=r"duration|unit"):
        duration_ms(written)


@pytest.mark.parametrize(("written", "size"), [("64KiB", 65_536), ("1MiB", 1_048_576), ("1 KiB", 1_024)])
def test_a_size_has_a_unit(written: str, size: int) -> None:
    """KiB and MiB are powers of two."""
    assert size_bytes(written) == size


@pytest.mark.parametrize("written", [64, "64", "64KB", "64kib", "64B", "2000MiB", None], ids=repr)
def test_what_is_no_size_is_refused(written: object) -> None:
    """No unit, another unit, more than a gigabyte."""
    with pytest.raises(PydanticCustomError, match=r"size|unit"):
        size_bytes(written)


@given(st.integers(0, 1_000_000), st.sampled_from(sorted(DURATIONS)))
def test_a_duration_survives_being_written_and_read(number: int, unit: str) -> None:
    """What is shown to people reads back as the same time."""
    milliseconds = min(number * DURATIONS[unit], 100_000 * DURATIONS["d"])

    assert duration_ms(duration_text(milliseconds)) == milliseconds

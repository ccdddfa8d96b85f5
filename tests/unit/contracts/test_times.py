"""Times go in as ISO 8601 or milliseconds and come out as ISO 8601 in UTC."""

import pytest

from touchstone.contracts.times import iso_text, milliseconds


@pytest.mark.parametrize(
    ("stated", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2024-06-10T14:00:00.123456+02:00", 1_718_020_800_123),
        ("1969-12-31T23:59:59.999Z", -1),
        (1_718_020_800_123, 1_718_020_800_123),
        ("1900-01-01T00:00:00Z", -2_208_988_800_000),
    ],
)
def test_a_time_with_a_zone_or_in_milliseconds_is_read(stated: object, ms: int) -> None:
    """Offsets count, what is finer than a millisecond is cut off, times before 1970 are negative."""
    assert milliseconds(stated) == ms


@pytest.mark.parametrize(
    "stated",
    [
        "2024-06-10T14:00:00",
        "2024-06-10",
        "yesterday",
        "",
        "2024-13-01T00:00:00Z",
        "1899-12-31T23:59:59Z",
        "3000-01-01T00:00:00Z",
        1e12,
        True,
        None,
        [],
        1 << 70,
    ],
)
def test_what_is_no_time_is_refused_without_repeating_it(stated: object) -> None:
    """Without a zone, outside the calendar, or of another type: an error whose text holds nothing of the value."""
    with pytest.raises(ValueError, match="expected") as error:
        milliseconds(stated)

    assert not stated or str(stated) not in str(error.value)


def test_a_time_is_said_to_the_millisecond_in_utc() -> None:
    """What comes out goes in again."""
    assert iso_text(1_718_020_800_123) == "2024-06-10T12:00:00.123Z"
    assert milliseconds(iso_text(-1)) == -1

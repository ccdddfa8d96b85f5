"""Whether a value can be right."""

from typing import Any

import pytest

from touchstone.errors import UsageError
from touchstone.quality.validity import check_of, form_of, is_valid

NOW = 1_714_557_600_000  # 2024-05-01


@pytest.mark.parametrize(
    ("form", "right", "wrong"),
    [
        (
            "text",
            ["Ulm", "O'Brien", "山田", "5", 5, True, "Ästhetik"],
            ["", " ", "-", "N/A", "unknown", "???", "M\ufffdnchen", "MÃ¼nchen", "a\x00b", {}],
        ),
        ("email", ["ada@x.org", " a.b+c@x.co.uk "], ["ada@x", "ada x@x.org", "@x.org", "ada@@x.org", "test", 5]),
        ("phone", ["+44 20 7946 0000", "089/123456", "0123-4567"], ["+44", "12", "call me 12345", "+999999999999999999", "1" * 20, None]),
        ("date", ["2099-01-01", "1990-05-31T10:00:00Z"], ["31.05.1990", "1890-01-01", "1990-02-31", 19900531]),
        ("past_date", ["1990-05-31", "2024-05-01"], ["2024-05-02", "2999-01-01"]),
        ("number", [1, 1.5, "2.5"], ["many", True, "inf", None]),
        ("/[A-Z]{2}/", ["DE", " FR "], ["De", "DEU", ["DE"]]),
    ],
    ids=["text", "email", "phone", "date", "past", "number", "pattern"],
)
def test_a_form_tells_what_can_be_right(form: str, right: list[Any], wrong: list[Any]) -> None:
    """Placeholders, impossible days and what a wrong encoding leaves cannot be."""
    check = check_of(form)

    assert [value for value in right if not check(value, NOW)] == []
    assert [value for value in wrong if check(value, NOW)] == []


def test_the_form_follows_from_the_name() -> None:
    """In several languages; what is not known is text."""
    names = ("birth_date", "Geburtsdatum", "dateOfBirth", "email", "work_email", "mobile_phone", "city", "shoe_size")

    assert [form_of(name) for name in names] == ["past_date", "past_date", "past_date", "email", "text", "phone", "text", "text"]


def test_of_a_list_all_must_be_right() -> None:
    """And there must be one."""
    check = check_of("email")

    assert is_valid(["a@x.org", "b@x.org"], check, NOW)
    assert not is_valid(["a@x.org", "b"], check, NOW)
    assert not is_valid([], check, NOW)


@pytest.mark.parametrize("form", ["emial", "/[/", "/"], ids=["word", "pattern", "slash"])
def test_what_is_no_form_is_said(form: str) -> None:
    """With what there is."""
    with pytest.raises(UsageError, match=r"expected a form|no regular expression"):
        check_of(form)

"""Two spellings of one thing become one text; what is nothing becomes None."""

import pytest

from touchstone.intake.normalise import clean, normalise


@pytest.mark.parametrize(
    ("form", "stated", "normal"),
    [
        ("email", "  Ada.Love+shop@Example.ORG ", "ada.love+shop@example.org"),
        ("phone", "+49 (30) 1234-567", "+49301234567"),
        ("phone", "+49-30-1", "+49301"),
        ("phone", "030 / 1234 567", "0301234567"),
        ("phone", "+999999 nobody", "999999"),
        ("phone", 491701234567, "491701234567"),
        ("digits", "ID 12-3", "123"),
        ("digits", "\u0661\u0662", "12"),
        ("lower", " AbC ", "abc"),
        ("none", " AbC ", "AbC"),
        ("none", 12345.0, "12345"),
        ("none", 1.5, "1.5"),
        ("none", 10**30, "1" + "0" * 30),
        ("none", "Zoe\u0308", "Zo\u00eb"),
    ],
)
def test_a_value_has_a_normal_form(form: str, stated: object, normal: str) -> None:
    """By the rule of its kind; numbers as their decimal text; Unicode composed."""
    cleaned = clean(stated)

    assert cleaned is not None
    assert normalise(cleaned, form) == normal


@pytest.mark.parametrize("stated", [None, True, [], {}, "a\x00b", "a\nb", "\x7f", "x" * 513, float("inf"), 1 << 5_000])
def test_some_values_are_unusable_in_any_form(stated: object) -> None:
    """No text or number, too long, or with control characters inside."""
    assert clean(stated) is None


@pytest.mark.parametrize(("form", "stated"), [("none", ""), ("email", "  "), ("digits", "none"), ("phone", "unknown")])
def test_a_value_of_which_nothing_is_left_is_unusable(form: str, stated: str) -> None:
    """An empty normal form would unite everybody who has none."""
    assert normalise(clean(stated) or "", form) is None

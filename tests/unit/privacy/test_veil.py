"""What is somebody else's is hidden wherever it stands, and nothing else is."""

import pytest

from touchstone.privacy.veil import WITHHELD, Veil

VEIL = Veil({"bob@x.org", "bob", "u1", "bob-23", "A.B+c"}, {"ada@x.org"})


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ("bob@x.org", WITHHELD),
        ("Met BOB, write to Bob@X.org", f"Met {WITHHELD}, write to {WITHHELD}"),
        ("bobsleigh and kebob", "bobsleigh and kebob"),
        ("bob-23", WITHHELD),
        ("a.b+c aXb+c", f"{WITHHELD} aXb+c"),
        ("u1", "u1"),
        (17, 17),
        (None, None),
        ({"bob": ["bob", {"of": "bob"}], "n": 1.5}, {WITHHELD: [WITHHELD, {"of": WITHHELD}], "n": 1.5}),
        ('"bob"', f'"{WITHHELD}"'),
    ],
)
def test_it_replaces_whole_values_in_any_case_in_texts_names_and_lists(found: object, shown: object) -> None:
    """Not parts of words, no numbers, and nothing shorter than three characters, which stands in many words."""
    assert VEIL.over(found) == shown


def test_what_is_hers_as_well_is_hers() -> None:
    """Two may have the same number under two kinds: she is not kept from her own."""
    assert Veil({"4711", "Ada@X.org"}, {"ada@x.org", "4711"}).over("4711 ada@x.org") == "4711 ada@x.org"


def test_nobody_else_nothing_is_hidden() -> None:
    """Whoever shares nothing sees everything."""
    assert Veil((), {"ada"}).over({"a": "bob"}) == {"a": "bob"}

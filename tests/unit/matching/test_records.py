import pytest

from touchstone.matching.blocking import STREAM_BLOCKS, block_keys
from touchstone.matching.dates import birth_date, turned
from touchstone.matching.names import is_short_form, person_name, plain, sound
from touchstone.matching.records import COLUMNS, make_record
from touchstone.matching.roles import ROLES, guess_roles


def test_roles_are_guessed_from_usual_names_in_several_languages() -> None:
    """What other companies call their columns needs no setting; what says nothing plays no role."""
    assert guess_roles(["Vorname", "nom de famille", "ADDR_POSTAL_CODE", "customer_email", "dob", "colour"]) == {
        "Vorname": "given_name",
        "nom de famille": "family_name",
        "ADDR_POSTAL_CODE": "postcode",
        "customer_email": "email",
        "dob": "birth_date",
    }


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("1978-12-11", "19781211"),
        ("19781211", "19781211"),
        ("12/11/78", "19781211"),
        ("20/8/1991", "19910820"),
        ("24-May-11", "20110524"),
        ("Mar 1 1970", "19700301"),
        ("0000-00-00", ""),
        ("soon", ""),
        ("31.02.1990", "19900231"),
    ],
)
def test_a_birth_date_is_eight_digits_however_it_was_written(written: str, digits: str) -> None:
    """Notations differ between sources; an impossible day keeps its digits, because one of them may be a slip."""
    assert birth_date(written) == digits
    assert turned(turned("19781211")) == "19781211"


def test_a_full_name_is_taken_apart() -> None:
    """With and without comma, with a generation, in a script that puts the family first."""
    assert person_name(full="Hughes, Howie").family == "hughes"
    assert person_name(given="David", family="Dobbins Jr") == person_name(full="David Dobbins Junior")
    chinese = person_name(full="王杰")
    assert (chinese.given, chinese.family) == ("jie", "wang")


def test_names_are_alike_by_sound_or_by_habit() -> None:
    """Geoffrey sounds like Jeffrey; Bob is Robert; Mark is not Mary."""
    assert sound("geoffrey") == sound("jeffrey")
    assert is_short_form("bob", "robert")
    assert is_short_form("rob", "bob")
    assert not is_short_form("mark", "mary")


def test_what_says_nothing_is_left_out() -> None:
    """Empty, placeholder, emoji, ten thousand letters: no value, so no evidence, whatever the role."""
    junk = ["", " ", "N/A", "null", "Unknown", "😀😀", "—", "x" * 10_000, "?" * 10_000, "\x00", "\u202e\u200f"]

    left = {(role, text[:9]): make_record("1", {"attribute": text}, {"attribute": role}).values for role in ROLES for text in junk}

    assert not {what: values for what, values in left.items() if values}


def test_values_are_plain_whatever_the_script() -> None:
    """Accents, case, apostrophes and scripts do not tell people apart; mixed scripts do not fail."""
    assert plain("D'Esquíre-Müller") == "desquire muller"
    mixed = make_record("1", {"n": "Олег 😀 王", "s": ["list"], "d": 12}, {"n": "given_name", "s": "family_name", "d": "birth_date"})
    assert mixed.values["given"].isascii()
    assert set(mixed.values) <= set(COLUMNS)


def test_no_value_is_longer_than_a_name_is() -> None:
    """Values are compared letter by letter: an address of thousands of letters, or one that grows when it is written in Latin letters, is none."""
    endless = ["12 Main Street, " + ", ".join(f"Little Town {n}th" for n in range(1_500)), "\ufdfa" * 200, "\u00df" * 200, "1 a," * 200]

    values = {(role, text[:4]): make_record("1", {"a": text}, {"a": role}).values for role in ROLES for text in endless}

    assert not {what: found for what, found in values.items() if any(len(value) > 200 for value in found.values())}
    assert make_record("1", {"a": "12 Main Street, Springfield 12345"}, {"a": "address"}).values["city"] == "springfield"


def test_a_name_of_many_words_is_in_few_blocks() -> None:
    """Every key is a message: sixty short words in each name must not be thousands, whatever the parts of a block."""
    words = " ".join(f"{one}{other}" for one in "bcdfgh" for other in "aeioubcdgk")
    stated = {"g": words, "f": words[::-1], "o": words, "b": "1970-02-03", "p": "12345", "e": "acme"}

    record = make_record(
        "1", stated, {"g": "given_name", "f": "family_name", "o": "organisation", "b": "birth_date", "p": "postcode", "e": "employer"}
    )

    assert 12 <= len(block_keys(record, STREAM_BLOCKS)) <= 60
    assert len(block_keys(record, [("name", "name_start", "organisation")])) <= 12 * 12 * 6

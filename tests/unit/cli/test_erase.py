"""Erasing at the command line, on files; on a live system: tests/kafka/test_erasure.py."""

import json
from pathlib import Path

import msgspec
import pytest

from tests.unit.cli.test_identity import line, run
from tests.unit.privacy.test_receipt import RECEIPT
from touchstone.cli.erase import erase
from touchstone.errors import UsageError
from touchstone.privacy.receipt import signed

ASKED = ["--who", "ann", "--why", "request 4711"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Ada, who logged in on her phone, and Bob, who uses the same one."""
    path = tmp_path / "events.jsonl"
    told = [
        line(1, "09:00", cookie="c1"),
        line(2, "09:10", cookie="c1", email="ada@x.org"),
        line(3, "09:20", email="ada@x.org", device_id="dev9"),
        line(4, "09:30", user_id="bob", device_id="dev9"),
    ]
    path.write_text("\n".join(told) + "\n")
    return path


def test_it_shows_what_would_be_forgotten_and_no_value(file: Path) -> None:
    """By kind and pseudonym; the device of both is not hers."""
    result = run(erase, "cookie:c1", *ASKED, "--file", file)

    assert "2 identifiers" in result.stdout
    assert "3 touchpoints dropped" in result.stdout
    assert "ada" not in result.stdout
    assert "dev9" not in result.stdout


def test_a_program_is_told_the_keys(file: Path) -> None:
    """As they stand in the privacy log; whatever is hers names the same."""
    (by_cookie,) = (json.loads(text) for text in run(erase, "cookie:c1", *ASKED, "--file", file, "--output", "json").stdout.splitlines())
    (by_email,) = (
        json.loads(text) for text in run(erase, "email:ADA@x.org", *ASKED, "--file", file, "--output", "json").stdout.splitlines()
    )

    assert by_cookie["by_kind"] == {"cookie": 1, "email": 1}
    assert by_cookie["forgotten"] == by_email["forgotten"]
    assert by_cookie["customers"] == by_email["customers"] != []


def test_whoever_is_not_known_is_forgotten_all_the_same(file: Path) -> None:
    """What comes late will not be kept."""
    (told,) = (json.loads(text) for text in run(erase, "email:eve@x.org", *ASKED, "--file", file, "--output", "json").stdout.splitlines())

    assert (told["by_kind"], told["customers"], told["touchpoints"]) == ({"email": 1}, [], 0)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["cookie:c1"], "who did it"),
        (["cookie:c1", "x/cookie:c1", *ASKED], "one tenant"),
        (["0123456789abcdef", *ASKED], "customer id"),
        (["email:test@test.com", *ASKED], "ignored_identifier"),
    ],
    ids=["nobody says why", "two tenants", "a customer id", "a placeholder"],
)
def test_what_cannot_be_asked_is_said(words: list[str], found: str, file: Path) -> None:
    """Before anything is read or sent."""
    with pytest.raises(UsageError, match=found):
        run(erase, *words, "--file", file)


def test_a_receipt_is_checked(tmp_path: Path) -> None:
    """What this installation signed is genuine; a changed one is not, and something else is none."""
    good, bad, other = (tmp_path / name for name in ("good.json", "bad.json", "other.json"))
    receipt = signed(RECEIPT, b"touchstone")
    good.write_bytes(msgspec.json.encode(receipt))
    bad.write_bytes(msgspec.json.encode(msgspec.structs.replace(receipt, customers=())))
    other.write_text("{}")

    assert "signed by this installation" in run(erase, "verify", good).stdout
    refused = run(erase, "verify", bad)
    assert (refused.return_value, "not signed so" in refused.stderr) == (1, True)
    with pytest.raises(UsageError, match="to be a receipt"):
        run(erase, "verify", other)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        run(erase, "verify", tmp_path / "missing.json")

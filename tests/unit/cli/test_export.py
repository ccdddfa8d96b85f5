"""What a person is given, at the command line, of a file; of a live system: tests/kafka/test_export.py."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.unit.privacy.world import ALICE, line
from touchstone.cli.export import export
from touchstone.cli.output import Output
from touchstone.errors import UsageError

DEVICE = {"device_id": "dev-9"}
OF_BOB = ("bob", "robertissimo", "b1", "d1")


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Alice and Bob on one device, and another Alice of another tenant."""
    path = tmp_path / "events.jsonl"
    told = [
        line("a1", "11:00", "search", ALICE | DEVICE, profile={"city": "Bonn"}),
        line("d1", "11:03", "cart_add", DEVICE),
        line("b1", "11:05", "ad_view", {"user_id": "bob-23"} | DEVICE, profile={"given_name": "Robertissimo"}),
        line("x1", "11:06", "search", ALICE | {"email": "ada@x.org"}),
        line("y1", "11:06", "search", {"email": "ada@x.org"}, tenant="other"),
    ]
    path.write_bytes(b"\n".join(told) + b"\n")
    return path


def run(*words: object) -> Result:
    """Run the command in this process as `main` would."""
    result = CliRunner().invoke(export, [str(word) for word in words], obj=Output(), standalone_mode=False)
    if result.exception:
        raise result.exception
    return result


def test_both_files_are_for_her_alone_and_hold_nothing_of_the_other(events: Path, tmp_path: Path) -> None:
    """D6, to the byte; readable by whoever runs the command only, also where an open file was there before."""
    page, document = tmp_path / "a.html", tmp_path / "a.json"
    page.write_text("old")
    page.chmod(0o644)

    result = run("user_id:alice-17", "--file", events, "--html", page, "--json", document, "--contact", "privacy@shop.example")

    assert "3 identifiers" in result.output
    for path in (page, document):
        assert path.stat().st_mode & 0o777 == 0o600
        text = path.read_text("utf-8")
        assert [word for word in OF_BOB if re.search(rf"(?<!\w){word}(?!\w)", text, re.IGNORECASE)] == []
        assert [word for word in ("alice-17", "dev-9", "Bonn", "a1", "privacy@shop.example") if word not in text] == []
    assert [each["event_id"] for each in json.loads(document.read_text())["touchpoints"]] == ["a1", "x1"]


def test_a_program_gets_it_on_standard_output_by_any_of_her_identifiers(events: Path) -> None:
    """One line of JSON; the same by user id, by e-mail with its tenant, and by customer id."""
    first = json.loads(run("user_id:alice-17", "--file", events, "--output", "json").stdout)
    others = [
        json.loads(run(word, "--file", events, "--output", "json").stdout) for word in ("default/email:ada@x.org", first["customer_id"])
    ]

    assert [other | {"made_at": first["made_at"]} for other in others] == [first, first]


def test_what_several_use_is_handed_out_to_nobody(events: Path) -> None:
    """What was done with the device alone is not hers to see, and not his."""
    with pytest.raises(UsageError, match="one that several people use"):
        run("device_id:dev-9", "--file", events)


def test_who_is_unknown_or_two_is_said(events: Path) -> None:
    """Exit code 1; two tenants' people are told apart by the tenant."""
    result = CliRunner().invoke(export, ["user_id:nobody", "--file", str(events)], obj=Output())

    assert result.exit_code == 1
    assert "nobody has the identifier 'user_id:nobody'" in result.output
    with pytest.raises(UsageError, match=r"expected one person, found 2 .* put the tenant in front"):
        run("email:ada@x.org", "--file", events)


def test_where_it_cannot_be_written_is_said(events: Path, tmp_path: Path) -> None:
    """In one sentence, with the path."""
    with pytest.raises(UsageError, match=r"nowhere/a\.html cannot be written: No such file or directory"):
        run("user_id:alice-17", "--file", events, "--html", tmp_path / "nowhere" / "a.html")


ALIKE = """\
version: 1
name: shop
channels: {web: {}, store: {}}
identifiers: {user_id: {unique: true}, email: {normalise: email}, loyalty_id: {}}
journeys:
  purchase:
    phases: [interest, purchase]
    rules:
      - {name: searched, when: {type: search}, to: interest}
      - {name: purchased, when: {type: order_paid}, to: purchase}
matching:
  attributes: {first: given_name, last: family_name, born: birth_date, street: street, town: city}
  accept: 0.95
  review: 0.1
"""
ADA = {"first": "Ada", "last": "Lovelace", "born": "1985-12-10", "street": "12 St James Square", "town": "London"}
ADAH = {"first": "Adah", "last": "Lovelace", "street": "14 St James Square", "town": "London"}
SPLIT = {"command_id": "s1", "action": "split", "at": "2024-05-02T00:00:00Z", "who": "ann", "why": "her mother"}


@pytest.mark.parametrize("is_split", [False, True])
def test_whom_she_resembles_is_hers_only_as_long_as_they_are_one(is_split: bool, tmp_path: Path) -> None:
    """Of a likeness that was accepted she is given both records, for now; of one in doubt, or that a steward has split, nothing of the other."""
    told = [
        line("a1", "09:00", "search", {"email": "ada@x.org"}, profile=ADA),
        line("c1", "10:00", "order_paid", {"loyalty_id": "card-7"}, profile=ADA),
        line("c2", "11:00", "order_paid", {"loyalty_id": "card-8"}, profile=ADAH),
    ]
    pair = {"identifiers": {"email": "ada@x.org"}, "others": {"loyalty_id": "card-7"}}
    told += [json.dumps(SPLIT | pair).encode()] if is_split else []
    (tmp_path / "events.jsonl").write_bytes(b"\n".join(told))
    (tmp_path / "t.yaml").write_text(ALIKE)

    result = run("email:ada@x.org", "--file", tmp_path / "events.jsonl", "--topology", tmp_path / "t.yaml", "--output", "json")

    given = json.loads(result.stdout)
    assert [each["event_id"] for each in given["touchpoints"]] == (["a1"] if is_split else ["a1", "c1"])
    standing = [(moment["to_phase"], moment["is_provisional"]) for moment in given["moments"] if moment["stands"]]
    assert standing == [("interest", False)] + ([] if is_split else [("purchase", True)])
    hidden = ["card-8", "Adah", "14 St", "c2", *(["card-7", "c1"] if is_split else [])]
    assert [word for word in hidden if re.search(rf"(?<!\w){word}(?!\w)", result.stdout)] == []
    assert ("reviews.v1", "the last version, 400d") in {(row["where"], row["how_long"]) for row in given["retention"]}

"""A mapping and all that can be wrong with it."""

import json
from pathlib import Path

import pytest

from touchstone.customerfile.load import load_mapping, load_mapping_text
from touchstone.customerfile.model import WrittenMapping, WrittenPart
from touchstone.customerfile.reference import page, schema
from touchstone.errors import MappingError, UsageError
from touchstone.topology.load import default_topology_path, load_topology

ROOT = Path(__file__).parents[3]
TOPOLOGY = load_topology(default_topology_path())
RIGHT = """\
source: crm
occurred_at: 2026-11-01T00:00:00Z
identifiers:
  user_id: number
  email: [mail_1, {column: mail_2, split: ","}]
profile:
  city: Ort
  birth_date: {column: born, as: date, format: "%d.%m.%Y"}
consents:
  marketing: {column: optin, granted: J, denied: N}
"""


def faults_of(text: str) -> list[str]:
    """What is wrong with a mapping, with its places."""
    with pytest.raises(MappingError) as wrong:
        load_mapping_text(text, "m.yaml", TOPOLOGY)
    return [str(fault) for fault in wrong.value.faults]


def test_a_short_form_says_the_same_as_the_long_one() -> None:
    """A column may stand for what is made of it; channel and type have defaults."""
    written = load_mapping_text(RIGHT, "m.yaml", TOPOLOGY).written

    long = RIGHT.replace("city: Ort", "city: {column: Ort}").replace("source: crm", "source: {constant: crm}")
    assert written == load_mapping_text(long, "m.yaml", TOPOLOGY).written
    assert (written.channel.constant, written.type.constant) == ("back_office", "profile")
    assert [each.column for each in written.identifiers["email"]] == ["mail_1", "mail_2"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("source: crm", "sauce: crm"), "m.yaml:1:1: sauce: unknown key `sauce`: did you mean `source`?"),
        (("  user_id:", "  usr_id:"), "m.yaml:4:3: identifiers.usr_id: unknown kind of identifier `usr_id`: did you mean `user_id`?"),
        (("source: crm", "source: crm\nchannel: wbe"), "m.yaml:2:10: channel: unknown channel `wbe`: did you mean `web`?"),
        (("as: date,", "as: dat,"), "m.yaml:8:34: profile.birth_date.as: unknown word `dat`: did you mean `date`?"),
        (('as: date, format: "%d.%m.%Y"', 'format: "%d.%m.%Y"'), "expected `as: date` or `as: time` beside `format`"),
        (("%d.%m.%Y", "DD.MM.YYYY"), "expected the form of a time, such as `%d.%m.%Y`, found `DD.MM.YYYY`"),
        (("2026-11-01T00:00:00Z", "yesterday"), "expected ISO 8601 with a zone"),
        (("city: Ort", "city: {column: Ort, columns: [a, b]}"), "expected one of `column`, `columns` and `constant`"),
        (("city: Ort", "city: {column: Ort, part: first}"), "expected `split` beside `part`"),
        (("occurred_at: 2026-11-01T00:00:00Z\n", ""), "m.yaml:1:1: missing key `occurred_at`"),
        (("2026-11-01T00:00:00Z", "{column: c, zone: Europe/Nowhere}"), "expected a time zone such as UTC or Europe/Berlin"),
    ],
    ids=["key", "kind", "channel", "word", "format alone", "format", "time", "two places", "part", "missing", "zone"],
)
def test_a_fault_is_named_with_its_place_and_the_nearest_valid_word(change: tuple[str, str], fault: str) -> None:
    """As of a topology."""
    found = faults_of(RIGHT.replace(*change))

    assert any(fault in one for one in found), found


def test_all_columns_that_the_file_has_not_are_named_where_the_mapping_names_them() -> None:
    """In the order of the mapping."""
    mapping = load_mapping_text(RIGHT, "m.yaml", TOPOLOGY)

    with pytest.raises(MappingError) as wrong:
        mapping.require(["number", "mail_1", "mail_02", "Ort", "born", "opt_in"])

    assert [str(fault) for fault in wrong.value.faults] == [
        "m.yaml:5:28: identifiers.email[1].column: the file has no column `mail_2`: did you mean `mail_02`?",
        "m.yaml:10:23: consents.marketing.column: the file has no column `optin`: did you mean `opt_in`?",
    ]
    mapping.require(["number", "mail_1", "mail_2", "Ort", "born", "optin", "more"])


def test_what_is_no_mapping_at_all_is_said(tmp_path: Path) -> None:
    """Nothing, a list, a torn file, no file."""
    assert faults_of("") == ["m.yaml:1:1: expected a mapping with source, occurred_at, identifiers, ..., found something else"]
    assert faults_of("[a, b]") == faults_of("")
    assert "not valid YAML" in faults_of("source: {a")[0]
    with pytest.raises(UsageError, match="--suggest-mapping"):
        load_mapping(tmp_path / "none.yaml", TOPOLOGY)


def test_the_reference_page_and_the_schema_are_fresh() -> None:
    """Run `python -m touchstone.customerfile.reference` (with --schema) after a change of the model."""
    assert (ROOT / "docs/reference/mapping.md").read_text(encoding="utf-8") == page()
    assert (ROOT / "schemas/mapping.schema.json").read_text(encoding="utf-8") == schema()


def test_every_key_of_a_mapping_is_explained() -> None:
    """In the model, from which page and schema are made."""
    unexplained = [
        (part, name) for part in WrittenPart.__subclasses__() for name, field in part.model_fields.items() if not field.description
    ]

    assert WrittenMapping in WrittenPart.__subclasses__()
    assert not unexplained
    assert "additionalProperties" in json.loads(schema())

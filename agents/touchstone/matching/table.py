"""Records from a CSV file: which column is the id, which the truth, and which plays a role in the comparison."""

import csv
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import msgspec

from touchstone.errors import UsageError
from touchstone.matching.records import Record, make_record
from touchstone.matching.roles import ROLES, Role, guess_roles

_IDS = ("id", "rec_id", "record_id", "unique_id", "uid")


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A configuration file: `attributes` names the role of each column (none: guessed from the names)."""

    attributes: dict[str, str] = {}


class Table(msgspec.Struct, frozen=True):
    """What a file holds. `truth` is empty where no column was named."""

    records: list[Record]
    truth: dict[str, str]
    roles: dict[str, Role]
    ignored: list[str]


def read_table(file: Path, *, truth: str | None = None, record_id: str | None = None, attributes: Mapping[str, str] | None = None) -> Table:
    """The records of a CSV file with a header line.

    Without `record_id` the id is the first column of a usual name (id, rec_id, record_id, unique_id), else the line. Of several records with
    one id each gets the line's number behind it. `attributes` says the role of each column; without it, roles follow from the names.

    Raises:
        UsageError: the file cannot be read, a column or role is not there, or no column plays a role.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, skipinitialspace=True)
            columns = [column.strip() for column in reader.fieldnames or ()]
            reader.fieldnames = columns
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"expected a CSV file in UTF-8 with a header line in {file}, but it cannot be read: {error}") from None
    for name, what in ((truth, "--truth"), (record_id, "--id")):
        if name is not None and name not in columns:
            raise UsageError(f"expected the column `{name}` of {what} in {file}, found {', '.join(columns) or 'none'}")
    id_column = record_id or next((column for column in columns if column.casefold() in _IDS), None)
    roles = (
        _roles(attributes, columns, file) if attributes else guess_roles(column for column in columns if column not in {truth, id_column})
    )
    if not roles:
        raise UsageError(
            f"expected columns of people in {file}, such as given_name, surname, birth_date, email, but none of {', '.join(columns)} has a "
            'usual name; say which column plays which role in a file for --config: {"attributes": {"COLUMN": "given_name"}}'
        )
    ids: set[str] = set()
    records, true = [], {}
    for line, row in enumerate(rows, 2):
        name = (row.get(id_column) or "").strip() if id_column else str(line)
        name = name if name and name not in ids else f"{name}#{line}"
        ids.add(name)
        records.append(make_record(name, row, roles))
        if truth is not None:
            true[name] = (row.get(truth) or "").strip() or f"alone#{line}"
    return Table(records, true, roles, [column for column in columns if column not in {*roles, id_column, truth}])


def named_columns(file: Path, roles: Mapping[str, str]) -> dict[str, str]:
    """Of these attributes with their roles, those that are columns of the file.

    Raises:
        UsageError: the file cannot be read, or none of them is a column.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            columns = {column.strip() for column in next(csv.reader(lines, skipinitialspace=True), [])}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"expected a CSV file in UTF-8 with a header line in {file}, but it cannot be read: {error}") from None
    found = {name: role for name, role in roles.items() if name in columns}
    if not found:
        raise UsageError(
            f"expected columns of {file} that `matching` in the topology names ({', '.join(roles)}), found {', '.join(sorted(columns)) or 'none'}"
        )
    return found


def read_config(file: Path | None) -> Config:
    """The configuration in a JSON file; the default one without a file.

    Raises:
        UsageError: it cannot be read, or says something unknown.
    """
    if file is None:
        return Config()
    try:
        return msgspec.json.decode(file.read_bytes(), type=Config)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError) as wrong:
        raise UsageError(f'expected {{"attributes": {{"COLUMN": "ROLE", …}}}} in {file}, found something else: {wrong}') from None


def _roles(attributes: Mapping[str, str], columns: Sequence[str], file: Path) -> dict[str, Role]:
    found: dict[str, Role] = {}
    for column, role in attributes.items():
        if column not in columns:
            raise UsageError(f"expected the column `{column}` in {file}, as the configuration says, found {', '.join(columns)}")
        known = next((one for one in ROLES if one == role), None)
        if known is None:
            near = get_close_matches(role, ROLES, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(ROLES)}"
            raise UsageError(f"`{role}` of the column `{column}` is no role; {hint}")
        found[column] = known
    return found

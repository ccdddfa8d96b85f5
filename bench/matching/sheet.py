"""A set of records whose truth is known: how it is told, and how it lies in a folder for every tool to read.

Who is who is kept in a file of its own: what a tool is handed (`records.csv`, `task.json`) does not have it, not even in the ids or the order of
the records. Only the standard library is
imported here, because the peers' environments import it too.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Row = dict[str, str]
Role = Literal[
    "given_name", "middle_name", "family_name", "full_name", "gender", "birth_date", "organisation", "employer",
    "address", "street", "house_number", "district", "city", "postcode", "region", "country", "phone", "email",
    "national_id", "passport", "driving_licence", "tax_id", "identifier",
]  # fmt: skip
"""What a column means; the names are those of Touchstone's roles."""

RECORD_ID = "record_id"
PAIRS = "pairs.csv"
"""The sample of the truth for a tool that must be taught."""
_RECORDS, _TRUTH, _TASK, _CLUSTERS = "records.csv", "truth.csv", "task.json", "clusters.csv"
GIVEN = (_RECORDS, _TASK)
"""What a tool is handed."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A set that is not read yet.

    Attributes:
        name: As the table calls it.
        of: Whose it is, in a few words.
        roles: What each column means; no other column is handed out.
        recipe: Which set-up of the peers' authors fits: they publish one for some sets.
        read: Yields who it truly is, and the record.
        least_f1: What Touchstone must reach on the pairs of its clusters, if anything was promised.
        least_precision: The same of their precision.
        is_large: It takes its time, so it is run only when it is named.
        date_format: How a birth date is written, as strptime has it.
    """

    name: str
    of: str
    roles: Mapping[str, Role]
    recipe: Literal["febrl", "fake_1000", "people"]
    read: Callable[[], Iterator[tuple[str, Row]]]
    least_f1: float | None = None
    least_precision: float | None = None
    date_format: str = "%Y-%m-%d"
    is_large: bool = False


@dataclass(slots=True)
class Laid:
    """A set in a folder; the counts are known once it was written."""

    folder: Path
    records: int = 0
    people: int = 0
    _seen: set[str] = field(default_factory=set, repr=False)

    def write(self, sheet: Sheet) -> None:
        """Write the records, the truth and the task, one record at a time."""
        columns = [RECORD_ID, *sheet.roles]
        self.folder.mkdir(parents=True, exist_ok=True)
        with (
            (self.folder / _RECORDS).open("w", newline="", encoding="utf-8") as records,
            (self.folder / _TRUTH).open("w", newline="", encoding="utf-8") as truth,
        ):
            rows, truths = csv.DictWriter(records, columns, extrasaction="ignore", restval=""), csv.writer(truth)
            rows.writeheader()
            for who, row in sheet.read():
                record = str(self.records)  # publishers' own ids give the truth away: rec-122-org and rec-122-dup-0
                rows.writerow(row | {RECORD_ID: record})
                truths.writerow((record, who, row[RECORD_ID]))
                self.records += 1
                self._seen.add(who)
        self.people = len(self._seen)
        task = {"name": sheet.name, "recipe": sheet.recipe, "roles": dict(sheet.roles), "date_format": sheet.date_format}
        (self.folder / _TASK).write_text(json.dumps(task), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Task:
    """What a tool is told: which column means what."""

    name: str
    recipe: str
    roles: dict[str, Role]
    date_format: str

    def columns(self, *roles: Role) -> list[str]:
        """The columns that play one of these roles, in their order."""
        return [column for column, role in self.roles.items() if role in roles]


def task_in(folder: Path) -> Task:
    """The task that lies in a folder."""
    return Task(**json.loads((folder / _TASK).read_text(encoding="utf-8")))


def records_path(folder: Path) -> Path:
    """The file of the records."""
    return folder / _RECORDS


def rows_in(folder: Path) -> Iterator[Row]:
    """The records, one at a time."""
    with records_path(folder).open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def truth_in(folder: Path) -> dict[str, str]:
    """Who each record truly is."""
    return {record: who for record, who, _ in _lines(folder / _TRUTH)}


def published_ids_in(folder: Path) -> dict[str, str]:
    """Which record has the id that its publisher gave it."""
    return {published: record for record, _, published in _lines(folder / _TRUTH)}


def write_clusters(folder: Path, clusters: Iterable[tuple[str, object]], name: str = _CLUSTERS) -> None:
    """Write what a tool found: each record and the person it is said to be."""
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(clusters)


def clusters_in(folder: Path, name: str = _CLUSTERS) -> dict[str, str]:
    """What a tool found."""
    return {record: who for record, who in _lines(folder / name)}  # noqa: C416 - dict() would not know how many columns there are


def _lines(path: Path) -> Iterator[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.reader(file)

"""A peer: dedupe, set up as in its authors' csv_example. Runs in an environment of its own: `run_dedupe FOLDER`.

It learns from labels. Its authors let a person answer questions; nobody sits here, so it is handed a sample of pairs with the truth (pairs.csv,
from `write_pairs` in tool.py) instead, which is more than Touchstone and Splink are told. The threshold is 0.5, as in the example.
"""

import csv
import io
import logging
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dedupe
from dedupe import variables
from dedupe.serializer import write_training

from bench.matching.sheet import PAIRS, RECORD_ID, Task, rows_in, task_in, write_clusters
from bench.matching.told import Clock, folder_asked_for, tell

THRESHOLD = 0.5
_LONG = ("full_name", "organisation", "employer", "address", "street", "district", "city", "email")


def main() -> int:
    """Learn from the sample, then partition."""
    logging.getLogger("dedupe").setLevel(logging.ERROR)
    folder, clock = folder_asked_for(), Clock()
    task = task_in(folder)
    records = {row.pop(RECORD_ID): {column: _clean(value) for column, value in row.items()} for row in rows_in(folder)}
    matcher = dedupe.Dedupe(_variables(task, records), num_cores=1, in_memory=True)
    sample, labels = _labelled(folder, records)
    matcher.prepare_training(records, training_file=sample)
    matcher.train()
    clock.learned()
    found = matcher.partition(records, THRESHOLD)
    write_clusters(folder, ((record, number) for number, (members, _) in enumerate(found) for record in members))
    tell(clock.told(version("dedupe"), note=f"learned from {labels} labelled pairs"))
    return 0


def _variables(task: Task, records: dict[str, dict[str, str | None]]) -> list[Any]:
    """Every column that is ever filled: short ones compared as a whole, the others as text."""
    filled = {column for record in records.values() for column, value in record.items() if value}
    return [
        (variables.String if role in _LONG else variables.ShortString)(column, has_missing=True)
        for column, role in task.roles.items()
        if column in filled
    ]


def _labelled(folder: Path, records: dict[str, Any]) -> tuple[io.StringIO, int]:
    """The sample as dedupe reads it."""
    pairs: dict[str, list[Any]] = {"match": [], "distinct": []}
    with (folder / PAIRS).open(newline="", encoding="utf-8") as file:
        for left, right, answer in csv.reader(file):
            pairs[answer].append((records[left], records[right]))
    text = io.StringIO()
    write_training(pairs, text)
    text.seek(0)
    return text, sum(map(len, pairs.values()))


def _clean(text: str) -> str | None:
    """As the example does it, but for the transliteration: letters of other scripts stay what they are."""
    return re.sub(r"\s+", " ", text).strip().strip("\"'").lower().strip() or None


if __name__ == "__main__":
    raise SystemExit(main())

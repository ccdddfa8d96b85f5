"""What came out: one line per set and tool for the reader, the same as JSON for the next comparison."""

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.matching.measure import Quality, Scores
from bench.matching.sheet import Sheet
from bench.matching.told import Told


@dataclass(frozen=True, slots=True)
class Result:
    """One tool on one set.

    Attributes:
        sheet: The set.
        records: How many it has.
        people: Of how many people they are.
        tool: Who has matched them.
        quality: How well.
        told: What it took; nothing in a line that is a second look at the run above it.
        labels: Agreement with pairs that a clerk has judged, where there are some.
    """

    sheet: Sheet
    records: int
    people: int
    tool: str
    quality: Quality
    told: Told | None = None
    labels: Scores | None = None
    is_promised: bool = False

    @property
    def records_per_cpu_s(self) -> float | None:
        """Speed with the model at hand: what is left when reading and learning are done."""
        left = self.told.cpu_s - self.told.learned_s if self.told else 0
        return self.records / left if left > 0 else None

    @property
    def is_reached(self) -> bool | None:
        """Whether what was promised of this set holds; nothing where nothing was promised."""
        pairs, sheet = self.quality.pairs, self.sheet
        if not self.is_promised or (sheet.least_f1 is None and sheet.least_precision is None):
            return None
        return pairs.f1 >= (sheet.least_f1 or 0) and pairs.precision >= (sheet.least_precision or 0)


@dataclass(slots=True)
class Report:
    """All results and what could not be had."""

    results: list[Result] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    def show(self, ran_on: dict[str, Any], console: Console | None = None) -> None:
        """Print the table, and what it lacks."""
        console = console or Console(width=180, highlight=False)
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column, is_text in _COLUMNS:
            table.add_column(column, justify="left" if is_text else "right", no_wrap=True)
        for result in self.results:
            table.add_row(*_line(result))
        console.print(table)
        for sentence in self.absent:
            console.print(f"left out: {sentence}", soft_wrap=True)
        console.print(
            f"\n{ran_on['cores']} cores {ran_on['cpu']}, Python {ran_on['python']}, {ran_on['system']}, load {ran_on['load']}. Each tool ran "
            "alone. CPU seconds are of the whole process: reading and learning, then comparing and clustering all records.",
            soft_wrap=True,
        )

    def store(self, ran_on: dict[str, Any], path: Path) -> None:
        """Write the same as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "command": " ".join(["python -m bench.matching", *sys.argv[1:]]),
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "machine": ran_on,
            "results": [_told(result) for result in self.results],
            "left_out": self.absent,
        }
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


_COLUMNS = (
    ("set", True),
    ("records", False),
    ("people", False),
    ("tool", True),
    ("pairs P", False),
    ("R", False),
    ("F1", False),
    ("clusters F1", False),
    ("B³ F1", False),
    ("CPU s", False),
    ("learning", False),
    ("records/CPU s then", False),
    ("MiB", False),
    ("promised", True),
)


def _line(result: Result) -> tuple[str, ...]:
    quality, told, sheet = result.quality, result.told, result.sheet
    speed = result.records_per_cpu_s
    promised = [f"{name} ≥ {least}" for name, least in (("F1", sheet.least_f1), ("P", sheet.least_precision)) if least is not None]
    verdict = "" if result.is_reached is None else f"{', '.join(promised)}: {'yes' if result.is_reached else 'NO'}"
    measures = (quality.pairs.precision, quality.pairs.recall, quality.pairs.f1, quality.clusters.f1, quality.b_cubed.f1)
    return (
        sheet.name,
        f"{result.records:,}",
        f"{result.people:,}",
        result.tool,
        *(f"{measure:.4f}" for measure in measures),
        f"{told.cpu_s:,.1f}" if told else "",
        f"{told.learned_s:,.1f}" if told else "",
        f"{speed:,.0f}" if speed else "",
        f"{told.peak_mib:,.0f}" if told else "",
        verdict,
    )


def _told(result: Result) -> dict[str, Any]:
    quality = {name: _scores(getattr(result.quality, name)) for name in ("pairs", "clusters", "b_cubed")}
    return {
        "set": result.sheet.name,
        "of": result.sheet.of,
        "records": result.records,
        "people": result.people,
        "tool": result.tool,
        **quality,
        "labels": _scores(result.labels) if result.labels else None,
        "took": asdict(result.told) if result.told else None,
        "records_per_cpu_s": result.records_per_cpu_s,
        "reached": result.is_reached,
    }


def _scores(scores: Scores) -> dict[str, float]:
    return {"precision": scores.precision, "recall": scores.recall, "f1": scores.f1}

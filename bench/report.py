"""Figures as a table for the reader and as JSON for the next comparison."""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure is held against."""

    sense: Literal["at least", "below"]
    value: float

    def is_reached(self, value: float) -> bool:
        """Whether the figure is good enough."""
        return value >= self.value if self.sense == "at least" else value < self.value


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing: the values of its rounds, of which the median counts, and what it was measured on."""

    name: str
    unit: str
    rounds: tuple[float, ...]
    of: str = ""
    bar: Bar | None = None

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rounds)

    @property
    def spread(self) -> str:
        """The least and the most of the rounds, where there are several."""
        return f"{_text(min(self.rounds))} – {_text(max(self.rounds))}" if len(self.rounds) > 1 else ""


def machine() -> dict[str, Any]:
    """What it ran on, and how busy that was: a figure without it says nothing."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "load": [round(load, 2) for load in os.getloadavg()],
    }


def show(figures: Sequence[Figure], ran_on: dict[str, Any], console: Console | None = None) -> None:
    """Print the table."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("figure", "median", "unit", "least – most", "bar", "measured on"):
        table.add_column(column, justify="right" if column == "median" else "left", no_wrap=True)
    for figure in figures:
        bar = figure.bar
        verdict = f"{bar.sense} {_text(bar.value)}: {'yes' if bar.is_reached(figure.value) else 'NO'}" if bar else ""
        table.add_row(figure.name, _text(figure.value), figure.unit, figure.spread, verdict, figure.of)
    console = console or Console(width=200, highlight=False)
    console.print(table)
    console.print(f"\n{ran_on['cores']} cores {ran_on['cpu']}, Python {ran_on['python']}, {ran_on['system']}, load {ran_on['load']}")


def store(figures: Sequence[Figure], ran_on: dict[str, Any], path: Path) -> None:
    """Write the same as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = [
        asdict(figure) | {"value": figure.value, "reached": figure.bar.is_reached(figure.value) if figure.bar else None}
        for figure in figures
    ]
    content = {"command": " ".join(["python -m bench", *sys.argv[1:]]), "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    path.write_text(json.dumps(content | {"machine": ran_on, "figures": told}, indent=1) + "\n", encoding="utf-8")


def _text(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor() or "unknown")

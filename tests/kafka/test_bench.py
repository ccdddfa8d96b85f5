"""`make bench` runs; its figures are measured on a quiet machine, not here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from touchstone.devkit.running import BOOTSTRAP_VARIABLE

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_quick_bench_prints_every_figure_and_stores_it(kafka: str, tmp_path: Path) -> None:
    """Throughput, latency, restore, memory and the parts: each has a line and a number."""
    environment = {**os.environ, BOOTSTRAP_VARIABLE: kafka, "PYTHONPATH": f"{ROOT / 'agents'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "bench", "--quick", "--store", str(tmp_path / "figures.json")]

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)

    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())["figures"]
    names = {figure["name"] for figure in figures}
    assert {"touchpoints per CPU second", "produce to moment, p99", "restored records per second"} <= names
    assert all(figure["value"] >= 0 for figure in figures)
    assert all(figure["name"] in done.stdout for figure in figures)

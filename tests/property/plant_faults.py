"""Plants faults into a copy of the package, one by one, and asks who finds them: `python -m tests.property.plant_faults [name…]`.

For each fault the explorer tries histories until the law of convergence fails, and the tests of the pure stages run until one fails. The
result is the table of docs/decisions/0005-planted-faults.md. Exits with 1 if a fault is found by nobody and is not marked as harmless.
"""
# ruff: noqa: T201 - it prints its table

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.property.faults import FAULTS
from tests.property.faults.fault import Fault

ROOT = Path(__file__).parents[2]
HISTORIES = 1500
TESTS = (
    "tests/unit/identity",
    "tests/unit/journey",
    "tests/property/test_fold.py",
    "tests/property/test_survivorship.py",
    "tests/property/test_resolve.py",
)


def plant(fault: Fault, package: Path) -> None:
    """Change the copy.

    Raises:
        LookupError: the line is not there exactly once; the code has moved on, and this list must follow.
    """
    module = package / "touchstone" / fault.module
    text = module.read_text()
    if text.count(fault.line) != 1:
        raise LookupError(
            f"expected the line of {fault.name!r} once in {fault.module}, found it {text.count(fault.line)} times: {fault.line!r}"
        )
    module.write_text(text.replace(fault.line, fault.fault))


def run(arguments: list[str], copy: Path) -> subprocess.CompletedProcess[str]:
    """Run python in the copy of the repository."""
    environment = os.environ | {"PYTHONPATH": f"{copy / 'agents'}{os.pathsep}{copy}", "TOUCHSTONE_EXAMPLES": "check"}
    return subprocess.run([sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True, check=False)


def found_by_law(copy: Path) -> str:
    """The number of histories it took, or a dash."""
    outcome = run(["-m", "tests.property.explore", "--first", str(HISTORIES), "0"], copy)
    if outcome.returncode == 0:
        return "–"
    lines = outcome.stdout.splitlines()
    return lines[0].removeprefix("found by history ") if lines else "crashed: " + outcome.stderr.strip().splitlines()[-1]


def found_by_tests(copy: Path) -> str:
    """The first test that fails, or a dash."""
    outcome = run(["-m", "pytest", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider", *TESTS], copy)
    failed = [line for line in outcome.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].partition("::")[2].partition(" - ")[0] if failed else "–" if outcome.returncode == 0 else "crashed"


def main(names: list[str]) -> int:
    """The command line."""
    missed = 0
    print("| fault | law: history | unit and fold tests |\n|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        for name in ("agents", "tests"):
            shutil.copytree(ROOT / name, whole / name, ignore=shutil.ignore_patterns("__pycache__", "data"))
        shutil.copy(ROOT / "pyproject.toml", whole)
        for fault in FAULTS:
            if not names or any(name in fault.name for name in names):
                missed += not try_out(fault, whole)
    return int(missed > 0)


def try_out(fault: Fault, whole: Path) -> bool:
    """Plant one fault and say who finds it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(whole, copy)
        try:
            plant(fault, copy / "agents")
        except LookupError as error:
            print(f"| {fault.name} | {error} | |", flush=True)
            return False
        law, tests = found_by_law(copy), found_by_tests(copy)
    note = f" ({fault.harmless})" if fault.harmless else ""
    print(f"| {fault.name}{note} | {law} | {tests} |", flush=True)
    return bool(fault.harmless) or not law == tests == "–"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Who takes part, and one run of each: a process of its own that reads a folder, writes its clusters there and tells what it took."""

import csv
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import msgspec

from bench.matching.sheet import GIVEN, PAIRS, RECORD_ID, rows_in, task_in, truth_in
from bench.matching.told import Told
from bench.peer_venv import peer_python
from touchstone.errors import Unavailable

_ROOT = Path(__file__).parents[2]
_LINES = 5
_MATCHES, _OTHERS = 300, 600


@dataclass(frozen=True, slots=True)
class Tool:
    """One that takes part.

    Attributes:
        name: As the table calls it.
        module: What is run.
        needs: What is installed for it, in an environment of its own; nothing for what Touchstone's own has.
        is_taught: It learns from pairs with the truth.
        most_records: Larger sets are given to it only when it is asked for by name, with the reason.
    """

    name: str
    module: str
    needs: tuple[str, ...] = ()
    is_taught: bool = False
    most_records: int | None = None
    reason: str = ""

    def python(self) -> Path:
        """The Python that has it; installs it the first time.

        Raises:
            Unavailable: it cannot be installed.
        """
        return peer_python(self.needs, _ROOT / "bench" / f".peer-venv-{self.name.lower()}") if self.needs else Path(sys.executable)


TOUCHSTONE = Tool("Touchstone", "bench.matching.run_touchstone")
SPLINK = Tool(
    "Splink",
    "bench.matching.run_splink",
    ("splink==4.0.17", "duckdb==2.0.0", "pandas==3.1.1"),
)
DEDUPE = Tool(
    "dedupe",
    "bench.matching.run_dedupe",
    ("dedupe==3.0.3", "btrees==5.2"),  # a BTrees of 6 has no byValue, which dedupe calls
    is_taught=True,
    most_records=2_000,
    reason="5,000 records took it longer than all others together; `--tools dedupe` lets it try",
)
TOOLS = (TOUCHSTONE, SPLINK, DEDUPE)


def run(tool: Tool, python: Path, laid: Path, patience_s: float) -> tuple[Told, Path]:
    """One run over the records that lie in a folder; also the folder in which its clusters lie afterwards.

    Raises:
        Unavailable: it failed or took longer than that; with the last it said.
    """
    folder = laid / tool.name
    folder.mkdir()
    for name in GIVEN:  # the truth stays behind
        shutil.copy(laid / name, folder / name)
    if tool.is_taught:
        write_pairs(laid, folder, Random(1))
    path = os.pathsep.join((str(_ROOT / "agents"), str(_ROOT)))
    try:
        done = subprocess.run(
            [str(python), "-m", tool.module, str(folder)],
            cwd=_ROOT,
            env={**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore", "PYTHONHASHSEED": "1"},
            capture_output=True,
            text=True,
            timeout=patience_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{tool.name} was stopped after {patience_s:,.0f} s; give it longer with --patience") from error
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-_LINES:])
        raise Unavailable(f"{tool.name} ended with code {done.returncode}; it said:\n{said}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Told), folder


def write_pairs(laid: Path, folder: Path, random: Random) -> None:
    """A sample of pairs with the truth: some of one person, some of two, and of these half that look alike.

    Pairs that share nothing teach little: somebody who labels is shown the doubtful ones.
    """
    truth = truth_in(laid)
    people, alike = _groups(truth.items()), _groups(_resemblances(laid))
    pairs = {_two(random.choice(people), random) for _ in range(_MATCHES)}
    others = {_two(random.choice(alike), random) for _ in range(_OTHERS // 2)} if alike else set()
    others |= {_two(list(truth), random) for _ in range(_OTHERS // 2)}
    with (folder / PAIRS).open("w", newline="", encoding="utf-8") as file:
        for left, right in sorted(pairs | others):
            csv.writer(file).writerow((left, right, "match" if truth[left] == truth[right] else "distinct"))


def _groups(keyed: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Records with the same key, where there are several."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for record, key in keyed:
        groups[key].append(record)
    return [members for members in groups.values() if len(members) > 1]


def _resemblances(laid: Path) -> Iterator[tuple[str, str]]:
    """Each record with its family name, and with its town."""
    columns = task_in(laid).columns("family_name", "city")
    for row in rows_in(laid):
        yield from ((row[RECORD_ID], f"{column} {row[column]}") for column in columns if row[column])


def _two(records: Sequence[str], random: Random) -> tuple[str, str]:
    left, right = sorted(random.sample(records, 2))
    return left, right

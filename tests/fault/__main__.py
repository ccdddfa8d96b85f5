"""`python -m tests.fault --seed N --minutes M`: hostile bytes for the decoders, then the walk.

Exit code 1, with the seed and the evidence, when something is violated.
"""

import argparse
import asyncio
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.fault.walk import CATALOGUE, Walk, table

FUZZED = 0.1
"""This share of the time goes to the decoders: what they refuse or read needs no broker, and most of what hostile bytes can do is theirs."""


def main() -> int:
    """Fuzz, walk, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.fault", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="decides the faults; a fresh one by default, printed")
    parser.add_argument("--minutes", type=float, default=60.0, help="how long; a round that has begun is finished (default 60)")
    parser.add_argument("--rounds", type=int, default=None, help="at most so many")
    parser.add_argument("--brokers", type=int, default=1, choices=(1, 3), help="of the Kafka that is started for it (default 1)")
    parser.add_argument("--faults-a-round", type=int, default=6, help="before everything is checked (default 6)")
    parser.add_argument("--fuzz", type=float, default=None, help=f"share of the minutes for the decoders (default {FUZZED}; 0 with --only)")
    parser.add_argument("--only", default="", help=f"faults, separated by commas: {', '.join(CATALOGUE)}")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else time.time_ns() % 1_000_000
    words = [word for word in options.only.split(",") if word]
    if unknown := [word for word in words if word not in CATALOGUE]:
        parser.error(f"unknown faults {', '.join(unknown)}; known are {', '.join(CATALOGUE)}")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it speaks of every retry, and there will be many
    folder = Path(tempfile.mkdtemp(prefix=f"touchstone-chaos-{seed}-"))
    print(f"seed {seed}, {options.minutes:g} minutes, {options.brokers} broker(s), in {folder}", flush=True)
    share = options.fuzz if options.fuzz is not None else FUZZED * (not words)
    fuzzing = options.minutes * share
    is_sound = not fuzzing or fuzz([sys.executable, "-m", "tests.fuzz", f"{fuzzing:g}", str(seed)], fuzzing, folder)
    walk = Walk(
        seed,
        folder,
        nodes=options.brokers,
        words=words or None,
        faults_a_round=options.faults_a_round,
        tell=lambda line: print(f"{time.strftime('%H:%M:%S')} {line}", flush=True),
    )
    report = asyncio.run(walk.run((options.minutes - fuzzing) * 60, options.rounds))
    print(table(report))
    if report.violations:
        print(f"VIOLATED, seed {seed}; logs and state are in {folder}:", *report.violations, sep="\n  ", file=sys.stderr)
        return 1
    if not is_sound:
        print(f"VIOLATED, seed {seed}: the decoders; {folder / 'fuzz.log'} has the bytes", file=sys.stderr)
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def fuzz(command: Sequence[str], minutes: float, folder: Path) -> bool:
    """Run the decoders' fuzzer; whether all that is promised of any bytes held. Its log and what it found lie in the folder.

    In a process of its own: what it instruments must not slow the walk, and native code that crashes is an answer, too.
    """
    log = folder / "fuzz.log"
    print(f"{time.strftime('%H:%M:%S')} the decoders read hostile bytes for {minutes:.1f} minutes", flush=True)
    with log.open("wb") as out:
        ended = subprocess.run(
            command, stdout=out, stderr=subprocess.STDOUT, env=os.environ | {"TMPDIR": str(folder)}, timeout=60 * minutes + 300, check=False
        )
    lines = log.read_text(errors="replace").splitlines()
    told = [line for line in lines if line.startswith(("fuzz: ", "Done "))] if ended.returncode == 0 else lines[-20:]
    print(f"{time.strftime('%H:%M:%S')} the decoders, exit code {ended.returncode}:", *told, sep="\n  ", flush=True)
    return ended.returncode == 0


if __name__ == "__main__":
    sys.exit(main())

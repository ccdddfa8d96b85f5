"""`python -m tests.fault --seed N --minutes M`: the walk by itself. Exit code 1, with the seed and the evidence, when something is violated."""

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.fault.walk import CATALOGUE, Walk, table


def main() -> int:
    """Walk, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.fault", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="decides the faults; a fresh one by default, printed")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=None, help="at most so many")
    parser.add_argument("--brokers", type=int, default=1, choices=(1, 3))
    parser.add_argument("--faults-a-round", type=int, default=6)
    parser.add_argument("--only", default="", help=f"faults, separated by commas: {', '.join(CATALOGUE)}")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else time.time_ns() % 1_000_000
    words = [word for word in options.only.split(",") if word]
    if unknown := [word for word in words if word not in CATALOGUE]:
        parser.error(f"unknown faults {', '.join(unknown)}; known are {', '.join(CATALOGUE)}")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it speaks of every retry, and there will be many
    folder = Path(tempfile.mkdtemp(prefix=f"touchstone-chaos-{seed}-"))
    print(f"seed {seed}, {options.minutes:g} minutes, {options.brokers} broker(s), in {folder}", flush=True)
    walk = Walk(
        seed,
        folder,
        nodes=options.brokers,
        words=words or None,
        faults_a_round=options.faults_a_round,
        tell=lambda line: print(f"{time.strftime('%H:%M:%S')} {line}", flush=True),
    )
    report = asyncio.run(walk.run(options.minutes * 60, options.rounds))
    print(table(report))
    if report.violations:
        print(f"VIOLATED, seed {seed}; logs and state are in {folder}:", *report.violations, sep="\n  ", file=sys.stderr)
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

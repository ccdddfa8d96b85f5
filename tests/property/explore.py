"""Tries the law of convergence on many histories by number, without hypothesis: `python -m tests.property.explore 10000 [first seed]`.

Prints each kind of failure once, with the smallest history found, and exits with 1 if there was any. `--first` stops at the first one;
`--show` runs one number and prints what it sees. Much faster than hypothesis, and every number can be run again.
"""
# ruff: noqa: T201 - it prints what it finds

import sys
import time
import traceback
from collections import Counter
from random import Random

from tests.property.histories import draw_history
from tests.property.law import check, live


def explore(count: int, first: int, *, until_failure: bool = False) -> int:
    """Try `count` histories; returns how many failed."""
    failed: Counter[tuple[str, str]] = Counter()
    smallest: dict[tuple[str, str], tuple[int, int]] = {}
    begin = time.monotonic()
    for seed in range(first, first + count):
        history = draw_history(Random(seed))
        try:
            check(history, live(history))
        except Exception as error:  # noqa: BLE001 - any failure of the code under test is what we look for
            frame = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{type(error).__name__} in {frame.name}", (str(error).splitlines() or [""])[0][:70]
            failed[kind] += 1
            if kind not in smallest or len(history.facts) < smallest[kind][0]:
                smallest[kind] = len(history.facts), seed
            if until_failure:
                print(f"found by history {seed - first + 1} (number {seed}): {kind[0]}: {kind[1]}")
                return 1
    print(f"{count} histories in {time.monotonic() - begin:.0f} s, {sum(failed.values())} failed")
    for kind, number in failed.most_common():
        print(f"{number:6} {kind[0]}: {kind[1]}; smallest: number {smallest[kind][1]} with {smallest[kind][0]} facts")
    return sum(failed.values())


def show(seed: int) -> None:
    """Run one history and print it with its outputs."""
    history = draw_history(Random(seed))
    print(history.setting, history.world, f"end={history.end}")
    for fact in history.facts:
        print(" ", fact)
    system = live(history)
    for record in system.outputs:
        print("   ", record)
    check(history, system)


def main(arguments: list[str]) -> int:
    """The command line."""
    numbers = [int(word) for word in arguments if not word.startswith("--")]
    if "--show" in arguments:
        show(numbers[0])
        return 0
    return int(explore(numbers[0], numbers[1] if len(numbers) > 1 else 0, until_failure="--first" in arguments) > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

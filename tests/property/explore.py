"""Tries the law of convergence on many histories by number, without hypothesis: `python -m tests.property.explore 10000 [first number]`.

Prints each kind of failure once, with the smallest history found, and exits with 1 if there was any. `--first` stops at the first one.
`--show NUMBER` makes a failing history as small as it can and prints what it sees.
"""
# ruff: noqa: T201 - it prints what it finds

import sys
import time
import traceback
from collections import Counter
from dataclasses import replace
from random import Random

from tests.property.histories import History, draw_history
from tests.property.law import check, live

Kind = tuple[str, str]


def fault_of(history: History) -> Kind | None:
    """How a history fails: where, and the first line of why."""
    try:
        check(history, live(history))
    except Exception as error:  # noqa: BLE001 - any failure of the code under test is what we look for
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in {frame.name}", (str(error).splitlines() or [""])[0][:70]
    return None


def explore(count: int, first: int, *, until_failure: bool = False) -> int:
    """Try `count` histories; returns how many failed."""
    failed: Counter[Kind] = Counter()
    smallest: dict[Kind, tuple[int, int]] = {}
    begin = time.monotonic()
    for number in range(first, first + count):
        history = draw_history(Random(number))
        kind = fault_of(history)
        if kind is None:
            continue
        failed[kind] += 1
        smallest[kind] = min(smallest.get(kind, (1 << 30, 0)), (len(history.facts), number))
        if until_failure:
            print(f"found by history {number - first + 1} (number {number}): {kind[0]}: {kind[1]}")
            return 1
    print(f"{count} histories in {time.monotonic() - begin:.0f} s, {failed.total()} failed")
    for kind, times in failed.most_common():
        print(f"{times:6} {kind[0]}: {kind[1]}; smallest: number {smallest[kind][1]} with {smallest[kind][0]} facts")
    return failed.total()


def smaller(history: History, kind: Kind, tries: int = 30) -> History:
    """Leave out facts as long as some interleaving of the rest fails in the same way."""
    for n in range(len(history.facts)):
        facts = history.facts[:n] + history.facts[n + 1 :]
        for seed in range(history.seed, history.seed + tries) if facts else ():
            less = replace(history, facts=facts, seed=seed)
            if fault_of(less) == kind:
                return smaller(less, kind, tries)
    return history


def show(number: int) -> None:
    """Run one history, made small if it fails, and print it with its outputs."""
    history = draw_history(Random(number))
    kind = fault_of(history)
    history = smaller(history, kind) if kind else history
    print(history.setting, history.world, f"end={history.end} seed={history.seed}", kind)
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

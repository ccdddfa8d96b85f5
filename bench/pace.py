"""How fast this machine is at the moment: CPU seconds are not the same on a shared machine from one minute to the next."""

import time

_STEPS = 100_000


def pace() -> float:
    """CPU milliseconds of a fixed piece of plain Python, in this process.

    On virtual cores that share caches and execution units with others the same work takes up to twice as many CPU seconds when the
    neighbours are busy. Compare figures only between runs in which this one is alike.
    """
    before = time.process_time()
    counted: dict[str, int] = {}
    for step in range(_STEPS):
        name = f"k{step & 1023}"
        counted[name] = counted.get(name, 0) + len(name)
    return (time.process_time() - before) * 1_000

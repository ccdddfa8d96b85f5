"""Asynchronous union-find: identifiers find one root by messages alone, in any order (DESIGN.md 5.4).

Every pointer leads to an identifier that hooks lower, so no circle can arise; a root that hangs itself up hands its component on.
Proven by exploration in tests/property/test_convergence.py; the idea of linking by a fixed random order: Jayanti and Tarjan,
"Concurrent disjoint set union", 2021.
"""

from collections.abc import Callable

from touchstone.identity.ordering import Hook
from touchstone.model.message import Absorb, Unite


def unite(x: str, root: str, y: str, hook: Callable[[str], Hook]) -> tuple[str, Absorb | Unite | None]:
    """At identifier `x`, which hangs on `root`: bring `x` and `y` together. Returns the new root of `x` and what to send."""
    if root == x:
        if hook(y) < hook(x):
            return y, Absorb(x, y)
        return root, None if y == x else Unite(y, x)
    if root == y:
        return root, None
    low, high = (root, y) if hook(root) < hook(y) else (y, root)
    return root, Unite(high, low)

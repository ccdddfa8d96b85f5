"""When an identifier has met, or resembles, so many others that it unites nobody any more.

This guard is raw and monotone: it only keeps components small. Whether an identifier is shared is decided among people, in resolve.py.
"""

from collections.abc import Mapping

from touchstone.topology.compile import IdentifierKind

MOST_ALIKE = 200
"""An identifier that resembles more others than this is described as everybody: likeness to it says nothing any more."""


def is_generic(kind: IdentifierKind, up: Mapping[str, int], down: int) -> bool:
    """`up`: stronger neighbours by their kind; `down`: weaker neighbours in all."""
    if kind.guard_weaker is not None and down > kind.guard_weaker:
        return True
    return any(count > kind.guard_stronger for count in up.values())

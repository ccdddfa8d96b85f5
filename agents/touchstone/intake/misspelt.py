"""A producer's word that the topology does not know: how a refusal speaks of it.

The nearest word of the topology may always be named. What the producer wrote is repeated only where it looks like a name: anything else
may be a person's data in the wrong place.
"""

import difflib
import re
from functools import lru_cache

_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,39}")
_LISTED = 12


@lru_cache(maxsize=1024)
def meant(word: str, known: tuple[str, ...]) -> str | None:
    """The known word that comes nearest, whatever the case; None where nothing is like it."""
    by_lower = {one.lower(): one for one in reversed(known)}
    near = difflib.get_close_matches(word[:128].lower(), by_lower, n=1)
    return by_lower[near[0]] if near else None


def shown(word: str) -> str | None:
    """The word as it may be repeated, or None."""
    return f"`{word}`" if _NAME.fullmatch(word) else None


def found(word: str, known: tuple[str, ...]) -> str:
    """What was found instead of a known word, and which one is likely to be meant: the end of a sentence."""
    near = meant(word, known)
    if near is not None:
        hint = f"did you mean `{near}`?"
    else:
        listed = ", ".join(f"`{one}`" for one in known[:_LISTED])
        hint = f"there are {listed}{' and others' if len(known) > _LISTED else ''}"
    return f"found {shown(word) or 'another word'}; {hint}"

"""Hides, in what a person is shown, every value that is somebody else's."""

import re
from collections.abc import Collection, Iterable
from typing import Any, TypeVar

import msgspec

_S = TypeVar("_S", bound=msgspec.Struct)

WITHHELD = "[withheld]"
_LEAST = 3
"""Shorter values say nothing of anybody, but stand in many words."""


class Veil:
    """Knows the identifiers of others. A value of hers that is also theirs is hers."""

    def __init__(self, foreign: Iterable[str], own: Iterable[str]) -> None:
        hers = {value.casefold() for value in own}
        hidden = sorted({value for value in foreign if len(value) >= _LEAST and value.casefold() not in hers}, key=lambda v: (-len(v), v))
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, hidden))})(?!\w)", re.IGNORECASE) if hidden else None

    def over(self, value: Any) -> Any:
        """The same value; in every text of it, and in every name, what is somebody else's is replaced."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self._pattern.sub(WITHHELD, value)
        if isinstance(value, dict):
            return {self.over(name): self.over(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self.over(inner) for inner in value)
        return value

    def over_fields(self, struct: _S, *, but: Collection[str] = ()) -> _S:
        """The same struct, all its fields but these under the veil."""
        fields = {name: getattr(struct, name) for name in struct.__struct_fields__ if name not in but}
        return msgspec.structs.replace(struct, **self.over(fields))

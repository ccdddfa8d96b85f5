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
        """The same value; in every text of it, and in every name that its author chose, what is somebody else's is replaced."""
        return self._over(value, names=True)

    def over_rows(self, rows: Any) -> Any:
        """The same for objects whose fields have names of ours, which stay."""
        return self._over(rows, names=False)

    def over_fields(self, struct: _S, *, but: Collection[str] = ()) -> _S:
        """The same struct, all its fields but these under the veil."""
        fields = {name: self.over(getattr(struct, name)) for name in struct.__struct_fields__ if name not in but}
        return msgspec.structs.replace(struct, **fields)

    def _over(self, value: Any, *, names: bool) -> Any:
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self._pattern.sub(WITHHELD, value)
        if isinstance(value, dict):
            return {self._over(name, names=names) if names else name: self._over(inner, names=names) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self._over(inner, names=names) for inner in value)
        return value

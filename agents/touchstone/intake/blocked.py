"""Placeholders that producers send where they know nobody: blocked by the topology, for all kinds or for one."""

import re

from touchstone.topology.compile import IdentifierKind


class Blocked:
    """The blocked values of one kind. Values are compared whole, patterns are searched; upper and lower case are the same."""

    def __init__(self, kind: IdentifierKind) -> None:
        self._values = frozenset(value.casefold() for value in kind.blocked)
        self._patterns = tuple(re.compile(pattern.pattern, pattern.flags | re.IGNORECASE) for pattern in kind.blocked_patterns)

    def __contains__(self, value: str) -> bool:
        return value.casefold() in self._values or any(pattern.search(value) for pattern in self._patterns)

"""Where the checks write down what they find, and learn what had to be left out of the document."""

import re
from collections.abc import Iterable

from touchstone.errors import Fault
from touchstone.topology.document import Node
from touchstone.topology.explain import Location, nearest, place


class Findings:
    """Faults of one document, each at the place of the value (or the key) that it speaks of.

    `left_out` are the paths that the model refused: reported already, and no longer in the tree. A check that would find something
    missing asks `lost` first, so that one fault is not reported twice.
    """

    def __init__(self, root: Node, file: str, left_out: Iterable[str] = ()) -> None:
        self.faults: list[Fault] = []
        self._root = root
        self._file = file
        self._left_out = tuple(left_out)

    def at(self, location: Location, message: str) -> None:
        """Something is wrong with the value at this location."""
        node, _ = place(self._root, location)
        self.faults.append(Fault(message, node.path, self._file, node.line, node.column))

    def at_key(self, location: Location, message: str) -> None:
        """Something is wrong with the key at this location, or with all that it holds."""
        node, _ = place(self._root, location)
        self.faults.append(Fault(message, node.path, self._file, node.key_line, node.key_column))

    def unknown(self, location: Location, what: str, word: str, words: Iterable[str]) -> None:
        """The value names something that is not defined."""
        self.at(location, f"unknown {what} `{word}`: {nearest(word, words)}")

    def unknown_key(self, location: Location, what: str, word: str, words: Iterable[str]) -> None:
        """The key, or the value that belongs to it, names something that is not defined."""
        self.at_key(location, f"unknown {what} `{word}`: {nearest(word, words)}")

    def line_of(self, location: Location) -> int:
        """The line in which the key at this location stands."""
        return place(self._root, location)[0].key_line

    def lost(self, location: Location) -> list[str]:
        """What was left out at or below a location, as paths from there; an empty path is the location itself."""
        node, depth = place(self._root, location)
        here = node.path + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location[depth:])
        here = here.removeprefix(".")
        return [path[len(here) :].removeprefix(".") for path in self._left_out if path == here or path.startswith((f"{here}.", f"{here}["))]

    def names(self, group: str, defined: Iterable[str]) -> set[str]:
        """The names that the author gave in a group, those of entries that were left out among them."""
        return {*defined, *(re.split(r"[.\[]", path, maxsplit=1)[0] for path in self.lost((group,)) if path)}

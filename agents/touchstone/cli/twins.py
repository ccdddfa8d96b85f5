"""A twin that was told a file: what commands look at in place of a live system."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from touchstone.devkit.datasets import read_lines
from touchstone.hash_key import secret_from
from touchstone.pipeline import OutputRecord
from touchstone.simulate import LINES_AT_ONCE, Twin
from touchstone.topology.compile import Topology


def lines_of(file: Path) -> list[bytes]:
    """The lines of a file that say something.

    Raises:
        UsageError: it cannot be read.
    """
    return [text for text in read_lines(str(file)) if text.strip()]


def told(lines: Sequence[bytes], topology: Topology, say: Callable[[OutputRecord], None]) -> Twin:
    """A twin that has taken in these lines, with the ids that workers with this environment give."""
    twin = Twin(topology, say, secret=secret_from(os.environ))
    for start in range(0, len(lines), LINES_AT_ONCE):
        twin.feed(lines[start : start + LINES_AT_ONCE])
    return twin

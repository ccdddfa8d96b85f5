"""One fault that is planted."""

from typing import NamedTuple


class Fault(NamedTuple):
    """One line of the product, and the same line with a fault. `harmless`: why nobody needs to find it."""

    name: str
    module: str
    line: str
    fault: str
    harmless: str = ""

"""Who describes people, as the other modules know it; what describes is loaded only where something is matched: it needs what compares."""

from collections.abc import Callable
from importlib import import_module
from typing import Protocol, cast

from touchstone.model.message import Describe
from touchstone.model.touchpoint import Touchpoint
from touchstone.topology.compile import Matching


class Describes(Protocol):
    """Makes records of what touchpoints say of people (describe.py)."""

    def describe(self, touchpoint: Touchpoint) -> Describe | None:
        """What identity is told of the person behind the strongest identifier; None where nothing is said, or nothing new."""
        ...

    def describe_anew(self, touchpoint: Touchpoint, is_forgotten: Callable[[str], bool]) -> Describe | None:
        """The same, known or not. Where an identifier that it speaks of is forgotten, the record has no values: it was there, and no more."""
        ...

    def forget(self) -> None:
        """Something that was sent did not come about: say it again when it comes."""
        ...


def describer_of(matching: Matching, digest: Callable[[str], bytes]) -> Describes:
    """The one that a topology asks for. `digest` is the keyed hash of the installation."""
    return cast("Describes", import_module("touchstone.intake.describe").Describer(matching, digest))

"""Which of a steward's rulings stand: of all about one pair that were not undone the last one, whatever the order in which they came."""

from collections.abc import Iterable

from touchstone.model.command import Pair
from touchstone.model.component import Ruling


def standing(rulings: Iterable[Ruling]) -> dict[Pair, Ruling]:
    """Pair -> the ruling that holds: the latest, of equally late ones that with the greatest command id (then content)."""
    found: dict[Pair, Ruling] = {}
    for ruling in rulings:
        if ruling.undone_by is None and (ruling.pair not in found or _place(found[ruling.pair]) < _place(ruling)):
            found[ruling.pair] = ruling
    return found


def _place(ruling: Ruling) -> tuple[int, str, str]:
    return ruling.at, ruling.command, ruling.content

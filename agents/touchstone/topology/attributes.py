"""The rules of the golden record as the engine runs them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from touchstone.topology.match import Comparison, Match, comparisons, match_of
from touchstone.topology.model_attributes import EVERY, WrittenAttribute, WrittenCriterion, WrittenDerivation
from touchstone.topology.words import attribute_path


@dataclass(frozen=True, slots=True)
class Criterion:
    """One rule of survivorship; `ranks`: of sources or channels, the first first."""

    rule: Literal["most_recent", "most_frequent", "longest", "source", "channel"]
    ranks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Survival:
    """Which value of an attribute survives: the first criterion that makes a difference decides. `multi`: several may hold at once."""

    by: tuple[Criterion, ...]
    multi: bool = False


@dataclass(frozen=True, slots=True)
class Derivation:
    """An attribute that follows from others. `of` is the attribute (age, number); `bands` are (label, begin), rising; `cases` are
    (value, comparisons of attributes by name); `path` leads to what is collected from touchpoints of `add`, and given up by `remove`.
    """

    name: str
    how: Literal["age", "number", "cases", "collect"]
    of: str = ""
    bands: tuple[tuple[str, Any], ...] = ()
    cases: tuple[tuple[str, tuple[tuple[str, Comparison], ...]], ...] = ()
    path: tuple[str, ...] = ()
    add: Match | None = None
    remove: Match | None = None


@dataclass(frozen=True, slots=True)
class Attributes:
    """All rules. `named`: by attribute; `others`: of those without an entry, None where only the last value is kept."""

    named: Mapping[str, Survival]
    others: Survival | None = None
    derived: tuple[Derivation, ...] = ()

    @property
    def collected(self) -> tuple[Derivation, ...]:
        """Those that touchpoints fill."""
        return tuple(one for one in self.derived if one.how == "collect")


def attributes_of(written: Mapping[str, WrittenAttribute], types: Mapping[str, str], channels: Mapping[str, str]) -> Attributes | None:
    """What the author wrote, with every alias resolved; None where nothing is asked for that does not go without saying."""
    stated = {name: _survival(one, channels) for name, one in written.items() if one.derive is None}
    others = stated.pop(EVERY, None)
    if others == Survival((Criterion("most_recent"),)):
        others = None
    derived = tuple(_derivation(name, one.derive, types, channels) for name, one in written.items() if one.derive is not None)
    return Attributes(stated, others, derived) if stated or others or derived else None


def _survival(written: WrittenAttribute, channels: Mapping[str, str]) -> Survival:
    return Survival(tuple(_criterion(one, channels) for one in written.by), written.multi)


def _criterion(written: WrittenCriterion, channels: Mapping[str, str]) -> Criterion:
    if written.source is not None:
        return Criterion("source", tuple(written.source))
    if written.channel is not None:
        return Criterion("channel", tuple(channels.get(one, one) for one in written.channel))
    return Criterion(written.rule or "most_recent")


def _derivation(name: str, written: WrittenDerivation, types: Mapping[str, str], channels: Mapping[str, str]) -> Derivation:
    bands = tuple((written.bands or {}).items())
    if written.age_of is not None:
        return Derivation(name, "age", written.age_of, bands)
    if written.number_of is not None:
        return Derivation(name, "number", written.number_of, bands)
    if written.cases is not None:
        cases = (
            (value, tuple((attribute, one) for attribute, condition in asked.items() for one in comparisons((attribute,), condition)))
            for value, asked in written.cases.items()
        )
        return Derivation(name, "cases", cases=tuple(cases))
    add, remove = (None if match is None else match_of(match, types, channels) for match in (written.add, written.remove))
    return Derivation(name, "collect", path=attribute_path(written.collect or ""), add=add, remove=remove)

"""Which touchpoints a rule speaks of, and what is asked of their attributes, as the engine runs it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from touchstone.topology.words import WrittenCondition, WrittenSilence, attribute_path


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of an attribute: `path` begins with properties, context or profile."""

    path: tuple[str, ...]
    operator: Literal["is", "is_not", "above", "at_least", "below", "at_most", "in", "exists"]
    value: Any


@dataclass(frozen=True, slots=True)
class Match:
    """Which touchpoints a rule speaks of; None means any."""

    types: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    where: tuple[Comparison, ...] = ()


def match_of(written: WrittenSilence, types: Mapping[str, str], channels: Mapping[str, str]) -> Match:
    """What the author wrote, with every alias resolved."""
    where = tuple(one for attribute, condition in written.where.items() for one in comparisons(attribute_path(attribute), condition))
    return Match(some(written.type, types), some(written.channel, channels), where)


def comparisons(path: tuple[str, ...], condition: WrittenCondition) -> Iterable[Comparison]:
    """Every comparison of a condition; all of them must hold."""
    for operator, value in condition.asked.items():
        yield Comparison(path, operator, tuple(value) if isinstance(value, list) else value)


def some(words: Iterable[str] | None, aliases: Mapping[str, str] | None = None) -> frozenset[str] | None:
    """Words with aliases resolved; None, which means any, stays None."""
    return None if words is None else frozenset((aliases or {}).get(word, word) for word in words)

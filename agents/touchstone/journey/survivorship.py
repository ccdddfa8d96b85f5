"""Which of the values that were said of an attribute survives, what lost to it and why; from when until when several hold."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from touchstone.model.golden import Candidate, Golden, Order, Spell
from touchstone.model.touchpoint import Touchpoint
from touchstone.topology.attributes import Survival

MOST_CANDIDATES = 32
"""Of one attribute; what would be chosen last is left out. Only `most_frequent` can tell: of a value that was left out the count is lost."""

MOST_SPELLS = 50
"""Of one attribute; what ended longest ago is left out."""

MOST_SHOWN = 5
"""So many of the values that lost stand in a customer's record."""

MOST_RECENT = "most_recent"

_json = msgspec.json.Encoder(order="deterministic").encode
_text_of = msgspec.json.Decoder(str).decode


class Loser(NamedTuple):
    """A value that did not survive, and the rule that decided."""

    candidate: Candidate
    lost_by: str


class Ranking(NamedTuple):
    """What survives (None: nothing holds now), and what lost, the best first; of each value what speaks most for it."""

    winner: Candidate | None
    losers: list[Loser]


def take(golden: Golden, name: str, rule: Survival, touchpoint: Touchpoint, value: Any) -> None:
    """Take in what the newest touchpoint says of an attribute."""
    if rule.multi:
        stated = value if isinstance(value, list) else [value]
        texts = list(dict.fromkeys(text_of(one) for one in stated if one is not None))[:MOST_CANDIDATES]
        _hold(golden.spells.setdefault(name, []), touchpoint, texts)
    else:
        texts = [text_of(value)]
    candidates = golden.candidates.setdefault(name, [])
    order = touchpoint.order
    for text in texts:
        for known in candidates:
            if known.value == text and known.last[1] == order[1] and known.channel == touchpoint.channel:
                known.last, known.count = order, known.count + 1
                break
        else:
            candidates.append(Candidate(text, touchpoint.channel, order))
    if len(candidates) > MOST_CANDIDATES:
        first = sorted(candidates, key=_merit(rule, candidates, _held(golden, name, rule)), reverse=True)[:MOST_CANDIDATES]
        golden.candidates[name] = [one for one in candidates if any(one is kept for kept in first)]


def text_of(value: Any) -> str:
    """A value as JSON text: equal for equal values, whatever the order of keys."""
    return _json(value).decode()


def rank(golden: Golden, name: str, rule: Survival) -> Ranking:
    """Who wins, who loses, and why."""
    candidates = golden.candidates.get(name, [])
    held = _held(golden, name, rule)
    merit = _merit(rule, candidates, held)
    ordered = sorted(candidates, key=merit, reverse=True)
    if held is not None and not (ordered and ordered[0].value in held):
        winner = _newest_spell(golden.spells[name])
    else:
        winner = ordered[0] if ordered else None
    seen = {winner.value} if winner is not None else set()
    losers: list[Loser] = []
    for one in ordered:
        if one.value not in seen and winner is not None:
            seen.add(one.value)
            losers.append(Loser(one, _decided(rule, merit(winner), merit(one))))
    return Ranking(winner, losers)


def rule_text(rule: Survival) -> str:
    """The criteria in their order, as a reader of the record sees them: `source, most_recent`."""
    return ", ".join(criterion.rule for criterion in rule.by)


def spare(golden: Golden, name: str, rule: Survival) -> Iterable[Candidate | Spell]:
    """What may be left out without another value surviving: what lost, and what no longer holds."""
    winner = rank(golden, name, rule).winner
    yield from (one for one in golden.candidates.get(name, ()) if one is not winner)
    yield from (spell for spell in golden.spells.get(name, ()) if spell.until is not None)


# -- merit ---------------------------------------------------------------------------------------------------------------------


def _merit(rule: Survival, candidates: Sequence[Candidate], held: set[str] | None) -> Any:
    """How much speaks for a candidate: the higher survives. What holds now goes before what does not."""
    counts: dict[str, int] = {}
    if any(criterion.rule == "most_frequent" for criterion in rule.by):
        for one in candidates:
            counts[one.value] = counts.get(one.value, 0) + one.count

    def merit(one: Candidate) -> tuple[Any, ...]:
        points: list[Any] = [held is None or one.value in held]
        for criterion in rule.by:
            match criterion.rule:
                case "most_recent":
                    points.append(one.last)
                case "most_frequent":
                    points.append(counts.get(one.value, 0))
                case "longest":
                    points.append(_length(one.value))
                case "source":
                    points.append(_place(criterion.ranks, one.last[1]))
                case "channel":
                    points.append(_place(criterion.ranks, one.channel))
        return (*points, one.last, one.value)

    return merit


def _place(ranks: Sequence[str], word: str) -> int:
    return -ranks.index(word) if word in ranks else -len(ranks)


def _length(text: str) -> int:
    return len(_text_of(text)) if text.startswith('"') else len(text)


def _decided(rule: Survival, winner: tuple[Any, ...], loser: tuple[Any, ...]) -> str:
    """The first criterion that makes a difference; in the end, what was said last."""
    names = ("ended", *(criterion.rule for criterion in rule.by))
    return next((name for name, mine, other in zip(names, winner, loser, strict=False) if mine != other), MOST_RECENT)


# -- spells --------------------------------------------------------------------------------------------------------------------


def _hold(spells: list[Spell], touchpoint: Touchpoint, texts: Sequence[str]) -> None:
    """From now on the source holds these values and no others."""
    at, source = touchpoint.occurred_at, touchpoint.source
    open_spells = {spell.value: spell for spell in spells if spell.until is None}
    for text in texts:
        spell = open_spells.get(text)
        if spell is None:
            spells.append(Spell(text, at, None, [source], touchpoint.channel, touchpoint.order))
            continue
        if source not in spell.holders:
            spell.holders = sorted((*spell.holders, source))
        spell.channel, spell.last = touchpoint.channel, touchpoint.order
    for spell in open_spells.values():
        if source in spell.holders and spell.value not in texts:
            if len(spell.holders) == 1:
                spell.until = at
            else:
                spell.holders.remove(source)
    while len(spells) > MOST_SPELLS:
        spells.remove(min(spells, key=lambda spell: (spell.until is None, spell.until or spell.since, spell.value, spell.since)))


def _held(golden: Golden, name: str, rule: Survival) -> set[str] | None:
    """The values that hold now; None where an attribute has but one."""
    return {spell.value for spell in golden.spells.get(name, ()) if spell.until is None} if rule.multi else None


def _newest_spell(spells: Sequence[Spell]) -> Candidate | None:
    """Where of all that holds nothing is among the candidates any more."""
    open_spells = [spell for spell in spells if spell.until is None]
    if not open_spells:
        return None
    newest = max(open_spells, key=lambda spell: (spell.last, spell.value))
    return Candidate(newest.value, newest.channel, newest.last)


def known_names(golden: Golden) -> list[str]:
    """The attributes of which something is kept."""
    return sorted({name for some in (golden.candidates, golden.spells) for name, kept in some.items() if kept})


def last_said(golden: Golden, name: str) -> Order:
    """When anything was said of an attribute for the last time."""
    said = [one.last for one in golden.candidates.get(name, ())] + [spell.last for spell in golden.spells.get(name, ())]
    return max(said)

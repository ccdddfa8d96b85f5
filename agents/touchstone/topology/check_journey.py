"""Faults of a journey: rules without sense, phases that nobody defined or nobody can reach."""

import re
from collections.abc import Iterable

from touchstone.topology.explain import Location, is_like
from touchstone.topology.findings import Findings
from touchstone.topology.model import WrittenJourney, WrittenRule, WrittenTopology
from touchstone.topology.quantity import duration_text
from touchstone.topology.words import WrittenSilence

RESERVED = "dormant"
# What was left out, as a path inside the journey, without which one cannot say which phases are reached.
_LEADS = re.compile(r"phases|rules(\[\d+\](\.(to|from)\b.*)?)?$")


def check_journey(location: Location, journey: WrittenJourney, topology: WrittenTopology, found: Findings) -> None:
    """Write down every fault of one journey."""
    _check_names(location, journey, found)
    channels = known_channels(topology, found)
    for n, rule in enumerate(journey.rules):
        here: Location = (*location, "rules", n)
        if not found.lost(here):  # a rule of which something was left out looks incomplete because of that
            _check_form(here, rule, found)
        _check_times(here, rule, topology.retention, found)
        for part, match in (("when", rule.when), ("without", rule.without)):
            if match is not None:
                check_match((*here, part), match, channels, found)
        _check_phases(here, rule, journey.phases, found)
    if journey.dormant is not None and journey.dormant.after > topology.retention:
        found.at(
            (*location, "dormant", "after"),
            f"expected at most the retention of {duration_text(topology.retention)}: nothing older is known",
        )
    if journey.damping is not None and journey.damping.within > topology.retention:
        found.at(
            (*location, "damping", "within"),
            f"expected at most the retention of {duration_text(topology.retention)}: nothing older is known",
        )
    if not any(_LEADS.match(path) for path in found.lost(location)):
        _check_reachable(location, journey, found)
    _check_circles(location, journey.rules, found)


def known_channels(topology: WrittenTopology, found: Findings) -> set[str] | None:
    """Every word that names a channel; None when some could not be read."""
    lost = found.lost(("channels",))
    if any(path == "" or ".aliases" in path for path in lost):
        return None
    return found.names("channels", topology.channels) | {alias for channel in topology.channels.values() for alias in channel.aliases}


def _check_names(location: Location, journey: WrittenJourney, found: Findings) -> None:
    for n, phase in enumerate(journey.phases):
        if phase == RESERVED:
            found.at((*location, "phases", n), "`dormant` is a state beside the phases; use `dormant: {after: 30d}` in the journey")
        elif phase in journey.phases[:n]:
            found.at((*location, "phases", n), f"duplicate phase `{phase}`")
    first: dict[str, int] = {}
    for n, rule in enumerate(journey.rules):
        if rule.name in first:
            line = found.line_of((*location, "rules", first[rule.name], "name"))
            found.at((*location, "rules", n, "name"), f"duplicate rule name `{rule.name}`: line {line} has it already")
        elif rule.name == RESERVED:
            found.at((*location, "rules", n, "name"), "`dormant` is the name of the moment of falling asleep; name the rule otherwise")
        else:
            first[rule.name] = n


def _check_form(here: Location, rule: WrittenRule, found: Findings) -> None:
    if rule.when is None and rule.without is None:
        found.at(here, f"the rule `{rule.name}` never fires: expected `when`, or `without` with `for` and `from`")
    elif rule.when is not None and rule.without is not None:
        found.at_key((*here, "without"), "expected `when` or `without`, found both; make two rules of it")
    if rule.without is not None and rule.for_ is None:
        found.at_key((*here, "without"), "an absence needs its time: add `for`, such as `for: 48h`")
    if rule.without is not None and rule.from_ is None:
        found.at_key((*here, "without"), "an absence needs its phase: add `from`, the phase in which it is waited for")
    if rule.without is None and rule.for_ is not None:
        found.at_key((*here, "for"), "`for` belongs to `without`; the time of `when` is `within`")
    if rule.without is not None and rule.to in (rule.from_ or ()):
        found.at((*here, "to"), f"an absence in `{rule.to}` cannot lead to `{rule.to}` itself")
    if rule.when is not None:
        if rule.when.count > 1 and rule.when.within is None:
            found.at_key((*here, "when", "count"), "`count` needs the time it counts in: add `within`, such as `within: 7d`")
        if rule.when.within is not None and rule.when.count == 1 and rule.when.after is None:
            found.at_key((*here, "when", "within"), "`within` needs something to measure: add `count` (more than 1) or `after`")


def _check_times(here: Location, rule: WrittenRule, retention: int, found: Findings) -> None:
    for where, span in ((("when", "within"), rule.when.within if rule.when else None), (("for",), rule.for_)):
        if span is not None and span > retention:
            found.at((*here, *where), f"expected at most the retention of {duration_text(retention)}: nothing older is known")


def check_match(here: Location, match: WrittenSilence, channels: set[str] | None, found: Findings) -> None:
    """Write down every fault of what is asked of touchpoints; `channels` as `known_channels` gives them."""
    for n, channel in enumerate(match.channel or ()):
        if channels is not None and channel not in channels:
            found.unknown((*here, "channel", n), "channel", channel, channels)
    for attribute, condition in match.where.items():
        location: Location = (*here, "where", attribute)
        if not condition.asked and not found.lost(location):
            found.at(location, f"nothing is asked of `{attribute}`: expected a value, or one of is, at_least, in, exists, ...")


def _check_phases(here: Location, rule: WrittenRule, phases: list[str], found: Findings) -> None:
    if rule.to not in phases:
        found.unknown((*here, "to"), "phase", rule.to, phases)
    for n, phase in enumerate(rule.from_ or ()):
        if phase not in phases:
            found.unknown((*here, "from", n), "phase", phase, phases)


def _check_reachable(location: Location, journey: WrittenJourney, found: Findings) -> None:
    rules = [_as_meant(rule, journey.phases) for rule in journey.rules]
    if None in rules:
        return
    reached = reachable(rule for rule in rules if rule is not None)
    for n, phase in enumerate(journey.phases):
        if phase not in reached and phase != RESERVED:
            named = [rule.name for rule in journey.rules if rule.to == phase]
            why = f"only {', '.join(named)} leads there, from phases that nobody reaches" if named else "no rule leads to it"
            found.at((*location, "phases", n), f"unreachable phase `{phase}`: {why}; add a rule with `to: {phase}`, or take the phase out")


def _as_meant(rule: WrittenRule, phases: list[str]) -> WrittenRule | None:
    """The rule with misspelt phases put right, which is said already; None where nobody knows which phase is meant."""
    named = [rule.to, *(rule.from_ or ())]
    meant = [phase if phase in phases else next((one for one in phases if is_like(phase, one)), None) for phase in named]
    if None in meant:
        return None
    return rule.model_copy(update={"to": meant[0], "from_": None if rule.from_ is None else meant[1:]})


def reachable(rules: Iterable[WrittenRule]) -> set[str]:
    """The phases that somebody can come to: rules without `from` start anywhere, the others where somebody can be."""
    waiting = list(rules)
    reached: set[str] = set()
    while True:
        ready = [rule for rule in waiting if rule.from_ is None or reached.intersection(rule.from_)]
        if not ready:
            return reached
        reached.update(rule.to for rule in ready)
        waiting = [rule for rule in waiting if rule not in ready]


def _check_circles(location: Location, rules: list[WrittenRule], found: Findings) -> None:
    """Absences that lead in a circle would move a silent person for ever."""
    leads: dict[str, set[str]] = {}
    for rule in rules:
        if rule.without is not None:
            for phase in rule.from_ or ():
                leads.setdefault(phase, set()).add(rule.to)
    for n, rule in enumerate(rules):
        if rule.without is None or rule.to in (rule.from_ or ()):
            continue
        seen, waiting = set[str](), [rule.to]
        while waiting:
            phase = waiting.pop()
            if phase not in seen:
                seen.add(phase)
                waiting += leads.get(phase, ())
        if seen.intersection(rule.from_ or ()):
            found.at(
                (*location, "rules", n), f"the absence `{rule.name}` is part of a circle: silence alone would move a person round for ever"
            )
            return

"""Touchpoints -> journey: the heart, readable in ten minutes.

`fold` is a function of a set: touchpoints in the order of their event time, each `advance` (deadlines before it fire first, at their own
time) then `step`; at the end `advance` to the present. The live path calls the same two functions for the newest touchpoint of a person;
for any other it folds again. What they return are drafts of moments; who says them, and what must be taken back, is publish.py.
"""

from collections.abc import Iterable

from touchstone.errors import InvariantBroken
from touchstone.journey.rules import CompiledJourney, is_met, remember
from touchstone.model.component import NEVER
from touchstone.model.journey import Draft, JourneyState, Mark
from touchstone.model.touchpoint import Touchpoint
from touchstone.topology.compile import Rule

DORMANT = "dormant"


def fold(touchpoints: Iterable[Touchpoint], journey: CompiledJourney, as_of: int) -> tuple[JourneyState, list[Draft], int]:
    """Tell one person's journey up to `as_of`. Returns the state, the drafts in order, and when the last deadline fired.

    `touchpoints` may come in any order but hold each key once (`winners`).
    """
    state, drafts = JourneyState(), list[Draft]()
    for touchpoint in sorted(touchpoints, key=lambda t: t.order):
        drafts += advance(state, journey, touchpoint.occurred_at - 1)
        drafts += step(state, journey, touchpoint)
    drafts += advance(state, journey, as_of)
    return state, drafts, max((draft.deadline for draft in drafts if draft.deadline is not None), default=NEVER)


def winners(touchpoints: Iterable[Touchpoint]) -> list[Touchpoint]:
    """Of several statements under one key the earliest counts, then the one with the smaller content hash."""
    best: dict[str, Touchpoint] = {}
    for touchpoint in touchpoints:
        other = best.get(touchpoint.key)
        if other is None or (touchpoint.occurred_at, touchpoint.content) < (other.occurred_at, other.content):
            best[touchpoint.key] = touchpoint
    return list(best.values())


def advance(state: JourneyState, journey: CompiledJourney, now: int) -> list[Draft]:
    """Let time pass: every deadline up to `now`, inclusive, fires at its own time, earliest first.

    A touchpoint exactly at a deadline is in time: before its `step` advance to the millisecond before it.
    """
    drafts = []
    while (due := next_deadline(state, journey)) is not None and due[0] <= now:
        drafts.append(_expire(state, journey, *due))
    return drafts


def next_deadline(state: JourneyState, journey: CompiledJourney) -> tuple[int, Rule | None] | None:
    """When silence would say something next, and by which rule (None: dormancy)."""
    if state.phase is None or state.is_dormant or state.last is None:
        return None
    best: tuple[int, Rule | None] | None = None
    for rule in journey.absences:
        if rule.from_phases is None or state.phase in rule.from_phases:
            at = _silent_since(state, rule).at + (rule.absence_ms or 0)
            if rule.to != state.phase and (best is None or at < best[0]):
                best = at, rule
    if journey.dormant_ms is not None:
        at = state.last.at + journey.dormant_ms
        if best is None or at < best[0]:
            best = at, None
    return best


def step(state: JourneyState, journey: CompiledJourney, touchpoint: Touchpoint) -> list[Draft]:
    """Take in the newest touchpoint: at most one transition, by the first rule in file order that applies."""
    mark = Mark(touchpoint.occurred_at, touchpoint.key, touchpoint.channel, touchpoint.media)
    drafts: list[Draft] = []
    for rule in journey.concerned(touchpoint):
        remember(state, rule, mark)
        if not drafts and rule.absence_ms is None and _leads_on(state, journey, rule):
            triggers = is_met(state, rule, mark)
            if triggers and not _is_damped(state, journey, rule, mark.at):
                drafts.append(_enter(state, journey, rule, mark, triggers))
    if touchpoint.type in journey.asked_after:
        state.recent[touchpoint.type] = mark
    state.last = mark
    return drafts


def _leads_on(state: JourneyState, journey: CompiledJourney, rule: Rule) -> bool:
    """May this rule move the person from where she stands? Backward only where it says from where."""
    if rule.from_phases is not None:
        return state.phase in rule.from_phases and (state.is_dormant or rule.to != state.phase)
    return state.phase is None or state.is_dormant or journey.positions[rule.to] > journey.positions[state.phase]


def _is_damped(state: JourneyState, journey: CompiledJourney, rule: Rule, at: int) -> bool:
    """Has this step, from where the person stands, been taken so often lately that she stays? If not, it is taken now."""
    if journey.damping is None:
        return False
    step = f"{state.phase or ''}>{rule.to}"
    taken = [then for then in state.steps.get(step, ()) if at - then < journey.damping.within_ms]
    if len(taken) >= journey.damping.at_most:
        return True
    state.steps[step] = [*taken, at]
    return False


def _enter(state: JourneyState, journey: CompiledJourney, rule: Rule, mark: Mark, triggers: tuple[Mark, ...]) -> Draft:
    here, there = -1 if state.phase is None else journey.positions[state.phase], journey.positions[rule.to]
    skipped = journey.phases[here + 1 : there]
    kind = "transition" if there > here else "regression"
    if state.is_dormant:
        kind, skipped = "reentry", ()
        state.cycle += 1
    draft = Draft(
        kind, state.phase, rule.to, skipped, state.cycle, rule.name, mark.at, tuple(m.key for m in triggers), None, mark.channel, mark.media
    )
    state.phase, state.since, state.entered, state.is_dormant = rule.to, mark.at, mark, False
    return draft


def _expire(state: JourneyState, journey: CompiledJourney, deadline: int, rule: Rule | None) -> Draft:
    if rule is None:
        cause, to, name = state.last, None, DORMANT
        state.is_dormant = True
    else:
        cause, to, name = _silent_since(state, rule), rule.to, rule.name
    if cause is None:  # next_deadline gives none without a touchpoint
        message = f"a deadline of journey {journey.name} without a touchpoint before it"
        raise InvariantBroken(message)
    draft = Draft("timeout", state.phase, to, (), state.cycle, name, deadline, (cause.key,), deadline, cause.channel, cause.media)
    if to is not None:
        state.phase, state.since, state.entered = to, deadline, Mark(deadline, cause.key, cause.channel, cause.media)
    return draft


def _silent_since(state: JourneyState, rule: Rule) -> Mark:
    """From when the silence of an absence rule counts: the entry into the phase, or the last touchpoint that prevented it."""
    reset, entered = state.resets.get(rule.index), state.entered
    if entered is None:
        message = f"rule {rule.name} asks for an absence in a journey without a phase"
        raise InvariantBroken(message)
    return reset if reset is not None and reset.at >= entered.at else entered

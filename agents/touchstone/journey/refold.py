"""Tell one person from nothing: her row, and the moments that are true of her."""

from collections.abc import Sequence

import msgspec

from touchstone.journey.consent import listen
from touchstone.journey.fold import fold, next_deadline, winners
from touchstone.journey.golden import fingerprint, observe
from touchstone.journey.policy import Journeys
from touchstone.journey.publish import moment_of
from touchstone.journey.retention import pace
from touchstone.model.component import NEVER, Person
from touchstone.model.identifier import tenant_of
from touchstone.model.output import MomentContent
from touchstone.model.touchpoint import Touchpoint

Moments = dict[str, MomentContent]


def refold(
    journeys: Journeys,
    customer_id: str,
    group: frozenset[str],
    touchpoints: list[Touchpoint],
    as_of: int,
    *,
    is_nobody: bool,
    core: frozenset[str] = frozenset(),
    surely: Sequence[Touchpoint] = (),
) -> tuple[Person, Moments]:
    """Her row, and the moments that are true of her at `as_of`.

    Where likeness has united her with others, `core` is who she would be without, and `surely` what she would own: a moment that is not true
    of these alone is provisional.
    """
    tenant = tenant_of(min(group))
    person = Person(members=dict.fromkeys(sorted(group)), is_nobody=is_nobody, states={}, owned=fingerprint(touchpoints))
    person.pace = pace(touchpoints)
    person.core, person.surely = sorted(core), fingerprint(surely)
    counted = sorted(winners(touchpoints), key=lambda t: t.order)
    for touchpoint in counted:
        observe(person, touchpoint, journeys.room, journeys.attributes, journeys.recycled)
        listen(person, touchpoint, journeys.consents, journeys.room)
    truth: Moments = {}
    fired = [NEVER]
    for journey in journeys.compiled:
        state, drafts, last = fold(counted, journey, as_of)
        person.states[journey.name] = state
        fired.append(last)
        truth.update(moment_of(draft, tenant, customer_id, journey.name, journeys.topology.version) for draft in drafts)
    person.fired = max(fired)
    person.next_at = journeys.look_ahead(person, as_of)
    if core:
        certain, due = _certain(journeys, tenant, customer_id, surely, as_of)
        person.next_at = min((at for at in (person.next_at, due) if at is not None), default=None)
        truth = {
            moment_id: content if certain.get(moment_id) == content else msgspec.structs.replace(content, provisional=True)
            for moment_id, content in truth.items()
        }
    return person, truth


def _certain(
    journeys: Journeys, tenant: str, customer_id: str, touchpoints: Sequence[Touchpoint], as_of: int
) -> tuple[Moments, int | None]:
    """The moments of these touchpoints alone, and when a silence adds to them: what others did may have ended it for the person as a whole."""
    counted = sorted(winners(touchpoints), key=lambda t: t.order)
    moments: Moments = {}
    due: list[int] = []
    for journey in journeys.compiled:
        state, drafts, _ = fold(counted, journey, as_of)
        moments.update(moment_of(draft, tenant, customer_id, journey.name, journeys.topology.version) for draft in drafts)
        deadline = next_deadline(state, journey)
        due += [] if deadline is None else [deadline[0]]
    return moments, min(due, default=None)

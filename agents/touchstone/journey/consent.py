"""May this purpose be served: which statements of a person count, what they decide now, and what they decided at any time.

A later statement of the same source replaces an earlier one that names an identifier of the person which it names too. What is left
disagrees only where different sources, or identifiers that nobody has spoken for together, say different things: a conflict, which the
topology decides per purpose. All of it is a left fold over touchpoints in the order of event time, like attributes; statements of one
millisecond do not replace each other, so that no name decides what somebody consents to.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from touchstone.model.component import NEVER, Person, Stated
from touchstone.model.output import MomentContent
from touchstone.model.touchpoint import Touchpoint
from touchstone.topology.compile import Consent, Output

MOST_CHANGES = 500
"""So often a decision may change and be known of the past; before that, whoever changes her mind so often counts as not having consented."""

Policies = Mapping[str, Consent]
"""Of every purpose that the topology knows, how its statements become a decision."""

_CAUTIOUS = Consent()
_json = msgspec.json.Encoder(order="deterministic").encode


def listen(person: Person, touchpoint: Touchpoint, policies: Policies, room: int) -> None:
    """Take in what the newest touchpoint of a person says of consent. Called in the order of event time.

    What does not find room (bytes) is left out so that nobody is thought to consent because of it: purposes that the topology does not
    know, the longest unsaid first; then grants; of denials only one is left, which nothing replaces any more.
    """
    if not touchpoint.consents:
        return
    order = touchpoint.order
    members = tuple(x for x in touchpoint.identifiers if x in person.members)
    for purpose, granted in touchpoint.consents.items():
        said = Stated(granted, order, members)
        person.consents[purpose] = [*(one for one in person.consents.get(purpose, ()) if not _replaces(said, one)), said]
    _make_room(person, policies, room)
    for purpose, policy in policies.items():
        _note_decision(person, purpose, policy, order[0])


def _replaces(later: Stated, earlier: Stated) -> bool:
    is_later, is_same_source = earlier.order[0] < later.order[0], earlier.order[1] == later.order[1]
    return is_later and is_same_source and not set(earlier.members).isdisjoint(later.members)


def deciding(statements: Iterable[Stated], policy: Consent) -> Stated | None:
    """The statement that decides, of those that count; None where there is none.

    The most restrictive is the newest denial, else the newest grant; of several most recent ones at the same time one that denies.
    """
    if policy.denial_wins:
        return max(statements, key=lambda one: (not one.granted, one.order), default=None)
    return max(statements, key=lambda one: (one.order[0], not one.granted, one.order), default=None)


def _note_decision(person: Person, purpose: str, policy: Consent, at: int) -> None:
    """Remember that from `at` on the decision is another one; of several at one time the last one counts."""
    changes = person.agreed.get(purpose, [])
    decided = deciding(person.consents.get(purpose, ()), policy)
    granted = policy.assumed if decided is None else decided.granted
    if granted != (changes[-1][1] if changes else policy.assumed):
        person.agreed[purpose] = [*(changes if len(changes) < MOST_CHANGES else [(NEVER, False), *changes[2:]]), (at, granted)]


def agrees(person: Person, purpose: str, policy: Consent, at: int) -> bool:
    """Whether the person consented at that time (milliseconds), by all that is known of it, and does now."""
    changes = person.agreed.get(purpose)
    if changes is None:
        return policy.assumed
    place = bisect_right(changes, at, key=itemgetter(0))
    return changes[-1][1] and (changes[place - 1][1] if place else policy.assumed)


def decisions(person: Person) -> dict[str, list[tuple[int, bool]]]:
    """What was decided when, to be compared with what is after another touchpoint."""
    return dict(person.agreed)


def allowed(output: Output, person: Person | None, truth: Mapping[str, MomentContent], policies: Policies) -> dict[str, MomentContent]:
    """Of moments that are true of a person those that an output may carry, which asks for consent."""
    if person is None or output.purpose is None:
        return {}
    purpose, policy = output.purpose, policies[output.purpose]
    return {
        name: content for name, content in truth.items() if output.wants(content) and agrees(person, purpose, policy, content.occurred_at)
    }


def _make_room(person: Person, policies: Policies, room: int) -> None:
    consents = person.consents
    size = len(_json(consents))
    if size <= room:
        return
    for purpose in sorted(consents.keys() - policies.keys(), key=lambda purpose: (_newest(consents[purpose]), purpose)):
        size -= len(_json((purpose, consents[purpose])))
        person.left_out += len(consents.pop(purpose))
        if size <= room:
            return
    grants = [(one.order, purpose, one) for purpose, some in consents.items() for one in some if one.granted]
    for _, purpose, grant in sorted(grants, key=itemgetter(0, 1)):
        size -= len(_json(grant))
        consents[purpose].remove(grant)
        person.left_out += 1
        if size <= room:
            return
    for purpose, denials in sorted(consents.items()):
        if denials:
            person.left_out += len(denials) - 1
            consents[purpose] = [Stated(granted=False, order=_newest(denials))]


def _newest(statements: Sequence[Stated]) -> tuple[int, str, str]:
    return max(one.order for one in statements)


def told(person: Person, policies: Policies) -> tuple[dict[str, Any], ...]:
    """The consents of a customer record, in canonical order: each decision, the rule that made it, and every statement that counts."""
    rows = []
    for purpose, statements in sorted(person.consents.items()):
        policy = policies.get(purpose, _CAUTIOUS)
        decided = deciding(statements, policy)
        if decided is not None:
            each = [_row(one) for one in sorted(statements, key=lambda one: one.order)]
            rows.append({"purpose": purpose, **_row(decided), "rule": policy.rule, "statements": each})
    return tuple(rows)


def _row(said: Stated) -> dict[str, Any]:
    at, source, event_id = said.order
    return {"granted": said.granted, "occurred_at": at, "source": source, "touchpoint": f"{source}/{event_id}"}

"""Everything that is held about one person, as she may see it: complete, and with nothing of anybody else.

Whatever also says something of others (a taken-back moment that their touchpoint had caused, the other half of a split) is left out, and
always with the same note, so that nothing follows from it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from touchstone.contracts.json_form import to_json_dict
from touchstone.contracts.times import iso_text
from touchstone.model.output import IdentityChange, Moment
from touchstone.model.touchpoint import Touchpoint
from touchstone.privacy.document import FORM, CarriedBy, Change, Export, Identifier, Received, Recipient, Statement, Told
from touchstone.privacy.held import Holdings, Kept, Rights, Said, Sighting
from touchstone.privacy.veil import Veil

_SPLIT = "split"
NOTE = (
    "Where something that is held about you also says something about another person, that part is left out: identifiers of others, "
    "conclusions that were taken back because they concerned somebody else, the other side of a change of who is who. Of a device or "
    "a number that several people use you see what you did with it while you had named yourself."
)


def export_of(held: Holdings, said: Said, kept: Iterable[Kept], rights: Rights, made_at: int) -> Export:
    """Put it together. `said` is of the same customer id as `held`; times are milliseconds."""
    customer = said.customer
    veil = Veil(held.foreign_values, (value for _, value in held.values))
    profile = to_json_dict(customer)
    told = tuple(veil.over_fields(moment) for moment in _told(held, said))
    changes = tuple(veil.over_fields(change, but={"identifiers"}) for change in _changes(held, said))
    received = [_received(sighting) for sighting in sorted(held.sightings, key=lambda sighting: sighting.touchpoint.order)]
    return Export(
        form=FORM,
        made_at=iso_text(made_at),
        known_until=iso_text(held.known_until),
        tenant=customer.tenant,
        customer_id=customer.customer_id,
        former_ids=said.former_ids,
        identifiers=(*_own_identifiers(profile), *_shared_identifiers(held.sightings)),
        attributes=veil.over_rows(_by(profile["attributes"], "name")),
        consents=veil.over_rows(_by(profile["consents"], "purpose")),
        statements=tuple(veil.over_fields(statement) for statement in _statements(profile["consents"], held.sightings)),
        interactions=veil.over_rows(_by(profile["interactions"], "channel")),
        journeys=_by(profile["journeys"], "journey"),
        personas=customer.personas,
        next_guidance=customer.next_guidance,
        moments=told,
        touchpoints=tuple(veil.over_fields(touchpoint, but={"identifiers"}) for touchpoint in received),
        recipients=tuple(_recipients(told, changes, said)),
        identity_changes=changes,
        retention=tuple(kept),
        rights=rights,
        note=NOTE,
    )


def _by(rows: Iterable[dict[str, Any]], *names: str) -> tuple[dict[str, Any], ...]:
    """In one order: a record's lists are sets."""
    return tuple(sorted(rows, key=lambda row: [row[name] for name in names]))


def _own_identifiers(profile: dict[str, Any]) -> Iterator[Identifier]:
    for each in _by(profile["identifiers"], "kind", "value"):
        yield Identifier(each["kind"], each["value"], each["first_seen"], each["last_seen"], is_shared=False)


def _shared_identifiers(sightings: Iterable[Sighting]) -> Iterator[Identifier]:
    """What she used and what belongs to nobody, from when until when *she* used it."""
    uses: dict[tuple[str, str], list[int]] = defaultdict(list)
    for sighting in sightings:
        for shown in sighting.shown:
            if shown.whose == "shared" and shown.value is not None:
                uses[shown.kind, shown.value].append(sighting.touchpoint.occurred_at)
    for (kind, value), times in sorted(uses.items()):
        yield Identifier(kind, value, iso_text(min(times)), iso_text(max(times)), is_shared=True)


def _statements(consents: Iterable[dict[str, Any]], sightings: Iterable[Sighting]) -> Iterator[Statement]:
    """Those that count, and all others that a touchpoint which is held has made, by purpose and time."""
    found = {
        (each["purpose"], one["touchpoint"]): Statement(
            each["purpose"], one["granted"], one["occurred_at"], one["source"], one["touchpoint"], counts=True
        )
        for each in consents
        for one in each["statements"]
    }
    for t in (sighting.touchpoint for sighting in sightings):
        for purpose, granted in t.consents.items():
            found.setdefault((purpose, t.key), Statement(purpose, granted, iso_text(t.occurred_at), t.source, t.key, counts=False))
    yield from sorted(found.values(), key=lambda statement: (statement.purpose, statement.occurred_at, statement.touchpoint))


def _received(sighting: Sighting) -> Received:
    t = sighting.touchpoint
    return Received(
        source=t.source,
        event_id=t.event_id,
        channel=t.channel,
        type=t.type,
        occurred_at=iso_text(t.occurred_at),
        received_at=iso_text(t.received_at),
        identifiers=tuple({"kind": shown.kind, "value": shown.value} for shown in sighting.shown if shown.whose != "other"),
        media=t.media,
        sentiment=t.sentiment,
        profile=t.profile,
        consents=t.consents,
        context=t.context,
        properties=t.properties,
        clock=_clock(t),
    )


def _clock(touchpoint: Touchpoint) -> str | None:
    if touchpoint.claimed_at is None:
        return None
    return f"the device said {iso_text(touchpoint.claimed_at)}; put right by {touchpoint.skew or 'its own clock'}"


def _told(held: Holdings, said: Said) -> Iterator[Told]:
    """Every moment by time; not those that somebody else's touchpoint had caused.

    Whose a touchpoint was that is not kept any more nobody can say: what was taken back for it because people were split is not shown.
    """
    ids = {said.customer.customer_id, *said.former_ids}
    mine = {sighting.touchpoint.key for sighting in held.sightings}
    last: dict[str, list[tuple[CarriedBy, Moment]]] = defaultdict(list)
    for carrier in said.carriers:
        newest: dict[str, Moment] = {}
        for moment in carrier.moments:
            if moment.customer_id in ids and (moment.moment_id not in newest or newest[moment.moment_id].revision < moment.revision):
                newest[moment.moment_id] = moment
        for moment in newest.values():
            stands = moment.action == "assert"
            last[moment.moment_id].append((CarriedBy(carrier.topic, carrier.purpose, stands, None if stands else moment.corrects), moment))
    for statements in sorted(last.values(), key=lambda found: (found[0][1].occurred_at, found[0][1].moment_id)):
        moment, stands = statements[0][1], statements[0][0].stands
        not_mine = set(moment.touchpoints) - mine
        if not_mine & held.foreign_keys or (not_mine and not stands and moment.corrects == _SPLIT):
            continue
        yield Told(
            moment_id=moment.moment_id,
            occurred_at=iso_text(moment.occurred_at),
            said_at=iso_text(moment.detected_at),
            journey=moment.journey,
            kind=moment.kind,
            from_phase=moment.from_phase,
            to_phase=moment.to_phase,
            rule=moment.rule,
            channel=moment.channel,
            touchpoints=tuple(moment.touchpoints),
            guidance=moment.guidance,
            is_provisional=moment.provisional,
            stands=stands,
            corrects=moment.corrects if stands else None,
            taken_back_at=None if stands else iso_text(moment.detected_at),
            why=None if stands else moment.corrects,
            carried_by=tuple(by for by, _ in statements),
        )


def _recipients(told: Iterable[Told], changes: Iterable[Change], said: Said) -> Iterator[Recipient]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for by in (by for moment in told for by in moment.carried_by):
        counts[by.topic][0 if by.stands else 1] += 1
    yield Recipient(said.customers_topic, "your profile, as often as it changed", None)
    for carrier in said.carriers:
        if carrier.topic in counts:
            what = "moments" if carrier.output is None else f"moments of the output {carrier.output}"
            yield Recipient(carrier.topic, what, carrier.purpose, *counts[carrier.topic])
    if any(True for _ in changes):
        yield Recipient(said.identities_topic, "changes of who is who", None)


def _changes(held: Holdings, said: Said) -> Iterator[Change]:
    """Those of which something is the person's: an identifier, or a customer id that was hers before."""
    former = frozenset(said.former_ids)
    ids = former | {said.customer.customer_id}
    visible = held.values | {(s.kind, s.value) for sighting in held.sightings for s in sighting.shown if s.whose == "shared"}
    mine = {sighting.touchpoint.key for sighting in held.sightings}
    unique: dict[str, IdentityChange] = {change.change_id: change for change in said.changes}
    for change in sorted(unique.values(), key=lambda change: (change.detected_at, change.change_id)):
        if change.customer_id not in ids and not ids & set(change.customers):
            continue
        identifiers = tuple(dict(row) for row in change.identifiers if (row["kind"], row["value"]) in visible)
        formerly = tuple(sorted(former & {change.customer_id, *change.customers}))
        if identifiers or formerly:
            trigger = change.trigger if change.trigger in mine else None
            yield Change(iso_text(change.detected_at), change.kind, change.rule, identifiers, formerly, trigger, change.command)

"""What was said against what is true now: assert, retract, with a revision that always rises."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import NamedTuple

from touchstone.model.component import SaidMoment
from touchstone.model.journey import Draft
from touchstone.model.output import Moment, MomentContent

ASSERT, RETRACT = "assert", "retract"


class Statement(NamedTuple):
    """What must be said about one moment id."""

    moment_id: str
    content: MomentContent
    action: str
    is_correction: bool


def moment_of(draft: Draft, tenant: str, customer_id: str, journey: str, version: int) -> tuple[str, MomentContent]:
    """The id and content of a moment. The id names the customer, so that all its revisions lie in one partition of the topic."""
    content = MomentContent(
        tenant=tenant,
        customer_id=customer_id,
        journey=journey,
        instance=None,
        kind=draft.kind,
        from_phase=draft.from_phase,
        to_phase=draft.to_phase,
        skipped=draft.skipped,
        cycle=draft.cycle,
        rule=draft.rule,
        occurred_at=draft.at,
        touchpoints=draft.triggers,
        channel=draft.channel,
        media=draft.media,
        persona=None,
        provisional=False,
        guidance=None,
        topology_version=version,
    )
    parts = (
        tenant,
        customer_id,
        journey,
        draft.rule,
        draft.from_phase or "",
        draft.to_phase or "",
        *draft.triggers,
        "" if draft.deadline is None else str(draft.deadline),
    )
    return blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest(), content


def differences(said: Mapping[str, SaidMoment], truth: Mapping[str, MomentContent], horizon: int) -> list[Statement]:
    """What must be said so that consumers believe the truth. Moments older than `horizon` are final: neither asserted nor retracted.

    A moment that was said of a time within it and turns out to lie before it is put right: what consumers believe is not final.
    """
    statements = []
    for moment_id, content in truth.items():
        before = said.get(moment_id)
        is_final = content.occurred_at < horizon and (before is None or before.content.occurred_at < horizon)
        if not is_final and (before is None or before.must_repeat or not before.stands or before.content != content):
            statements.append(Statement(moment_id, content, ASSERT, before is not None))
    for moment_id, before in said.items():
        if moment_id not in truth and (before.stands or before.must_repeat) and before.content.occurred_at >= horizon:
            statements.append(Statement(moment_id, before.content, RETRACT, is_correction=True))
    return statements


def next_revision(before: int, wall_ms: int) -> int:
    """Higher than the last one and than every one said before a loss of state, as long as clocks are roughly right."""
    return max(before + 1, wall_ms)


def say(statement: Statement, before: SaidMoment | None, wall_ms: int, corrects: str | None) -> tuple[Moment, SaidMoment]:
    """The record to publish, and what the book keeps of it."""
    revision = next_revision(before.revision if before else 0, wall_ms)
    c = statement.content
    moment = Moment(
        moment_id=statement.moment_id,
        revision=revision,
        action=statement.action,
        tenant=c.tenant,
        customer_id=c.customer_id,
        journey=c.journey,
        instance=c.instance,
        kind=c.kind,
        from_phase=c.from_phase,
        to_phase=c.to_phase,
        skipped=c.skipped,
        cycle=c.cycle,
        rule=c.rule,
        occurred_at=c.occurred_at,
        detected_at=wall_ms,
        touchpoints=c.touchpoints,
        channel=c.channel,
        media=c.media,
        persona=c.persona,
        provisional=c.provisional,
        guidance=c.guidance,
        corrects=corrects,
        topology_version=c.topology_version,
    )
    return moment, SaidMoment(revision, c, statement.action == ASSERT)

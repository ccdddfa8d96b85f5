"""One output record as one line for people: time, customer, what happened and why."""

from rich.text import Text

from touchstone.contracts.codec import OutputRecord
from touchstone.contracts.times import iso_text
from touchstone.journey.fold import DORMANT
from touchstone.model.output import Customer, DeadLetter, IdentityChange, Moment, Review

RECORD_NAMES = {Moment: "moment", Customer: "customer", IdentityChange: "identity", Review: "review", DeadLetter: "deadletter"}
"""What the field `record` says of each type in JSON Lines."""


def line(record: OutputRecord) -> Text:
    """The record in one line; what was taken back is marked with a word and not by colour alone."""
    match record:
        case Moment():
            return _moment(record)
        case Customer():
            return _customer(record)
        case IdentityChange():
            return _identity_change(record)
        case Review():
            return _review(record)
        case DeadLetter():
            return _dead_letter(record)


def at(ms: int) -> str:
    """A time to the second, as one reads it: `2024-05-01 10:00:00`, in UTC."""
    return iso_text(ms)[:19].replace("T", " ")


def short(customer_id: str) -> str:
    """The beginning of a customer id, enough to tell people apart in a terminal."""
    return customer_id[:12]


def step(moment: Moment) -> str:
    """From where to where, with what was passed over; who falls asleep keeps the phase and becomes dormant."""
    skipped = f" (passing {', '.join(moment.skipped)})" if moment.skipped else ""
    end = moment.to_phase or (DORMANT if moment.rule == DORMANT else moment.kind)
    return f"{moment.from_phase or 'start'} → {end}{skipped}"


def cause(moment: Moment) -> str:
    """The rule that fired, on which channel, and what kind of step it was where it was no plain one."""
    kind = "" if moment.kind == "transition" else f"{moment.kind}, "
    instance = f" {moment.instance}" if moment.instance else ""
    return f"{kind}{moment.journey}{instance}: {moment.rule} on {moment.channel or '–'}"


def _moment(moment: Moment) -> Text:
    because = f" (corrects: {moment.corrects})" if moment.corrects else ""
    if moment.action == "retract":
        said = Text.assemble(("TAKEN BACK", "bold red"), "  ", (step(moment), "strike"))
    else:
        said = Text.assemble(("asserted", "green"), "    ", (step(moment), "bold"))
    provisional = "  provisional" if moment.provisional else ""
    return Text.assemble(*_head(moment.occurred_at, moment.customer_id), said, f"  {cause(moment)}{because}{provisional}")


def _customer(customer: Customer) -> Text:
    journeys = ", ".join(_journey(each) for each in customer.journeys) or "no phase yet"
    kinds: dict[str, int] = {}
    for each in customer.identifiers:
        kinds[each["kind"]] = kinds.get(each["kind"], 0) + 1
    known = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "no identifiers"
    seen = max((each["last_seen"] for each in customer.identifiers), default=None)
    head = _head(seen, customer.customer_id)
    if customer.status == "merged":
        return Text.assemble(*head, ("merged", "yellow"), f" into {short(customer.merged_into or '–')}")
    if customer.status != "active":
        return Text.assemble(*head, (customer.status, "yellow"))
    return Text.assemble(*head, (customer.status, "green"), f"  {journeys}  [{known}]")


def _journey(journey: dict[str, object]) -> str:
    asleep = ", dormant" if journey.get("dormant") else ""
    return f"{journey['journey']}: {journey['phase'] or 'start'}{asleep}"


def _identity_change(change: IdentityChange) -> Text:
    others = f" with {', '.join(map(short, change.customers))}" if change.customers else ""
    kinds = ", ".join(sorted({each["kind"] for each in change.identifiers}))
    over = f" over {kinds}" if kinds else ""
    trigger = f", triggered by {change.trigger}" if change.trigger else f", command {change.command}" if change.command else ""
    style = "yellow" if change.kind in {"merged", "split", "conflict", "refused", "limited"} else "green"
    return Text.assemble(*_head(change.detected_at, change.customer_id), (change.kind, style), f"{others}{over} ({change.rule}{trigger})")


def _review(review: Review) -> Text:
    pair = " and ".join(f"{each['kind']}:{each['value']}" for each in review.identifiers)
    why = "" if review.why == "score" else f" ({review.why})"
    ruled = f", command {review.command}" if review.command else ""
    style = "yellow" if review.status == "open" else "dim"
    head = _head(review.detected_at, review.review_id)
    return Text.assemble(*head, (review.status, style), f"  {review.score:.3f}  {pair}{why}{ruled}")


def _dead_letter(letter: DeadLetter) -> Text:
    origin = f"{letter.topic}[{letter.partition}]@{letter.offset}"
    return Text.assemble(
        (at(letter.occurred_at), "dim"), "  ", (letter.reason, "bold red"), f"  {letter.detail}  ({origin}, {letter.size} bytes)"
    )


def _head(ms: int | None, customer_id: str) -> tuple[tuple[str, str], ...]:
    return (at(ms) if ms is not None else " " * 19, "dim"), ("  ", ""), (short(customer_id), "cyan"), ("  ", "")

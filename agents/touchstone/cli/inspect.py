"""`touchstone inspect`: one customer as the public topics tell it."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from touchstone.cli.bootstrap import bootstrap_option
from touchstone.cli.dossier import Dossier, Statement, Wanted, as_json, assemble, find, former_ids, parse
from touchstone.cli.lines import at, cause, short, step
from touchstone.cli.output import Output, output_option
from touchstone.cli.topology_options import prefix_option, topology_option
from touchstone.contracts.codec import OutputRecord, reading_codec
from touchstone.contracts.times import milliseconds
from touchstone.errors import UsageError
from touchstone.model.output import Customer, IdentityChange, Moment
from touchstone.runtime.client import read_topic
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.topology.prefix import prefixed
from touchstone.topology.topics import Topics


@click.command
@click.argument("identifier")
@topology_option("names the topics and kinds; ")
@prefix_option
@bootstrap_option
@click.option("--as-of", metavar="TIME", help="who held the identifier then, such as 2024-05-01T10:00:00Z")
@output_option
def inspect(identifier: str, topology: Path | None, topic_prefix: str, bootstrap: str, as_of: str | None, output: Output) -> None:
    """Show one customer: who, where on the journey, and why.

    IDENTIFIER is `email:ada@x.org`, `tenant/kind:value` with a kind of the topology or an alias of one, or a customer id, of which the
    first 8 characters are enough where they are nobody else's; an id that was merged away leads to the one that stayed. Everything comes from the public topics, which are read from their beginning: the golden profile, the identifiers that lead to it, every moment with
    its time and cause, also those that were taken back, and how the customer became who it is.

    Exit code 1 if nobody has that identifier. With --as-of: who held it then, where a telephone number or the like has passed on (`recycled` in the
    topology).

    \b
      touchstone inspect user_id:U12345
      touchstone inspect email:ada@x.org --output json
      touchstone inspect phone:+49301234 --as-of 2024-04-15T00:00:00Z
    """  # noqa: D301 - \b is click's mark for lines to be kept
    compiled = prefixed(load_topology(topology or default_topology_path()), topic_prefix)
    wanted = parse(identifier, {kind: kind for kind in compiled.kinds} | dict(compiled.kind_aliases))
    dossiers = asyncio.run(collect(bootstrap, wanted, compiled.topics, _time(as_of)))
    if not dossiers:
        output.fail(_nobody(wanted))
    for dossier in dossiers:
        output.emit(as_json(dossier))
        if not output.is_json:
            _show(dossier, output)


async def collect(bootstrap: str, wanted: Wanted, topics: Topics, as_of: int | None = None) -> list[Dossier]:
    """Read the public topics and put together what they say of everybody who is meant; empty if that is nobody."""
    customers: dict[str, Customer] = {}
    for record in await _read(bootstrap, topics.customers, None):
        if isinstance(record, Customer):
            known = customers.get(record.customer_id)
            customers[record.customer_id] = record if known is None or record.revision > known.revision else known
    meant = [(customer, former_ids(customer, customers)) for customer in find(wanted, customers, as_of)]
    if not meant:
        return []
    ids = {each.customer_id.encode() for customer, former in meant for each in (customer, *former)}
    moments = [record for record in await _read(bootstrap, topics.moments, ids) if isinstance(record, Moment)]
    changes = [record for record in await _read(bootstrap, topics.identities, None) if isinstance(record, IdentityChange)]
    return [assemble(customer, wanted.text, former, moments, changes) for customer, former in meant]


def _time(written: str | None) -> int | None:
    try:
        return None if written is None else milliseconds(written)
    except ValueError as wrong:
        raise UsageError(f"--as-of: expected a time such as 2024-05-01T10:00:00Z, found {written!r}: {wrong}") from None


async def _read(bootstrap: str, topic: str, keys: Collection[bytes] | None) -> list[OutputRecord]:
    """All records of a topic; with `keys` only those, and no other is decoded."""
    codec = reading_codec()
    return [
        codec.decode_record(record.value)
        async for record in read_topic(bootstrap, [topic])
        if record.value is not None and (keys is None or record.key in keys)
    ]


def _nobody(wanted: Wanted) -> str:
    if wanted.kind is None:
        return (
            f"there is no customer {wanted.text!r}; give a customer id as `touchstone tail customers --output json` shows it, or kind:value"
        )
    where = f" in tenant {wanted.tenant}" if wanted.tenant else ""
    return (
        f"nobody has the identifier {wanted.text!r}{where}. Is the value in normal form, as `touchstone tail customers --output json` shows it? "
        "A touchpoint that was sent just now may still be on its way: `touchstone tail customers` shows what arrives; one that was "
        "refused is in `touchstone tail deadletters --from-beginning`"
    )


def _show(dossier: Dossier, output: Output) -> None:
    customer = dossier.customer
    output.text(Text.assemble(("Customer ", "bold"), (customer.customer_id, "bold cyan"), f"  {customer.status}, tenant {customer.tenant}"))
    if dossier.asked:
        output.text(f"{dossier.asked} was merged into it")
    elif customer.merged_into:
        output.text(f"merged into {customer.merged_into}, of which nothing is known here")
    if dossier.former:
        output.text(f"also known as {', '.join(short(other.customer_id) for other in dossier.former)}")
    _show_profile(customer, output)
    _show_journey(dossier, output)
    _section(
        output,
        "How it became who it is",
        ("at", "what", "with", "why", "trigger"),
        [
            (at(each.detected_at), each.kind, ", ".join(map(short, each.customers)), each.rule, each.trigger or each.command)
            for each in dossier.changes
        ],
    )
    output.text()


def _show_profile(customer: Customer, output: Output) -> None:
    identifiers = [(each["kind"], each["value"], _seen(each["first_seen"]), _seen(each["last_seen"])) for each in customer.identifiers]
    _section(output, "Identifiers", ("kind", "value", "first seen", "last seen"), identifiers)
    shared = [
        (each["kind"], each["value"], at(each["valid_from"]), _seen(each["valid_to"]), at(each["last_seen"]))
        for each in customer.shared_identifiers
    ]
    _section(output, "Used, and nobody's now", ("kind", "value", "from", "until", "last seen"), shared)
    attributes = [
        (each["name"], each["value"], each["source"], each["channel"], at(each["occurred_at"]), each["rule"], _lost(each))
        for each in customer.attributes
    ]
    _section(output, "Golden record", ("attribute", "value", "source", "channel", "at", "rule", "instead of"), attributes)
    periods = [
        (each["name"], one["value"], at(one["valid_from"]), _seen(one["valid_to"]), ", ".join(one["sources"]))
        for each in customer.attributes
        for one in each["periods"]
    ]
    _section(output, "Values in time", ("attribute", "value", "from", "until", "sources"), periods)
    _section(
        output,
        "Consents, with every statement that counts",
        ("purpose", "is", "at", "source", "touchpoint", "rule"),
        list(_consents(customer)),
    )
    interactions = [(each["channel"], each["type"], at(each["occurred_at"]), each["count"]) for each in customer.interactions]
    _section(output, "Last interactions", ("channel", "type", "at", "count"), interactions)


def _consents(customer: Customer) -> Iterator[tuple[str, ...]]:
    """Each decision with the statement that made it, and beneath it what else counts."""
    for each in customer.consents:
        yield (each["purpose"], *_statement(each), each["rule"])
        told = [statement for statement in each["statements"] if statement["touchpoint"] != each["touchpoint"]]
        yield from (("", *_statement(statement), "") for statement in told)


def _statement(said: Mapping[str, Any]) -> tuple[str, ...]:
    return "granted" if said["granted"] else "denied", at(said["occurred_at"]), said["source"], said["touchpoint"]


def _seen(ms: int | None) -> str:
    return "" if ms is None else at(ms)


def _lost(attribute: dict[str, Any]) -> str:
    """The values that lost, each in a line: what, who said so when, how often, and what decided."""
    return "\n".join(
        f"{one['value']} ({one['source']} {at(one['occurred_at'])}{_times(one['count'])}; {one['lost_by']})"
        for one in attribute["alternatives"]
    )


def _times(count: int) -> str:
    return f", {count} times" if count > 1 else ""


def _show_journey(dossier: Dossier, output: Output) -> None:
    stands = [
        (
            each["journey"] + (f" {each['instance']}" if each["instance"] else ""),
            (each["phase"] or "start") + (", dormant" if each["dormant"] else ""),
            at(each["since"]) if each["since"] is not None else "",
            each["cycle"],
            at(each["deadline"]) if each["deadline"] is not None else "",
        )
        for each in dossier.customer.journeys
    ]
    _section(output, "Where on the journey", ("journey", "phase", "since", "cycle", "deadline"), stands)
    _section(
        output, "Moments", ("at", "step", "why", "touchpoints", "as", "stands"), [_moment(dossier, each) for each in dossier.statements]
    )


def _moment(dossier: Dossier, statement: Statement) -> tuple[str, ...]:
    last = statement.last
    stands = "yes" if statement.stands else f"TAKEN BACK ({last.corrects or 'no cause given'}) at {at(last.detected_at)}"
    said_as = "" if last.customer_id == dossier.customer.customer_id else short(last.customer_id)
    return at(last.occurred_at), step(last), cause(last), ", ".join(last.touchpoints), said_as, stands


def _section(output: Output, title: str, columns: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        output.text()
        output.table(columns, rows, title=title)

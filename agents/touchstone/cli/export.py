"""`touchstone export`: everything that is held about one person, for her to see."""

import asyncio
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import click
import msgspec

from touchstone.app import ordering_of
from touchstone.cli.bootstrap import filed_bootstrap_option, running_kafka
from touchstone.cli.dossier import Wanted, find, former_ids, parse
from touchstone.cli.output import Output, counted, output_option
from touchstone.cli.topology_options import app_options
from touchstone.clock import SystemClock
from touchstone.contracts.codec import reading_codec
from touchstone.devkit.datasets import read_lines
from touchstone.errors import Retriable, UsageError
from touchstone.hash_key import secret_from
from touchstone.model.output import Customer, IdentityChange, Moment
from touchstone.pipeline import OutputRecord
from touchstone.privacy.document import Export
from touchstone.privacy.export import export_of
from touchstone.privacy.held import Holdings, Said
from touchstone.privacy.page import page_of
from touchstone.runtime.client import read_topic
from touchstone.simulate import LINES_AT_ONCE, Twin
from touchstone.stewardship.access import about, carriers, kept, lines_of, rights, said_on
from touchstone.stewardship.excerpt import live_twin
from touchstone.stewardship.holdings import holdings
from touchstone.topology.compile import Topology

_ATTEMPTS = 5
"""To read the topics and the state while workers change both: each is read as of its last commit."""


class Found(NamedTuple):
    """One person: what the state holds and what was said."""

    held: Holdings
    said: Said


@click.command
@click.argument("identifier")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="write it as JSON")
@click.option("--html", "html_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="write it as a page to read")
@click.option("--contact", metavar="TEXT", help="whom the person may write to; stands on the page")
@click.option("--file", type=click.Path(path_type=Path), metavar="FILE", help="of a person in this file of touchpoints instead")
@app_options
@filed_bootstrap_option
@output_option
def export(
    identifier: str,
    json_file: Path | None,
    html_file: Path | None,
    contact: str | None,
    file: Path | None,
    topology: Topology,
    app: str,
    bootstrap: str | None,
    output: Output,
) -> None:
    """Give a person everything that is held about her, and nothing of anybody else.

    IDENTIFIER is `email:ada@x.org`, `tenant/kind:value`, or a customer id, of one person: of what several people use nothing is handed out.
    Make sure first that whoever asks is that person.

    Identifiers, attributes with where they come from and what was said instead, consents with every statement, every touchpoint that is
    held, moments, also those that were taken back, who received them for what purpose, changes of who is who, how long what is kept, how
    to correct and to erase. It is read from the topics and from the state of the workers, who may run; nothing is changed.

    Files are readable by you alone. The page needs nothing else: no script, no picture, no font.

    Exit code 1 if nobody has that identifier.

    \b
      touchstone export email:ada@x.org --html ada.html --json ada.json \\
        --contact privacy@shop.example
      touchstone export user_id:u1 --file events.jsonl --output json
    """  # noqa: D301 - \b is click's mark for lines to be kept
    wanted = parse(identifier, {kind: kind for kind in topology.kinds} | dict(topology.kind_aliases))
    if file is None:
        found = asyncio.run(_live(wanted, topology, app, running_kafka(bootstrap)))
    else:
        found = _offline(wanted, topology, file)
    if found is None:
        output.fail(f"nobody has the identifier {wanted.text!r}; is the value in normal form, as `touchstone inspect` shows it?")
    document = export_of(found.held, found.said, kept(topology, app), rights(contact), SystemClock().now_ms())
    if json_file is not None:
        _write(json_file, msgspec.json.format(msgspec.json.encode(document)) + b"\n")
    if html_file is not None:
        _write(html_file, page_of(document).encode())
    output.emit(msgspec.to_builtins(document))
    _tell(document, [path for path in (json_file, html_file) if path is not None], output)


# -- finding the person ------------------------------------------------------------------------------------------------------------
async def _live(wanted: Wanted, topology: Topology, app: str, bootstrap: str) -> Found | None:
    """Topics first, then the state: the state says at least as much. Where it says more already, look again."""
    names = topology.topics
    for _ in range(_ATTEMPTS):
        customers = [record for record in await _read(bootstrap, names.customers, None) if isinstance(record, Customer)]
        chosen = _choose(wanted, customers)
        if chosen is None:
            return None
        customer, former = chosen
        ids = {customer.customer_id, *former}
        keys = {one.encode() for one in ids}
        moments: dict[str, list[Moment]] = {}
        for line in lines_of(topology):
            moments[line.topic] = [record for record in await _read(bootstrap, line.topic, keys) if isinstance(record, Moment)]
        changes = [record for record in await _read(bootstrap, names.identities, None) if isinstance(record, IdentityChange)]
        twin = await live_twin(topology, app, bootstrap, _keys(customer, topology), lambda _: None)
        held = holdings(twin, customer.customer_id)
        if held is not None and held.values == {(row["kind"], row["value"]) for row in customer.identifiers}:
            return _found(held, customer, former, moments, changes, topology)
    raise Retriable(
        f"expected the state to say of {wanted.text!r} what the topics say, found it changing each of {_ATTEMPTS} times; try again in a moment"
    )


def _offline(wanted: Wanted, topology: Topology, file: Path) -> Found | None:
    records: list[OutputRecord] = []
    twin = Twin(topology, records.append, secret=secret_from(os.environ))
    lines = [text for text in read_lines(str(file)) if text.strip()]
    for start in range(0, len(lines), LINES_AT_ONCE):
        twin.feed(lines[start : start + LINES_AT_ONCE])
    chosen = _choose(wanted, [record for record in records if isinstance(record, Customer)])
    held = None if chosen is None else holdings(twin, chosen[0].customer_id)
    if chosen is None or held is None:
        return None
    moments = {line.topic: said_on(line, records) for line in lines_of(topology)}
    changes = [record for record in records if isinstance(record, IdentityChange)]
    return _found(held, *chosen, moments, changes, topology)


def _found(
    held: Holdings,
    customer: Customer,
    former: tuple[str, ...],
    moments: Mapping[str, list[Moment]],
    changes: Iterable[IdentityChange],
    topology: Topology,
) -> Found:
    if held.is_nobody:
        raise UsageError(
            "expected an identifier of one person, found one that several people use: what was done with it may be anybody's and is handed "
            "out to nobody; name an identifier that is hers alone"
        )
    names = topology.topics
    ids = {customer.customer_id, *former}
    said = Said(customer, former, carriers(topology, moments), about(ids, changes), names.customers, names.identities)
    return Found(held, said)


def _choose(wanted: Wanted, records: Iterable[Customer]) -> tuple[Customer, tuple[str, ...]] | None:
    customers: dict[str, Customer] = {}
    for record in records:
        known = customers.get(record.customer_id)
        customers[record.customer_id] = record if known is None or record.revision > known.revision else known
    meant = [customer for customer in find(wanted, customers) if customer.status == "active"]
    if len(meant) > 1:
        raise UsageError(f"expected one person, found {len(meant)} with {wanted.text!r}; put the tenant in front, or name a customer id")
    return None if not meant else (meant[0], tuple(other.customer_id for other in former_ids(meant[0], customers)))


def _keys(customer: Customer, topology: Topology) -> set[str]:
    ordering = ordering_of(topology)
    return {ordering.key(customer.tenant, row["kind"], row["value"]) for row in customer.identifiers}


async def _read(bootstrap: str, topic: str, keys: Collection[bytes] | None) -> list[OutputRecord]:
    """All records of a topic; with `keys` only those, and no other is decoded."""
    codec = reading_codec()
    return [
        codec.decode_record(record.value)
        async for record in read_topic(bootstrap, [topic])
        if record.value is not None and (keys is None or record.key in keys)
    ]


# -- handing it out ----------------------------------------------------------------------------------------------------------------
def _write(path: Path, content: bytes) -> None:
    """For its owner's eyes only, whoever's file was there before."""
    try:
        path.unlink(missing_ok=True)
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def _tell(document: Export, files: list[Path], output: Output) -> None:
    output.text(f"customer {document.customer_id}, known until {document.known_until}")
    taken_back = sum(not moment.stands for moment in document.moments)
    output.text(
        f"{counted(len(document.identifiers), 'identifier')}, {counted(len(document.attributes), 'attribute')}, "
        f"{counted(len(document.consents), 'purpose')} of consent, {counted(len(document.touchpoints), 'touchpoint')}, "
        f"{counted(len(document.moments), 'moment')}, of which {taken_back} taken back, {counted(len(document.recipients), 'recipient')}"
    )
    for path in files:
        output.text(f"written to {path}")
    if not files:
        output.note("nothing was written: --html FILE is for the person to read, --json FILE or --output json for programs")

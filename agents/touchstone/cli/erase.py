"""`touchstone erase`: forget a person, with what that means shown before, and a receipt after."""

import asyncio
import os
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from touchstone.app import ordering_of
from touchstone.cli.bootstrap import given_bootstrap_option, running_kafka
from touchstone.cli.dossier import parse
from touchstone.cli.lines import short
from touchstone.cli.output import Output, counted, output_option
from touchstone.cli.topology_options import app_options
from touchstone.clock import SystemClock
from touchstone.contracts.codec import reading_codec
from touchstone.contracts.times import iso_text
from touchstone.devkit.datasets import read_lines
from touchstone.errors import RecordRejected, UsageError
from touchstone.hash_key import secret_from
from touchstone.intake.command import CommandReader, Ruled
from touchstone.intake.touchpoint import DEFAULT_TENANT
from touchstone.model.command import ERASE, HASHED
from touchstone.model.identifier import kind_of, tenant_of, value_of
from touchstone.pipeline import OutputRecord, stages_of
from touchstone.privacy.erase import by_kind, places
from touchstone.privacy.pseudonym import Pseudonyms
from touchstone.privacy.receipt import FOR_EVER, Place, Receipt, is_genuine, signed
from touchstone.runtime.admin import topic_settings
from touchstone.runtime.agreement import read_agreement
from touchstone.runtime.names import changelog_topic, generation_base, internal_topic
from touchstone.simulate import LINES_AT_ONCE, Twin
from touchstone.stewardship.erasing import Preview, decided, preview
from touchstone.stewardship.excerpt import live_twin
from touchstone.stewardship.giving import give
from touchstone.topology.compile import Topology

VERIFY = "verify"


class Wish(NamedTuple):
    """Who is to be forgotten, and who says so."""

    identifiers: tuple[str, ...]
    who: str
    why: str
    command_id: str


@click.command
@click.argument("identifiers", nargs=-1, required=True, metavar="IDENTIFIER…")
@click.option("--who", metavar="NAME", envvar="TOUCHSTONE_STEWARD", show_envvar=True, help="who does it")
@click.option("--why", metavar="TEXT", help="the reason, such as the number of the request")
@click.option("--id", "command_id", metavar="ID", help="the command's id; by default a new one")
@click.option("--dry-run", is_flag=True, help="only show what it would forget")
@click.option("--yes", is_flag=True, help="do not ask")
@click.option("--receipt", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="write the receipt here")
@click.option("--file", type=click.Path(path_type=Path), metavar="FILE", help="try it on touchpoints in this file instead")
@click.option("--wait", "seconds", type=click.IntRange(min=1), default=60, show_default=True, help="seconds for it to be done")
@app_options
@given_bootstrap_option
@output_option
def erase(
    identifiers: tuple[str, ...],
    who: str | None,
    why: str | None,
    command_id: str | None,
    dry_run: bool,
    yes: bool,
    receipt: Path | None,
    file: Path | None,
    seconds: int,
    topology: Topology,
    app: str,
    bootstrap: str | None,
    output: Output,
) -> None:
    """Forget whoever has an IDENTIFIER, with all that belongs to that person; or check a receipt.

    First it is shown what would be forgotten, on a copy of the state: identifiers by kind, customers, moments that are taken back,
    touchpoints. Then it asks, sends the command (it holds hashes, no values), waits until it was done, and prints a receipt: what was
    forgotten, and which topics may hold bytes of it until when. It cannot be undone. Whoever comes back later is somebody new.

    `touchstone erase verify RECEIPT` says whether this installation has signed a receipt as it is.

    \b
      touchstone erase email:ada@x.org --who ann --why "request 4711" --dry-run
      touchstone erase email:ada@x.org --who ann --why "request 4711" \\
        --receipt receipt.json
      touchstone erase verify receipt.json
    """  # noqa: D301 - \b is click's mark for lines to be kept
    if identifiers[0] == VERIFY:
        _verify(identifiers[1:], output)
        return
    if not who or not why:
        raise UsageError("expected --who NAME and --why TEXT: an erasure must say who did it, and on whose request")
    wish = Wish(identifiers, who, why, command_id or f"erase-{uuid.uuid4().hex[:12]}")
    desk = Desk(topology, app, output)
    if file is not None:
        desk.tell(desk.try_on_file(wish, file))
        return
    kafka = running_kafka(bootstrap)
    tried = desk.try_live(wish, kafka)
    desk.tell(tried)
    if dry_run:
        output.note("nothing was sent (--dry-run)")
        return
    if not yes and not output.is_json:
        click.confirm("Forget them? It cannot be undone.", abort=True, err=True)
    elif not yes:
        output.fail("expected --yes or --dry-run: with --output json nobody is asked; nothing was sent", 2)
    written = desk.give(tried, kafka, seconds)
    if receipt is not None:
        receipt.write_bytes(msgspec.json.format(msgspec.json.encode(written)) + b"\n")
    desk.tell_receipt(written, receipt)


class Desk:
    """Where one erasure is dealt with. Values are shown nowhere: whoever asks knows them, and a terminal keeps what it shows."""

    def __init__(self, topology: Topology, app: str, output: Output) -> None:
        self._topology, self._app, self._output = topology, app, output
        self._secret = secret_from(os.environ)
        self._reader = CommandReader(topology, ordering_of(topology), reading_codec())

    def try_on_file(self, wish: Wish, file: Path) -> Preview:
        """Run the file through a twin and give it the command."""
        lines = [text for text in read_lines(str(file)) if text.strip()]
        said: list[OutputRecord] = []
        twin = Twin(self._topology, said.append, secret=self._secret)
        for start in range(0, len(lines), LINES_AT_ONCE):
            twin.feed(lines[start : start + LINES_AT_ONCE])
        return preview(self._command(wish, max(twin.now, 0) + 1), twin, said, self._topology)

    def try_live(self, wish: Wish, bootstrap: str) -> Preview:
        """Give the command to a copy of what it concerns."""
        said: list[OutputRecord] = []
        twin = asyncio.run(live_twin(self._topology, self._app, bootstrap, self._keys(wish.identifiers), said.append))
        return preview(self._command(wish, SystemClock().now_ms()), twin, said, self._topology)

    def _command(self, wish: Wish, at: int) -> Ruled:
        keys = self._keys(wish.identifiers)
        tenants = {tenant_of(x) for x in keys}
        if len(tenants) > 1:
            raise UsageError(f"expected identifiers of one tenant, found {', '.join(sorted(tenants))}: give a command for each")
        stated = {
            "command_id": wish.command_id,
            "tenant": tenants.pop(),
            "action": ERASE,
            "at": at,
            "who": wish.who,
            "why": wish.why,
            "identifiers": [{"kind": kind_of(x), "value": HASHED + value_of(x)} for x in keys],
        }
        try:
            return self._reader.read(msgspec.json.encode(stated), at)
        except RecordRejected as rejected:
            raise UsageError(f"such a command would be refused, {rejected.reason}: {rejected.detail}") from None

    def _keys(self, words: tuple[str, ...]) -> list[str]:
        kinds = {kind: kind for kind in self._topology.kinds} | dict(self._topology.kind_aliases)
        keys: dict[str, str] = {}
        for wanted in (parse(word, kinds) for word in words):
            if wanted.kind is None:
                raise UsageError(
                    "expected kind:value, such as email:ada@x.org, found a customer id; `touchstone inspect` shows those of an id"
                )
            try:
                keys |= self._reader.keys("identifiers", [{"kind": wanted.kind, "value": wanted.value}], wanted.tenant or DEFAULT_TENANT)
            except RecordRejected as rejected:
                raise UsageError(f"{wanted.kind}: expected an identifier that touchpoints can have, found {rejected.reason}") from None
        return list(keys)

    # -- doing it ------------------------------------------------------------------------------------------------------------------
    def give(self, tried: Preview, bootstrap: str, seconds: int) -> Receipt:
        """Send the command, wait until it was done, and write the receipt."""
        return asyncio.run(self._give(tried, bootstrap, seconds))

    async def _give(self, tried: Preview, bootstrap: str, seconds: int) -> Receipt:
        command, output = tried.ruled.command, self._output
        seen = await give(tried.ruled, tried.effect, self._topology, self._app, bootstrap, seconds)
        found = None if seen is None else await decided(self._topology, bootstrap, tried.forgotten, command.at, seconds)
        if found is None:
            output.fail(
                f"{command.command_id} was sent, but it was not all seen to be done within {seconds} s: no worker runs, or it is far behind. "
                f"It is not lost: give the same again later for a receipt; what was decided stands in {self._topology.topics.privacy}"
            )
        now = SystemClock().now_ms()
        own = await self._own_topics(bootstrap)
        names = self._topology.topics
        wanted = [
            *(channel.topic for channel in self._topology.channels.values()),
            *(names.commands, names.moments, names.customers, names.identities, names.reviews, names.deadletters, names.privacy),
            *(output.topic for output in self._topology.outputs),
            *own,
        ]
        settings = await topic_settings(bootstrap, list(dict.fromkeys(wanted)))
        receipt = Receipt(
            command_id=command.command_id,
            tenant=command.tenant,
            asked_by=command.who,
            why=command.why,
            asked_at=iso_text(command.at),
            written_at=iso_text(now),
            until=iso_text(command.at),
            forgotten=tuple(sorted(found)),
            by_kind=by_kind(found),
            customers=tried.customers,
            moments_taken_back=tried.moments_taken_back,
            touchpoints=tried.touchpoints,
            places=places(self._topology, own, settings, now),
        )
        return signed(receipt, self._secret)

    async def _own_topics(self, bootstrap: str) -> dict[str, str]:
        agreement = await read_agreement(bootstrap, self._app)
        base = generation_base(self._app, 1 if agreement is None else agreement.generation)
        found = {internal_topic(base, stage): "messages between workers" for stage in stages_of(self._topology)}
        return found | {changelog_topic(base, stage): "changes of the state" for stage in stages_of(self._topology)}

    # -- showing -------------------------------------------------------------------------------------------------------------------
    def tell(self, tried: Preview) -> None:
        """Show what would be forgotten, by pseudonyms."""
        output, command = self._output, tried.ruled.command
        pseudonyms = Pseudonyms(self._secret)
        output.emit(
            {
                "record": "erasure",
                "command_id": command.command_id,
                "until": iso_text(command.at),
                "forgotten": list(tried.forgotten),
                "by_kind": by_kind(tried.forgotten),
                "customers": list(tried.customers),
                "moments_taken_back": tried.moments_taken_back,
                "touchpoints": tried.touchpoints,
            }
        )
        if output.is_json:
            return
        rows = [(kind_of(x), pseudonyms.of(x, command.at)) for x in tried.forgotten]
        output.table(("kind", "pseudonym"), rows, title=f"Up to {iso_text(command.at)}: {counted(len(rows), 'identifier')}")
        output.text(f"customers: {', '.join(map(short, tried.customers)) or 'none'}")
        output.text(f"{counted(tried.moments_taken_back, 'moment')} taken back, {counted(tried.touchpoints, 'touchpoint')} dropped")

    def tell_receipt(self, receipt: Receipt, file: Path | None) -> None:
        """Show the receipt."""
        output = self._output
        output.emit({"record": "receipt", **msgspec.to_builtins(receipt)})
        if output.is_json:
            return
        output.text()
        output.table(("topic", "may hold bytes until", "what"), [_row(place) for place in receipt.places], title="Where bytes may lie")
        output.text(f"done: {receipt.command_id}, {counted(len(receipt.forgotten), 'identifier')}, signed {short(receipt.signature)}")
        output.note("to keep it: --receipt FILE" if file is None else f"the receipt is in {file}; touchstone erase verify {file} checks it")


def _row(place: Place) -> tuple[str, ...]:
    return place.topic, place.until if place.until != FOR_EVER else f"{FOR_EVER}: its owner must delete it, or its retention", place.holds


def _verify(files: tuple[str, ...], output: Output) -> None:
    if len(files) != 1:
        raise UsageError(f"expected one file behind verify, found {len(files)}")
    try:
        receipt = msgspec.json.decode(Path(files[0]).read_bytes(), type=Receipt)
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError(f"expected {files[0]} to be a receipt, found: {type(error).__name__}") from None
    genuine = is_genuine(receipt, secret_from(os.environ))
    said: dict[str, Any] = {"record": "verified", "command_id": receipt.command_id, "is_genuine": genuine}
    output.emit(said)
    if not genuine:
        output.fail("the receipt was not signed so by this installation: it was changed, or another hash key is set")
    output.text(f"signed by this installation: {receipt.command_id}, {counted(len(receipt.forgotten), 'identifier')} up to {receipt.until}")

"""`touchstone tail`: what Touchstone says, as it says it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict, fields
from pathlib import Path
from typing import cast

import click
from rich.text import Text

from touchstone.cli.bootstrap import bootstrap_option
from touchstone.cli.lines import RECORD_NAMES, line
from touchstone.cli.output import Output, output_option
from touchstone.cli.topology_options import load_own, output_topics, prefix_option, topology_option
from touchstone.contracts.codec import reading_codec
from touchstone.contracts.json_form import to_json_dict
from touchstone.errors import RecordRejected, UsageError
from touchstone.intake.redrive import SETTLED
from touchstone.runtime.client import follow
from touchstone.runtime.program import Record
from touchstone.topology.topics import Topics

_ALWAYS = tuple(
    field.name for field in fields(Topics) if field.name not in ("commands", "privacy")
)  # those go the other way, or hold facts for workers


@click.command
@click.argument("what")
@click.option("--from-beginning", is_flag=True, help="begin with the oldest record that is still there, not with the next one")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="end after N records; without it, end with Ctrl-C")
@click.option(
    "--topic", metavar="NAME", help="another topic with such records, by its full name; neither topology nor prefix are asked then"
)
@topology_option("what WHAT's topic is called, and which further outputs there are; ")
@prefix_option
@bootstrap_option
@output_option
def tail(
    what: str,
    from_beginning: bool,
    limit: int | None,
    topic: str | None,
    topology: Path | None,
    topic_prefix: str,
    bootstrap: str,
    output: Output,
) -> None:
    """Show moments, customers, identity changes, reviews or dead letters as they come, one line each.

    WHAT is `moments`, `customers`, `identities`, `reviews`, `deadletters`, or the name of a further output of the topology. A topology that calls the
    topics otherwise is named with --topology, as for the workers.

    Of a moment the line says when it happened, whose it is, from which phase to which, by what rule and channel. A moment that turns out to
    have been wrong comes a second time, marked TAKEN BACK with the cause; of one `moment_id` the highest `revision` counts.

    With --from-beginning what is there comes in the order in which it was said; of different customers, what was said at the same moment
    comes in any order. Only what was committed is shown. With --output json every line is one object with the field names of the contract.

    \b
      touchstone tail moments
      touchstone tail moments --from-beginning --limit 10 --output json
      touchstone tail deadletters --from-beginning
      touchstone tail service --topology topology.yaml
    """  # noqa: D301 - \b is click's mark for lines to be kept
    name = topic or topic_of(what, topology, topic_prefix)
    if limit is None:
        output.note(Text(f"{what} from {name} at {bootstrap}; end with Ctrl-C", style="dim"))
    try:
        asyncio.run(show(bootstrap, name, from_beginning=from_beginning, limit=limit, output=output))
    except KeyboardInterrupt:
        return  # the usual way to end it


def topic_of(what: str, topology: Path | None, prefix: str) -> str:
    """The topic of one of the five, or of a further output. Reads no topology where the shipped names hold.

    Raises:
        UsageError: There is nothing of that name.
        TopologyError: The topology is wrong.
    """
    if topology is None and what in _ALWAYS:
        return str(getattr(output_topics(prefix), what))
    compiled = load_own(topology, prefix)
    without = {"reviews"} if compiled.matching is None else set[str]()
    own: dict[str, str] = {name: topic for name, topic in asdict(compiled.topics).items() if name in _ALWAYS and name not in without}
    names = own | {output.name: output.topic for output in compiled.outputs if output.name not in own}
    if what not in names:
        raise UsageError(
            f"expected one of {', '.join(names)}, found {what!r}; --topology names a topology with further outputs, --topic a topic itself"
        )
    return names[what]


async def show(bootstrap: str, topic: str, *, from_beginning: bool, limit: int | None, output: Output) -> None:
    """Show records of the topic until `limit` is reached; for ever without one."""
    shown = 0
    following = cast("AsyncGenerator[Record, None]", follow(bootstrap, [topic], from_beginning=from_beginning))
    async with aclosing(following) as records:
        async for record in records:
            _show(record, output)
            shown += 1
            if shown == limit:
                return


def _show(record: Record, output: Output) -> None:
    where = f"{record.topic}[{record.partition}]@{record.offset}"
    if record.value is None:
        key, settled = (record.key or b"").decode(errors="replace"), dict(record.headers).get(SETTLED, b"").decode(errors="replace")
        if settled:
            output.emit({"record": "settled", "letter_id": key, "state": settled}, f"dead letter {key} was {settled} ({where})")
        else:
            output.emit({"record": "tombstone", "key": key}, f"erased ({where})")
        return
    try:
        decoded = reading_codec().decode_record(record.value)
    except RecordRejected as rejected:
        output.error(f"{where} cannot be read ({rejected.reason}): {rejected.detail}; is it a topic of Touchstone's outputs?")
        return
    output.emit({"record": RECORD_NAMES[type(decoded)], **to_json_dict(decoded)}, line(decoded))

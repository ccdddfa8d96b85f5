"""`touchstone deadletters`: what was refused, and what becomes of it."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import IO, Any

import click
import msgspec
from rich.text import Text

from touchstone.cli.bootstrap import bootstrap_option
from touchstone.cli.groups import Suggesting
from touchstone.cli.letters import Found, Wanted, letter_options, own, place_options, read_letters
from touchstone.cli.lines import at
from touchstone.cli.masked import content, masked
from touchstone.cli.output import Output, counted, output_option
from touchstone.clock import SystemClock
from touchstone.contracts.codec import writing_codec
from touchstone.contracts.json_form import to_json_dict
from touchstone.contracts.reasons import REASONS
from touchstone.errors import UsageError
from touchstone.identity.ordering import Ordering
from touchstone.intake.agent import Intake
from touchstone.intake.lines import Prepared
from touchstone.intake.redrive import SETTLED, Again, again, correct, tries
from touchstone.model.output import DeadLetter
from touchstone.observe.metrics import Counts
from touchstone.runtime.atomic import Sent, write_together
from touchstone.runtime.program import Record
from touchstone.topology.compile import Topology
from touchstone.topology.subjects import subject_of

MAX_TRIES = 3
_AT_ONCE = 200
_SHOWN_OF_ID = 12


@click.group(cls=Suggesting)
def deadletters() -> None:
    """See what was refused and why, mend it, send it again, or put it aside.

    A dead letter keeps the original bytes of a record that could not be used. It is open until it was sent again or dropped; that is said
    by a record without a value under its id in the same topic, so nothing is ever deleted, and whoever reads the topic sees the same.
    """


@deadletters.command("list")
@letter_options
@click.option("--settled", is_flag=True, help="also those that were sent again or dropped")
@place_options
@bootstrap_option
@output_option
def list_(wanted: Wanted, settled: bool, topology: Topology, topic_prefix: str, bootstrap: str, output: Output) -> None:
    """List the letters that are open, the oldest first. No values of the records are shown.

    \b
      touchstone deadletters list --since 24h
      touchstone deadletters list --reason invalid_time --output json
    """  # noqa: D301 - \b is click's mark for lines to be kept
    topic = own(topology, topic_prefix).topics.deadletters
    found = asyncio.run(read_letters(bootstrap, topic, wanted, settled=settled))
    if output.is_json:
        for each in found:
            output.emit(_outline(each))
        return
    head = ("letter", "time", "channel", "reason", "tries", "state", "bytes", "from")
    output.table(head, (_row(each) for each in found))
    by_reason = Counter(each.letter.reason for each in found)
    output.note(counted(len(found), "letter") + "".join(f"; {reason}: {count:,}" for reason, count in by_reason.most_common()))


@deadletters.command
@click.argument("letter_id", metavar="ID")
@click.option("--reveal", is_flag=True, help="show the values of the record too; they are personal")
@place_options
@bootstrap_option
@output_option
def show(letter_id: str, reveal: bool, topology: Topology, topic_prefix: str, bootstrap: str, output: Output) -> None:
    """Show one letter: why it was refused, where it came from, and the form of what it says. ID may be the beginning of the id."""
    topic = own(topology, topic_prefix).topics.deadletters
    found = _the_one(asyncio.run(read_letters(bootstrap, topic, Wanted(ids=(letter_id,)), settled=True)), letter_id)
    letter, inside = found.letter, content(found.letter)
    shown = inside if reveal else masked(inside)
    if output.is_json:
        raw = (
            {name: value for name, value in to_json_dict(letter).items() if name.startswith(("key", "value", "headers"))} if reveal else {}
        )
        output.emit(_outline(found) | {"content": shown} | raw)
        return
    output.table(("", ""), ((name, value if isinstance(value, int) else str(value)) for name, value in _outline(found).items()))
    output.text(Text(f"\n{letter.reason}: {REASONS.get(letter.reason, '')}\n"))
    output.text(Text(shown if isinstance(shown, str) else msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()))
    if not reveal:
        output.note("values are hidden, they may be personal; --reveal shows them")


@deadletters.command
@letter_options
@click.option("--all", "everything", is_flag=True, help="all that are open; without it something must narrow them down")
@click.option(
    "--edit", type=click.File("rb"), metavar="FILE", help="send this corrected JSON object instead, of one letter; - reads standard input"
)
@click.option(
    "--max-tries", type=click.IntRange(min=1), default=MAX_TRIES, show_default=True, help="leave alone what was sent again so often already"
)
@click.option("--dry-run", is_flag=True, help="only say what would be sent, and what this topology would say to it")
@place_options
@bootstrap_option
@output_option
def replay(
    wanted: Wanted,
    everything: bool,
    edit: IO[bytes] | None,
    max_tries: int,
    dry_run: bool,
    topology: Topology,
    topic_prefix: str,
    bootstrap: str,
    output: Output,
) -> None:
    """Send open letters back to the topic they came from.

    The original bytes, or a corrected line, with the time they were first appended: what comes of it is as if it had been right at first.
    Sending and settling the letter are one transaction. What is refused again becomes a new letter that counts its tries; only letters that
    are open when the command starts are sent, so nothing goes round in circles.

    \b
      touchstone deadletters replay --reason unknown_channel --dry-run
      touchstone deadletters replay --letter 3f2a --edit mended.json
    """  # noqa: D301 - \b is click's mark for lines to be kept
    compiled = own(topology, topic_prefix)
    found = _chosen(asyncio.run(read_letters(bootstrap, compiled.topics.deadletters, wanted)), wanted, everything=everything)
    codec = writing_codec(subject_of(compiled))
    corrected = None
    if edit is not None:
        found = [_the_one(found, ", ".join(wanted.ids) or "those filters")]
        corrected = correct(edit.read(), found[0].letter, compiled, codec)
    intake = Intake(compiled, Ordering(compiled.kinds).strength, Counts(), codec)
    now = SystemClock().now_ms()
    sending: list[tuple[Found, Again]] = []
    for each in found:
        fault, record = _prepared(each.letter, corrected, max_tries)
        refused = None if record is None else _refused(intake, record, now)
        if record is not None and edit is not None and refused is not None:
            raise UsageError(f"the corrected line would be refused again, {refused.reason}: {refused.detail}; nothing was sent")
        if record is not None:
            sending.append((each, record))
        says = fault or ("would be used" if refused is None else f"would be refused again: {refused.reason}")
        if dry_run or fault:
            output.emit({**_outline(each), "outcome": says}, Text(f"{each.letter.letter_id[:_SHOWN_OF_ID]}  {says}"))
    if not dry_run:
        asyncio.run(_send(bootstrap, compiled.topics.deadletters, sending))
    _tell(output, "replayed", len(sending), len(found) - len(sending), dry_run=dry_run)


@deadletters.command
@letter_options
@click.option("--all", "everything", is_flag=True, help="all that are open; without it something must narrow them down")
@click.option("--dry-run", is_flag=True, help="only say which")
@place_options
@bootstrap_option
@output_option
def drop(wanted: Wanted, everything: bool, dry_run: bool, topology: Topology, topic_prefix: str, bootstrap: str, output: Output) -> None:
    """Put open letters aside: they will not be sent again. They stay in the topic, and `list --settled` shows them."""
    topic = own(topology, topic_prefix).topics.deadletters
    found = _chosen(asyncio.run(read_letters(bootstrap, topic, wanted)), wanted, everything=everything)
    for each in found if dry_run else ():
        output.emit({**_outline(each), "outcome": "would be dropped"}, Text(f"{each.letter.letter_id[:_SHOWN_OF_ID]}  would be dropped"))
    if not dry_run:
        for start in range(0, len(found), _AT_ONCE):
            asyncio.run(write_together(bootstrap, [_settlement(topic, each, "dropped") for each in found[start : start + _AT_ONCE]]))
    _tell(output, "dropped", len(found), 0, dry_run=dry_run)


async def _send(bootstrap: str, topic: str, sending: Sequence[tuple[Found, Again]]) -> None:
    """Send records and settle their letters, some at a time, each lot in one transaction."""
    for start in range(0, len(sending), _AT_ONCE):
        together: list[Sent] = []
        for each, record in sending[start : start + _AT_ONCE]:
            together += [Sent(*record), _settlement(topic, each, "replayed")]
        await write_together(bootstrap, together)


def _settlement(topic: str, found: Found, state: str) -> Sent:
    return Sent(topic, found.letter.letter_id.encode(), None, ((SETTLED, state.encode()),), found.partition)


def _prepared(letter: DeadLetter, corrected: Prepared | None, max_tries: int) -> tuple[str | None, Again | None]:
    """Why a letter is not sent, or the record that is."""
    if tries(letter) >= max_tries:
        return f"was sent again {tries(letter)} times and refused each time: raise --max-tries if something has changed, or drop it", None
    try:
        return None, again(letter, corrected)
    except UsageError as fault:
        return str(fault), None


def _refused(intake: Intake, record: Again, now_ms: int) -> DeadLetter | None:
    """What this topology would say to the record: the letter that it would become again, or None."""
    taken = intake.take(Record(record.topic, 0, (1 << 62), now_ms, record.key, record.value, record.headers), [])
    return taken if isinstance(taken, DeadLetter) else None


def _chosen(found: list[Found], wanted: Wanted, *, everything: bool) -> list[Found]:
    if wanted.is_everything and not everything:
        raise UsageError(
            f"expected filters that say which of the {len(found):,} open letters are meant, found none; --all means all of them"
        )
    return found


def _the_one(found: Sequence[Found], what: str) -> Found:
    if len(found) != 1:
        ids = ", ".join(each.letter.letter_id[:_SHOWN_OF_ID] for each in found[:5])
        raise UsageError(
            f"expected one letter for {what}, found {len(found) or 'none'}{': ' + ids if ids else ''}; see `touchstone deadletters list`"
        )
    return found[0]


def _outline(found: Found) -> dict[str, Any]:
    """A letter without key, value and headers: nothing of it is personal."""
    fields = to_json_dict(msgspec.structs.replace(found.letter, key=None, value=b"", headers=()))
    kept = {name: value for name, value in fields.items() if not name.startswith(("key", "value", "headers"))}
    return {**kept, "tries": tries(found.letter), "state": found.state}


def _row(found: Found) -> tuple[Any, ...]:
    letter = found.letter
    origin = f"{letter.topic}[{letter.partition}]@{letter.offset}"
    ours = (letter.letter_id[:_SHOWN_OF_ID], at(letter.occurred_at), letter.channel, letter.reason)
    return (*ours, tries(letter), found.state, letter.size, origin)


def _tell(output: Output, what: str, done: int, left: int, *, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    rest = f"; {left:,} left alone" if left else ""
    if output.is_json:
        output.emit({"done" if not dry_run else "would": what, "letters": done, "left_alone": left})
    else:
        output.note(f"{counted(done, 'letter')} {would}{what}{rest}")

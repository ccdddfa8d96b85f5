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
from touchstone.cli.letters import Found, Wanted, letter_options, named, own, place_options, read_letters
from touchstone.cli.lines import at
from touchstone.cli.masked import content, masked
from touchstone.cli.output import Output, counted, output_option
from touchstone.cli.resending import Examiner, Verdict
from touchstone.contracts.codec import writing_codec
from touchstone.contracts.json_form import to_json_dict
from touchstone.contracts.reasons import REASONS
from touchstone.errors import UsageError
from touchstone.intake.redrive import SETTLED, correct, tries
from touchstone.runtime.atomic import Sent, write_together
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
@click.argument("letter_id", metavar="ID", callback=named)
@click.option("--reveal", is_flag=True, help="show the values of the record too; they are personal")
@place_options
@bootstrap_option
@output_option
def show(letter_id: str, reveal: bool, topology: Topology, topic_prefix: str, bootstrap: str, output: Output) -> None:
    """Show one letter: why it was refused, where it came from, and the form of what it says.

    ID may be the beginning of the id, at least 4 characters.
    """
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
@click.option("--anyway", is_flag=True, help="send also what this topology would refuse again; the workers may know another")
@click.option("--dry-run", is_flag=True, help="only say what would be sent, and what this topology would say to it")
@place_options
@bootstrap_option
@output_option
def replay(
    wanted: Wanted,
    everything: bool,
    edit: IO[bytes] | None,
    max_tries: int,
    anyway: bool,
    dry_run: bool,
    topology: Topology,
    topic_prefix: str,
    bootstrap: str,
    output: Output,
) -> None:
    """Send open letters back to the topic they came from.

    The original bytes, or a corrected line, with the time they were first appended: what comes of it is as if it had been right at first.
    Sending and settling the letter are one transaction. What this topology would refuse again is left alone. What is refused all the same
    becomes a new letter that counts its tries; only letters that are open when the command starts are sent, so nothing goes round in circles.

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
    examiner = Examiner(compiled, codec, max_tries=max_tries, anyway=anyway)
    verdicts = [examiner.look(each, corrected) for each in found]
    for verdict in verdicts:
        if dry_run or verdict.record is None:
            letter_id = verdict.found.letter.letter_id[:_SHOWN_OF_ID]
            output.emit({**_outline(verdict.found), "outcome": verdict.says}, Text(f"{letter_id}  {verdict.says}"))
    if not dry_run:
        asyncio.run(_send(bootstrap, compiled.topics.deadletters, verdicts))
    _tell_replayed(output, verdicts, dry_run=dry_run)


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
    _tell(output, "dropped", len(found), {"left_alone": 0}, dry_run=dry_run)


async def _send(bootstrap: str, topic: str, verdicts: Sequence[Verdict]) -> None:
    """Send what is to be sent and settle the letters of that, some at a time, each lot in one transaction."""
    sending = [(verdict.found, verdict.record) for verdict in verdicts if verdict.record is not None]
    for start in range(0, len(sending), _AT_ONCE):
        together: list[Sent] = []
        for each, record in sending[start : start + _AT_ONCE]:
            together += [Sent(*record), _settlement(topic, each, "replayed")]
        await write_together(bootstrap, together)


def _settlement(topic: str, found: Found, state: str) -> Sent:
    return Sent(topic, found.letter.letter_id.encode(), None, ((SETTLED, state.encode()),), found.partition)


def _chosen(found: list[Found], wanted: Wanted, *, everything: bool) -> list[Found]:
    if wanted.is_everything and not everything:
        raise UsageError(
            f"expected filters that say which of the {len(found):,} open letters are meant, found none; --all means all of them"
        )
    # With --limit a letter that is not among the found may be there all the same.
    nobody = [one for one in wanted.ids if not any(each.letter.letter_id.startswith(one) for each in found)]
    if nobody and (wanted.limit is None or not found):
        raise UsageError(
            f"expected an open letter whose id begins with {nobody[0]!r}, found none that fits; nothing was done. `touchstone deadletters list` shows "
            "what is open, with --settled also what was dealt with"
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


def _tell_replayed(output: Output, verdicts: Sequence[Verdict], *, dry_run: bool) -> None:
    sent = sum(verdict.record is not None for verdict in verdicts)
    left = len(verdicts) - sent
    again = sum(verdict.refusal is not None for verdict in verdicts)
    rest = f"; {left:,} left alone" if left else ""
    if again:  # either all of them are sent or none
        rest += f"; {again:,} would be refused again" + (
            "" if any(v.refusal and v.record for v in verdicts) else ": --anyway sends them too"
        )
    _tell(output, "replayed", sent, {"left_alone": left, "refused_again": again}, rest, dry_run=dry_run)


def _tell(output: Output, what: str, done: int, others: dict[str, int], rest: str = "", *, dry_run: bool) -> None:
    if output.is_json:
        output.emit({"done" if not dry_run else "would": what, "letters": done, **others})
    else:
        output.note(f"{counted(done, 'letter')} {'would be ' if dry_run else ''}{what}{rest}")

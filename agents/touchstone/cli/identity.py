"""`touchstone identity`: what a steward rules about who is who, with its effect shown before it is done."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from touchstone.cli.bootstrap import filed_bootstrap_option
from touchstone.cli.groups import Suggesting
from touchstone.cli.output import Output, output_option
from touchstone.cli.steward import Desk, Wish
from touchstone.cli.topology_options import app_options
from touchstone.errors import UsageError
from touchstone.model.command import ACCEPT, FORBID, JOIN, REJECT, SPLIT, UNDO
from touchstone.topology.compile import Topology

_F = TypeVar("_F", bound=Callable[..., Any])


@click.group(cls=Suggesting)
def identity() -> None:
    """Rule about who is who: split, join, forbid, accept, reject, undo.

    A command is a fact like a touchpoint: it may come late or twice, it holds against all evidence of the same pair, and of several about one
    pair the latest counts. Nothing is deleted: `undo` takes any of them back. Every command first shows what it would do (who becomes
    whom, which moments are taken back and which asserted) on a copy of the state it concerns, and asks; then it waits until that is so.

    With --file it is tried on touchpoints in a file, and nothing is sent.
    """


def _command_options(command: _F) -> _F:
    for option in (
        output_option,
        filed_bootstrap_option,
        app_options,
        click.option(
            "--wait", "seconds", type=click.IntRange(min=1), default=60, show_default=True, help="seconds for the effect to be seen"
        ),
        click.option("--file", type=click.Path(path_type=Path), metavar="FILE", help="try it on touchpoints in this file instead"),
        click.option("--yes", is_flag=True, help="do not ask"),
        click.option("--dry-run", is_flag=True, help="only show what it would do"),
        click.option("--id", "command_id", metavar="ID", help="the command's id, by which it can be undone; by default a new one"),
        click.option("--why", required=True, metavar="TEXT", help="the reason, for whoever asks later"),
        click.option("--who", required=True, metavar="NAME", envvar="TOUCHSTONE_STEWARD", show_envvar=True, help="who rules it"),
    ):
        command = option(command)
    return command


@identity.command()
@click.argument("identifiers", nargs=-1, required=True, metavar="IDENTIFIER…")
@click.option(
    "--from", "others", multiple=True, metavar="IDENTIFIER", help="from whom; again for more; by default all else that the person has"
)
@_command_options
def split(**given: Any) -> None:
    """Say that IDENTIFIER… and the others are two people.

    Each keeps or gets back a customer id, and both journeys are told from their own events. The same evidence does not unite them again.

    \b
      touchstone identity split device_id:app7 --who ann --why "two brothers"
      touchstone identity split device_id:app7 --from user_id:u1 \\
        --from cookie:c1 --who ann --why "two brothers" --dry-run
    """  # noqa: D301 - \b is click's mark for lines to be kept
    _rule(SPLIT, **given)


@identity.command()
@click.argument("identifiers", nargs=-1, required=True, metavar="IDENTIFIER…")
@click.option("--with", "others", multiple=True, required=True, metavar="IDENTIFIER", help="with whom; again for more")
@_command_options
def join(**given: Any) -> None:
    """Say that IDENTIFIER… and the others are one person.

    It outweighs the limit of merges and how many people an identifier may unite; not that a person has one value of a unique kind.

    \b
      touchstone identity join email:ada@x.org --with loyalty_id:L7 \\
        --who ann --why "called and named both"
    """  # noqa: D301 - \b is click's mark for lines to be kept
    _rule(JOIN, **given)


@identity.command()
@click.argument("identifiers", nargs=-1, required=True, metavar="IDENTIFIER…")
@click.option("--with", "others", multiple=True, required=True, metavar="IDENTIFIER", help="with whom; again for more")
@_command_options
def forbid(**given: Any) -> None:
    """Say that IDENTIFIER… and the others must never become one person, whatever is still to come.

    \b
      touchstone identity forbid email:ada@x.org --with email:ida@x.org \\
        --who ann --why "twins"
    """  # noqa: D301 - \b is click's mark for lines to be kept
    _rule(FORBID, **given)


@identity.command()
@click.argument("words", nargs=-1, required=True, metavar="REVIEW|A B")
@_command_options
def accept(words: tuple[str, ...], **given: Any) -> None:
    """Answer a review with yes: they are one person.

    REVIEW is a review's id, of which the first 6 characters are enough, as `touchstone review list` shows it; or A and B are two identifiers. It
    says what `join` says, and can be undone like it.

    \b
      touchstone identity accept 5e7a90 --who ann --why "same handwriting"
      touchstone identity accept email:ada@x.org loyalty_id:L7 \\
        --who ann --why "called and named both"
    """  # noqa: D301 - \b is click's mark for lines to be kept
    _answer(ACCEPT, words, **given)


@identity.command()
@click.argument("words", nargs=-1, required=True, metavar="REVIEW|A B")
@_command_options
def reject(words: tuple[str, ...], **given: Any) -> None:
    """Answer a review with no: they are two people, and must never become one.

    REVIEW is a review's id, of which the first 6 characters are enough, as `touchstone review list` shows it; or A and B are two identifiers. It
    says what `forbid` says, and can be undone like it.

    \b
      touchstone identity reject 5e7a90 --who ann --why "father and son"
    """  # noqa: D301 - \b is click's mark for lines to be kept
    _answer(REJECT, words, **given)


def _answer(action: str, words: tuple[str, ...], **given: Any) -> None:
    named = [":" in word for word in words]
    if named == [True, True]:
        _rule(action, identifiers=words[:1], others=words[1:], **given)
    elif named == [False]:
        _rule(action, review=words[0], **given)
    else:
        raise UsageError(
            f"expected the id of a review, or two identifiers such as email:ada@x.org, found {len(words)} words: {' '.join(words)}"
        )


@identity.command()
@click.argument("undoes", metavar="COMMAND_ID")
@_command_options
def undo(**given: Any) -> None:
    """Take back the command COMMAND_ID: as if it had never been given.

    What it split, joined, forbade, accepted or rejected is again as the evidence and the other commands say. An undo cannot be undone: give the command again.

    \b
      touchstone identity undo split-3f2a91c0d4e5 --who ann --why "one after all"
    """  # noqa: D301 - \b is click's mark for lines to be kept
    _rule(UNDO, **given)


def _rule(
    action: str,
    *,
    who: str,
    why: str,
    command_id: str | None,
    dry_run: bool,
    yes: bool,
    file: Path | None,
    seconds: int,
    topology: Topology,
    app: str,
    bootstrap: str | None,
    output: Output,
    identifiers: tuple[str, ...] = (),
    others: tuple[str, ...] = (),
    undoes: str | None = None,
    review: str | None = None,
) -> None:
    wish = Wish(command_id or f"{action}-{uuid.uuid4().hex[:12]}", action, who, why, identifiers, others, undoes, review)
    desk = Desk(topology, app, output)
    if file is not None:
        desk.tell(desk.try_on_file(wish, file))
        return
    tried = desk.try_live(wish, bootstrap)
    desk.tell(tried)
    if dry_run:
        output.note("nothing was sent (--dry-run)")
        return
    if not yes and not output.is_json:
        click.confirm("Do it?", abort=True, err=True)
    elif not yes:
        output.fail("expected --yes or --dry-run: with --output json nobody is asked; nothing was sent", 2)
    desk.give(tried, seconds)

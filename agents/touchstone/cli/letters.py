"""Which dead letters a command means, and how they are read: the letters of the topic, each with what became of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import click
from pydantic_core import PydanticCustomError

from touchstone.cli.topology_options import prefix_option, topology_option
from touchstone.clock import SystemClock
from touchstone.contracts.codec import reading_codec
from touchstone.contracts.reasons import REASONS
from touchstone.contracts.times import milliseconds
from touchstone.errors import RecordRejected, UsageError
from touchstone.intake.redrive import SETTLED
from touchstone.model.output import DeadLetter
from touchstone.runtime.client import read_topic
from touchstone.runtime.program import Record
from touchstone.topology.compile import Topology
from touchstone.topology.load import default_topology_path, load_topology
from touchstone.topology.prefix import prefixed
from touchstone.topology.quantity import duration_ms

_F = TypeVar("_F", bound=Callable[..., Any])
OPEN = "open"
SHORTEST_BEGINNING = 4
"""An id is named by at least so many of its first characters: an empty one, of a variable that is not set, would mean every letter."""


@dataclass(frozen=True, slots=True)
class Found:
    """A letter, the partition it lies in, and what became of it: `open`, `replayed` or `dropped`."""

    letter: DeadLetter
    partition: int
    state: str = OPEN


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are meant; None means any. `ids` are beginnings of letter ids; times are those of the records (milliseconds)."""

    reasons: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    since_ms: int | None = None
    until_ms: int | None = None
    limit: int | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing narrows it."""
        return (
            not (self.reasons or self.channels or self.topics or self.ids or self.limit) and self.since_ms is None and self.until_ms is None
        )

    def fits(self, letter: DeadLetter) -> bool:
        """Whether this letter is one of them, the limit aside."""
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.channels or letter.channel in self.channels)
            and (not self.topics or letter.topic in self.topics)
            and (not self.ids or letter.letter_id.startswith(self.ids))
            and (self.since_ms is None or letter.occurred_at >= self.since_ms)
            and (self.until_ms is None or letter.occurred_at < self.until_ms)
        )


class Letters:
    """The letters that fit, from the records of their topic in any interleaving of its partitions."""

    def __init__(self, wanted: Wanted, *, settled: bool) -> None:
        self._wanted = wanted
        self._with_settled = settled
        self._found: dict[str, Found] = {}
        self.unreadable = 0

    def take(self, record: Record) -> None:
        """Take in a letter, or the mark that settles one: it has no value and lies behind it, under the same key in the same partition."""
        if record.value is None:
            self._settle((record.key or b"").decode(errors="replace"), dict(record.headers).get(SETTLED, b"").decode(errors="replace"))
            return
        try:
            letter = reading_codec().decode_record(record.value)
        except RecordRejected:
            self.unreadable += 1
            return
        if isinstance(letter, DeadLetter) and self._wanted.fits(letter):
            self._found[letter.letter_id] = Found(letter, record.partition)

    def found(self) -> list[Found]:
        """The oldest first, at most as many as wanted."""
        ordered = sorted(self._found.values(), key=lambda each: (each.letter.occurred_at, each.letter.topic, each.letter.offset))
        return ordered[: self._wanted.limit]

    def _settle(self, letter_id: str, state: str) -> None:
        found = self._found.pop(letter_id, None)
        if found is not None and self._with_settled:
            self._found[letter_id] = Found(found.letter, found.partition, state or "dropped")


async def read_letters(bootstrap: str, topic: str, wanted: Wanted, *, settled: bool = False) -> list[Found]:
    """The letters that fit, up to where the topic ends now; those that are settled only where asked for.

    Raises:
        UsageError: The topic does not exist, or holds something else.
        Retriable: The brokers cannot be reached.
    """
    letters = Letters(wanted, settled=settled)
    async for record in read_topic(bootstrap, [topic]):
        letters.take(record)
    if letters.unreadable:
        raise UsageError(f"expected dead letters in {topic}, found {letters.unreadable} records that cannot be read; is it that topic?")
    return letters.found()


def letter_options(command: _F) -> _F:
    """Give a command the filters; it receives `wanted: Wanted`."""

    @wraps(command)  # its options come along
    def with_wanted(
        reason: tuple[str, ...],
        channel: tuple[str, ...],
        topic: tuple[str, ...],
        letter: tuple[str, ...],
        since: int | None,
        until: int | None,
        limit: int | None,
        **rest: Any,
    ) -> Any:
        return command(wanted=Wanted(reason, channel, topic, letter, since, until, limit), **rest)

    decorated: Any = with_wanted
    for option in reversed(_FILTERS):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]  # click's decorators return what they were given


def place_options(command: _F) -> _F:
    """Give a command `--topology` and `--topic-prefix`; it receives `topology: Topology` and `topic_prefix: str`."""
    return topology_option(
        "which topic holds the letters; ",
        callback=lambda _context, _parameter, value: load_topology(value or default_topology_path()),
    )(prefix_option(command))


def own(topology: Topology, prefix: str) -> Topology:
    """The topology on the topics of this installation."""
    return prefixed(topology, prefix)


def named(_context: click.Context, _parameter: click.Parameter, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """What a command was given as the beginning of an id, or of several.

    Raises:
        UsageError: One of them is too short to mean a letter.
    """
    for beginning in (value,) if isinstance(value, str) else value:
        if len(beginning.strip()) < SHORTEST_BEGINNING:
            raise UsageError(
                f"expected at least the first {SHORTEST_BEGINNING} characters of a letter's id, found {beginning!r}; nothing was done. "
                "`touchstone deadletters list` shows the ids"
            )
    return value


def _time(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    try:
        return SystemClock().now_ms() - duration_ms(value)
    except PydanticCustomError:
        pass
    try:
        return milliseconds(value)
    except ValueError as wrong:
        raise click.BadParameter(f"{wrong}; or a duration such as 24h, counted back from now") from None


def _filters() -> Iterable[Callable[[Any], Any]]:
    yield click.option(
        "--reason", multiple=True, type=click.Choice(list(REASONS)), metavar="CODE", help="only with this reason; may repeat"
    )
    yield click.option("--channel", multiple=True, metavar="NAME", help="only of this channel; may repeat")
    yield click.option("--topic", multiple=True, metavar="NAME", help="only of records that came on this topic; may repeat")
    yield click.option(
        "--letter",
        multiple=True,
        callback=named,
        metavar="ID",
        help=f"only the letter whose id begins like this, at least {SHORTEST_BEGINNING} characters; may repeat",
    )
    yield click.option(
        "--since", callback=_time, metavar="TIME", help="only of records from then on: 2024-05-01T10:00:00Z, or 24h for a day ago"
    )
    yield click.option("--until", callback=_time, metavar="TIME", help="only of records before then")
    yield click.option("--limit", type=click.IntRange(min=1), metavar="N", help="at most N, the oldest first")


_FILTERS = list(_filters())

"""A steward's command on its way: from words to a command, tried, shown, given."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.text import Text

from touchstone.app import ordering_of
from touchstone.cli.bootstrap import running_kafka
from touchstone.cli.dossier import parse
from touchstone.cli.lines import RECORD_NAMES, line, short
from touchstone.cli.output import Output, counted
from touchstone.cli.twins import lines_of, told
from touchstone.clock import SystemClock
from touchstone.contracts.codec import reading_codec
from touchstone.contracts.json_form import to_json_dict
from touchstone.contracts.times import iso_text
from touchstone.errors import RecordRejected, UsageError
from touchstone.intake.command import CommandReader, Ruled, command_name, written
from touchstone.intake.touchpoint import DEFAULT_TENANT
from touchstone.model.command import ERASE, UNDO, Command
from touchstone.model.identifier import tenant_of
from touchstone.model.output import Customer, IdentityChange, Moment, Review
from touchstone.pipeline import OutputRecord
from touchstone.simulate import Twin
from touchstone.stewardship.effect import Effect, People, effect_of, people
from touchstone.stewardship.excerpt import live_twin
from touchstone.stewardship.giving import give, given_before
from touchstone.stewardship.names import Values, named, readable, values_of
from touchstone.stewardship.reviews import Reviews, last_words, meant, read_reviews, words_of
from touchstone.topology.compile import Topology

Given = Mapping[tuple[str, str], Ruled]


class Wish(NamedTuple):
    """What was asked for, in the steward's words. `review`: the id of one, or its beginning, in place of its two identifiers."""

    command_id: str
    action: str
    who: str
    why: str
    identifiers: tuple[str, ...]
    others: tuple[str, ...]
    undoes: str | None = None
    review: str | None = None


class Tried(NamedTuple):
    """A command, and what it would do."""

    ruled: Ruled
    effect: Effect
    bootstrap: str = ""


class Desk:
    """Where one command is dealt with."""

    def __init__(self, topology: Topology, app: str, output: Output) -> None:
        self._topology, self._app, self._output = topology, app, output
        self._reader = CommandReader(topology, ordering_of(topology), reading_codec())

    # -- trying -----------------------------------------------------------------------------------------------------------------
    def try_on_file(self, wish: Wish, file: Path) -> Tried:
        """Run the file through a twin and give it the command.

        Raises:
            UsageError: the file cannot be read, or the command cannot be given.
        """
        lines = lines_of(file)
        said: list[OutputRecord] = []
        twin = told(lines, self._topology, said.append)
        wish = _answering(wish, last_words(said))
        before: dict[tuple[str, str], Ruled] = {}
        latest = max(twin.now, 0)
        for text in lines:
            if b'"command_id"' in text:
                ruled = self._read_given(text)
                if ruled is not None:
                    before.setdefault((ruled.command.tenant, ruled.command.command_id), ruled)
                    latest = max(latest, ruled.command.at)
        ruled = self._command(wish, before, twin, latest + 1)
        return Tried(ruled, effect_of(ruled, twin, said, self._topology))

    def try_live(self, wish: Wish, bootstrap: str | None) -> Tried:
        """Give the command to a copy of what it concerns.

        Raises:
            UsageError: it cannot be given, or the workers have another topology.
            Retriable: the brokers cannot be reached.
        """
        kafka = running_kafka(bootstrap)
        if wish.review is not None:
            wish = _answering(wish, asyncio.run(read_reviews(self._topology, kafka)))
        before = asyncio.run(given_before(self._topology, kafka, self._reader))
        said: list[OutputRecord] = []
        twin = asyncio.run(live_twin(self._topology, self._app, kafka, self._names(wish, before), said.append))
        ruled = self._command(wish, before, twin, SystemClock().now_ms())
        return Tried(ruled, effect_of(ruled, twin, said, self._topology), kafka)

    def _read_given(self, text: bytes) -> Ruled | None:
        try:
            return self._reader.read(text, 1 << 60)
        except RecordRejected:
            return None

    def _names(self, wish: Wish, before: Given) -> set[str]:
        """The identifiers and commands that it concerns, as identity knows them; whoever else belongs to a person is found with it."""
        if wish.action == UNDO:
            target = self._target(wish, before)
            return {command_name(target.command.tenant, target.command.command_id), *(x for pair in target.pairs for x in pair)}
        return set(self._keys(wish.identifiers + wish.others))

    # -- the command ---------------------------------------------------------------------------------------------------------------
    def _command(self, wish: Wish, before: Given, twin: Twin, at: int) -> Ruled:
        if wish.action == UNDO:
            stated: dict[str, Any] = {"tenant": self._target(wish, before).command.tenant, "undoes": wish.undoes}
        else:
            ours = self._keys(wish.identifiers)
            others = self._keys(wish.others) if wish.others else _rest_of_the_person(ours, twin)
            if not others:
                raise UsageError("expected a person with other identifiers as well, found one without: there is nothing to split")
            tenants = {tenant_of(x) for x in (*ours, *others)}
            if len(tenants) > 1:
                raise UsageError(f"expected identifiers of one tenant, found {', '.join(sorted(tenants))}: people of two are never related")
            stated = {"tenant": tenants.pop(), "identifiers": written(sorted(ours.items())), "others": written(others.items())}
        stated |= {"command_id": wish.command_id, "action": wish.action, "at": at, "who": wish.who, "why": wish.why}
        if (stated["tenant"], wish.command_id) in before:
            raise UsageError(f"the command id {wish.command_id!r} was given already; take another --id, or none")
        with _in_words():
            return self._reader.read(msgspec.json.encode(stated), at)

    def _keys(self, words: tuple[str, ...]) -> dict[str, str]:
        kinds = {kind: kind for kind in self._topology.kinds} | dict(self._topology.kind_aliases)
        keys: dict[str, str] = {}
        for wanted in (parse(word, kinds) for word in words):
            if wanted.kind is None:
                raise UsageError(
                    f"expected kind:value, such as email:ada@x.org, found {wanted.text!r}; `touchstone inspect` shows those of an id"
                )
            with _in_words():
                pair = {"kind": wanted.kind, "value": wanted.value}
                keys |= self._reader.keys("identifiers", [pair], wanted.tenant or DEFAULT_TENANT)
        return keys

    @staticmethod
    def _target(wish: Wish, before: Given) -> Ruled:
        found = [ruled for (_, command_id), ruled in before.items() if command_id == wish.undoes]
        if len(found) != 1:
            raise UsageError(f"expected the id of a command that was given, found {len(found)} with the id {wish.undoes!r}")
        if found[0].command.undoes is not None:
            raise UsageError(f"{wish.undoes} is an undo itself; give the command {found[0].command.undoes} again instead, under a new id")
        if found[0].command.action == ERASE:
            raise UsageError(f"{wish.undoes} is an erasure: what was forgotten is gone, and nothing brings it back")
        return found[0]

    # -- showing and giving --------------------------------------------------------------------------------------------------------
    def tell(self, tried: Tried) -> None:
        """Show the command, and what it would do."""
        command, effect, output = tried.ruled.command, tried.effect, self._output
        output.emit(
            {
                "record": "effect",
                "command": to_json(command),
                "before": _people_as_json(effect.before, effect.values),
                "after": _people_as_json(effect.after, effect.values),
                "records": [{"record": RECORD_NAMES[type(record)], **to_json_dict(record)} for record in effect.records],
            }
        )
        if output.is_json:
            return
        output.text(Text.assemble((f"{command.action} ", "bold"), (command.command_id, "cyan"), f"  by {command.who}: {command.why}"))
        for title, found in (("Now", effect.before), ("Then", effect.after)):
            rows = [
                (short(customer_id), " ".join(sorted(readable(x, effect.values) for x in members)))
                for customer_id, members in found.items()
            ]
            output.text()
            output.table(("customer", "identifiers"), rows, title=f"{title}: {counted(len(found), 'customer')}")
        retracted = sum(moment.action == "retract" for moment in effect.moments)
        output.text()
        output.text(f"{counted(retracted, 'moment')} taken back, {len(effect.moments) - retracted:,} asserted")
        self._show(effect.records)
        if not effect.records:
            output.text("It would change nothing now; it holds for whatever is still to come.")

    def give(self, tried: Tried, seconds: int) -> None:
        """Send it and wait until what was shown is so."""
        command, output = tried.ruled.command, self._output
        seen = asyncio.run(give(tried.ruled, tried.effect, self._topology, self._app, tried.bootstrap, seconds))
        if seen is None:
            output.fail(
                f"{command.command_id} was sent, but what was shown was not all seen within {seconds} s: no worker runs, it is far behind, or "
                "somebody has changed the same people meanwhile. It is not lost; `touchstone explain identity` shows what holds"
            )
        rows = [{"record": RECORD_NAMES[type(record)], **to_json_dict(record)} for record in seen]
        output.emit({"record": "given", "command_id": command.command_id, "records": rows})
        output.text()
        self._show(seen)
        output.text(f"done: {command.command_id}")
        if command.action != UNDO:
            output.note(f"to take it back: touchstone identity undo {command.command_id} --who … --why …")

    def _show(self, records: Sequence[Moment | Customer | IdentityChange | Review]) -> None:
        for record in records:
            self._output.text(line(record))


def to_json(command: Command) -> dict[str, Any]:
    """A command as the contract has it, with its time as text."""
    return msgspec.structs.asdict(command) | {"at": iso_text(command.at)}


@contextmanager
def _in_words() -> Iterator[None]:
    """What intake would refuse is the user's mistake here."""
    try:
        yield
    except RecordRejected as rejected:
        raise UsageError(f"such a command would be refused, {rejected.reason}: {rejected.detail}") from None


def _answering(wish: Wish, reviews: Reviews) -> Wish:
    """The same about the two identifiers of the review that it names."""
    if wish.review is None:
        return wish
    one, other = words_of(meant(wish.review, reviews))
    return wish._replace(identifiers=(one,), others=(other,), review=None)


def _rest_of_the_person(given: Mapping[str, str], twin: Twin) -> dict[str, str]:
    seen = given.keys() & {x for members in people(twin).values() for x in members}
    if len(seen) < len(given):
        unknown = ", ".join(f"{kind}:{value}" for kind, value in (named(x, given) for x in given if x not in seen))
        raise UsageError(
            f"expected identifiers that a person has, found {unknown}, which nobody has: it was never seen, is shared or was erased; "
            "touchstone explain identity shows which; --from names the others all the same"
        )
    found = [members for members in people(twin).values() if given.keys() & members]
    if len(found) != 1 or not given.keys() <= found[0]:
        raise UsageError(f"expected identifiers of one person, found them with {len(found)} people; name the others with --from")
    values = values_of(twin)
    rest = sorted((*named(x, values), x) for x in found[0] - given.keys())
    return {x: value for _, value, x in rest}


def _people_as_json(found: People, values: Values) -> list[dict[str, Any]]:
    def names(members: Iterable[str]) -> list[dict[str, str]]:
        return [{"kind": kind, "value": value} for kind, value in sorted(named(x, values) for x in members)]

    return [{"customer_id": customer_id, "identifiers": names(members)} for customer_id, members in found.items()]

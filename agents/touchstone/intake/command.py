"""A record of the commands topic -> what identity is told of a steward's command, or the reason why it cannot be one."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from touchstone.contracts import reasons
from touchstone.contracts.codec import Codec
from touchstone.contracts.times import milliseconds
from touchstone.errors import RecordRejected
from touchstone.intake.bounds import MAX_STATED_IDENTIFIERS
from touchstone.intake.decode import check_depth, from_avro
from touchstone.intake.identifiers import IdentifierReader, Namer, check_tenant
from touchstone.intake.misspelt import found
from touchstone.intake.normalise import has_control_characters
from touchstone.intake.touchpoint import DEFAULT_TENANT, content_hash
from touchstone.model.command import ACCEPT, ERASE, FORBID, HASHED, JOIN, REJECT, SPLIT, UNDO, Command, Pair, pair_of
from touchstone.model.identifier import identifier_key, kind_of
from touchstone.model.message import Erase, IdentityMessage, Order, Undo
from touchstone.topology.compile import Topology

ACTIONS = (SPLIT, JOIN, FORBID, ACCEPT, REJECT, UNDO, ERASE)
MAX_PAIRS = 256
"""Of one command: each of them is a fact of its own in the state."""
MAX_ID = 256
MAX_WHO = 256
MAX_WHY = 1024
"""Characters."""


class StatedCommand(msgspec.Struct):
    """The fields of a command as its author wrote them. Unknown fields are dropped; null and missing are the same."""

    command_id: str | None = None
    tenant: str | None = None
    action: str | None = None
    at: Any = None
    who: str | None = None
    why: str | None = None
    identifiers: Any = None
    others: Any = None
    undoes: str | None = None


class Ruled(NamedTuple):
    """A command that passed, and its pairs of identifier keys; none of an undo. `erased`: the keys whose owners are to be forgotten."""

    command: Command
    pairs: tuple[Pair, ...]
    erased: tuple[str, ...] = ()

    @property
    def named(self) -> frozenset[str]:
        """All identifier keys that it names."""
        return frozenset((*self.erased, *(x for pair in self.pairs for x in pair)))

    def messages(self) -> list[IdentityMessage]:
        """What identity is told of it."""
        command = self.command
        if command.action == ERASE:
            return [Erase(x, command.at, command.command_id) for x in self.erased]
        return [self._message(command)]

    def _message(self, command: Command) -> IdentityMessage:
        if command.undoes is not None:
            return Undo(command_name(command.tenant, command.undoes), command.command_id)
        content = content_hash((command.action, command.at, self.pairs))
        return Order(command_name(command.tenant, command.command_id), command.action, command.at, content, self.pairs)


def command_name(tenant: str, command_id: str) -> str:
    """Where identity keeps a command."""
    return f"{tenant}/command:{command_id}"


_HASHED = re.compile(re.escape(HASHED) + "[0-9a-f]{32}")
_FROM_JSON = msgspec.json.Decoder(StatedCommand)


class CommandReader:
    """Decodes and validates commands by one topology."""

    def __init__(self, topology: Topology, namer: Namer, codec: Codec) -> None:
        self._skew_ms = topology.skew_ms
        self._codec = codec
        self._identifiers = IdentifierReader(topology, namer)
        self._kinds = {kind: kind for kind in topology.kinds} | dict(topology.kind_aliases)

    def read(self, value: bytes, arrived: int) -> Ruled:
        """Read the value of a record that arrived then (milliseconds), as JSON or in the wire format of Avro.

        Unlike a touchpoint's, none of its identifiers may be one that is ignored: half of a command is another command.

        Raises:
            RecordRejected: with the first reason found.
        """
        stated = from_avro(value, self._codec, "Command", StatedCommand) if value[:1] == b"\x00" else _from_json(value)
        command_id = _text("command_id", stated.command_id, MAX_ID)
        action = _action(stated.action)
        at = _time(stated.at, arrived + self._skew_ms)
        who, why = _text("who", stated.who, MAX_WHO), _text("why", stated.why, MAX_WHY)
        tenant = DEFAULT_TENANT if stated.tenant is None else stated.tenant
        check_tenant(tenant)
        if action == UNDO:
            undoes = _text("undoes", stated.undoes, MAX_ID)
            if stated.identifiers or stated.others or undoes == command_id:
                raise RecordRejected(
                    reasons.INVALID_FIELD, "undo: expected the id of another command in undoes and no identifiers, found something else"
                )
            return Ruled(Command(command_id, tenant, action, at, who, why, undoes=undoes), ())
        if stated.undoes is not None:
            raise RecordRejected(reasons.INVALID_FIELD, f"undoes: expected nothing beside the action {action}, found the id of a command")
        if action == ERASE:
            if stated.others:
                raise RecordRejected(reasons.INVALID_FIELD, "others: expected none beside the action erase, found some")
            erased = self.keys("identifiers", stated.identifiers, tenant, may_be_hashed=True)
            return Ruled(Command(command_id, tenant, action, at, who, why, tuple(written(erased.items()))), (), tuple(erased))
        ours, theirs = self.keys("identifiers", stated.identifiers, tenant), self.keys("others", stated.others, tenant)
        if ours.keys() & theirs.keys():
            raise RecordRejected(reasons.INVALID_FIELD, "identifiers and others: expected different ones, found one that is in both")
        if len(ours) * len(theirs) > MAX_PAIRS:
            raise RecordRejected(
                reasons.TOO_MANY_IDENTIFIERS,
                f"identifiers with others: expected at most {MAX_PAIRS} pairs, found {len(ours) * len(theirs)}",
            )
        pairs = tuple(sorted(pair_of(x, y) for x in ours for y in theirs))
        return Ruled(Command(command_id, tenant, action, at, who, why, tuple(written(ours.items())), tuple(written(theirs.items()))), pairs)

    def keys(self, field: str, stated: object, tenant: str, *, may_be_hashed: bool = False) -> dict[str, str]:
        """Identifiers as identity knows them, with their values in normal form; each read as intake reads those of touchpoints; two may be of a unique kind.

        `may_be_hashed`: a value may be `hash:` and the hash that stands in its key.

        Raises:
            RecordRejected: one of them would be ignored in a touchpoint, there are none, or too many.
        """
        keys: dict[str, str] = {}
        for number, pair in enumerate(_stated_pairs(field, stated)):
            if number == MAX_STATED_IDENTIFIERS:
                raise RecordRejected(reasons.TOO_MANY_IDENTIFIERS, f"{field}: expected at most {MAX_STATED_IDENTIFIERS}, found more")
            hashed = self._hashed(pair, tenant) if may_be_hashed else None
            if hashed is not None:
                keys[hashed[0]] = hashed[1]
                continue
            try:
                usable = self._identifiers.read(tenant, [pair])
                keys.update(zip(usable.keys, usable.values, strict=True))
            except RecordRejected as rejected:
                if rejected.reason != reasons.NO_USABLE_IDENTIFIER:
                    raise
                text = f"{field}[{number}]: expected an identifier that touchpoints can have, found one that is ignored (docs/identity.md)"
                raise RecordRejected(reasons.IGNORED_IDENTIFIER, text) from None
        if not keys:
            raise RecordRejected(reasons.MISSING_FIELD, f"{field}: expected at least one identifier, found none")
        return keys

    def _hashed(self, pair: dict[str, Any], tenant: str) -> tuple[str, str] | None:
        """The key of an identifier that is named by its hash, with the value as written; None of one that is not."""
        kind, value = self._kinds.get(pair.get("kind", "")), pair.get("value")
        if kind is None or not isinstance(value, str) or _HASHED.fullmatch(value) is None:
            return None
        return identifier_key(tenant, kind, value.removeprefix(HASHED)), value


def _from_json(value: bytes) -> StatedCommand:
    check_depth(value)
    try:
        return _FROM_JSON.decode(value)
    except msgspec.ValidationError as wrong:
        raise RecordRejected(reasons.INVALID_FIELD, str(wrong)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RecordRejected(reasons.INVALID_JSON, "expected one JSON object or Avro, found something else") from None


def _text(field: str, stated: str | None, most: int) -> str:
    if stated is None or not stated.strip():
        raise RecordRejected(reasons.MISSING_FIELD, f"{field}: expected a text, found nothing")
    if len(stated) > most or has_control_characters(stated):
        raise RecordRejected(reasons.INVALID_FIELD, f"{field}: expected at most {most} characters, none of them a control character")
    return stated


def _action(stated: str | None) -> str:
    if stated is None:
        raise RecordRejected(reasons.MISSING_FIELD, f"action: expected {', '.join(ACTIONS)}, found nothing")
    if stated not in ACTIONS:
        raise RecordRejected(reasons.UNKNOWN_ACTION, f"action: expected one of this version, {found(stated, ACTIONS)}")
    return stated


def _time(stated: object, latest: int) -> int:
    if stated is None:
        raise RecordRejected(reasons.MISSING_FIELD, "at: expected a time, found nothing")
    try:
        at = milliseconds(stated)
    except ValueError as wrong:
        raise RecordRejected(reasons.INVALID_TIME, f"at: {wrong}") from None
    if at > latest:  # it would outweigh everything that is ruled until then
        raise RecordRejected(reasons.INVALID_TIME, "at: expected a time that is not in the future, found one that is")
    return at


def _stated_pairs(field: str, stated: object) -> Iterator[dict[str, Any]]:
    """A map {kind: value or list of values}, or a list of {kind, value}, as in a touchpoint."""
    if isinstance(stated, dict):
        for kind, values in stated.items():
            for value in values if isinstance(values, list) else [values]:
                yield {"kind": kind, "value": value}
    elif isinstance(stated, list):
        yield from stated
    elif stated is not None:
        raise RecordRejected(reasons.INVALID_FIELD, f"{field}: expected a map or a list, found {type(stated).__name__}")


def written(keys: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Keys with their values as {kind, value}."""
    return [{"kind": kind_of(key), "value": value} for key, value in keys]

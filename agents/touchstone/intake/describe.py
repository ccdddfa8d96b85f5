"""What a touchpoint says about the person behind it -> a record to be compared, and the blocks where it may meet others like it."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec.structs import replace

from touchstone.intake.recent import Recent
from touchstone.matching.blocking import STREAM_BLOCKS, block_keys
from touchstone.matching.records import make_record
from touchstone.model.component import Described
from touchstone.model.identifier import kind_of
from touchstone.model.message import Describe
from touchstone.model.touchpoint import Touchpoint
from touchstone.topology.compile import Matching
from touchstone.topology.roles import Role

_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_NOTHING: dict[str, Any] = {}


class Describer:
    """Makes records by the roles of the topology. `digest` is the keyed hash of the installation: a block's key says nothing of anybody.

    It remembers what it has said, to save work; what it forgets is merely said again.
    """

    def __init__(self, matching: Matching, digest: Callable[[str], bytes], capacity: int = 1 << 14) -> None:
        self._attributes = tuple(matching.roles)
        self._kinds = dict(matching.kinds)
        self._roles: dict[str, Role] = {**matching.roles, **{f"{kind}:": role for kind, role in matching.kinds.items()}}
        self._blocks = matching.blocks or STREAM_BLOCKS
        self._digest = digest
        self._told: Recent[bytes, int] = Recent(capacity)

    def describe(self, touchpoint: Touchpoint) -> Describe | None:
        """What identity is told of the person behind the strongest identifier; None where nothing is said, or nothing new."""
        stated, lenders = self._stated(touchpoint)
        if not stated:
            return None
        at = touchpoint.occurred_at
        said = blake2b(_encode((touchpoint.identifiers[0], stated)), digest_size=16).digest()
        before = self._told.get(said)
        if before is not None and before <= at:
            return None
        self._told[said] = at
        return self._record(touchpoint, stated, lenders)

    def describe_anew(self, touchpoint: Touchpoint, is_forgotten: Callable[[str], bool]) -> Describe | None:
        """The same, known or not. Where an identifier that it speaks of is forgotten, the record has no values: it was there, and no more.

        Of a touchpoint that holds a value no more nothing can be said: its record would be another one.
        """
        stated, lenders = self._stated(touchpoint)
        if not stated or lenders is None:
            return None
        message = self._record(touchpoint, stated, lenders)
        if message is not None and any(map(is_forgotten, (message.to, *message.lenders))):
            return replace(message, described=replace(message.described, values={}, value=None))
        return message

    def _record(self, touchpoint: Touchpoint, stated: dict[str, Any], lenders: tuple[str, ...] | None) -> Describe | None:
        x, at, tenant = touchpoint.identifiers[0], touchpoint.occurred_at, touchpoint.tenant
        record = make_record(x, stated, self._roles)
        blocks = tuple(sorted(self._key(tenant, key) for key in block_keys(record, self._blocks)))
        if not blocks:
            return None
        name = self._digest(f"record {_encode(record.values).hex()}").hex()[:16]
        return Describe(x, Described(x, name, record.values, at, dict(touchpoint.named).get(x), at), blocks, lenders or ())

    def forget(self) -> None:
        """Something that was sent did not come about: say it again when it comes."""
        self._told.clear()

    def _stated(self, touchpoint: Touchpoint) -> tuple[dict[str, Any], tuple[str, ...] | None]:
        """What is said, and the other identifiers whose values are among it; None for these where one has no value any more."""
        profile = touchpoint.profile or _NOTHING
        stated = {name: value for name in self._attributes if (value := profile.get(name)) is not None}
        if not self._kinds:
            return stated, ()
        values = dict(touchpoint.named)
        speaking = [x for x in touchpoint.identifiers if kind_of(x) in self._kinds]
        for x in speaking:
            if x in values:
                stated.setdefault(f"{kind_of(x)}:", values[x])
        lenders = tuple(x for x in speaking if x != touchpoint.identifiers[0])
        return stated, lenders if values.keys() >= set(speaking) else None

    def _key(self, tenant: str, key: str) -> str:
        return f"{tenant}/block:{self._digest(f'{tenant}/block:{key}').hex()}"

"""What a touchpoint says about the person behind it -> a record to be compared, and the blocks where it may meet others like it."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec

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
        stated = self._stated(touchpoint)
        if not stated:
            return None
        x, at = touchpoint.identifiers[0], touchpoint.occurred_at
        said = blake2b(_encode((x, stated)), digest_size=16).digest()
        before = self._told.get(said)
        if before is not None and before <= at:
            return None
        self._told[said] = at
        record = make_record(x, stated, self._roles)
        blocks = tuple(sorted(self._key(touchpoint.tenant, key) for key in block_keys(record, self._blocks)))
        if not blocks:
            return None
        name = blake2b(_encode(record.values), digest_size=8).hexdigest()
        return Describe(x, Described(x, name, record.values, at, dict(touchpoint.named).get(x)), blocks)

    def forget(self) -> None:
        """Something that was sent did not come about: say it again when it comes."""
        self._told.clear()

    def _stated(self, touchpoint: Touchpoint) -> dict[str, Any]:
        profile = touchpoint.profile or _NOTHING
        stated = {name: value for name in self._attributes if (value := profile.get(name)) is not None}
        for key, value in touchpoint.named if self._kinds else ():
            kind = kind_of(key)
            if kind in self._kinds:
                stated.setdefault(f"{kind}:", value)
        return stated

    def _key(self, tenant: str, key: str) -> str:
        return f"{tenant}/block:{self._digest(f'{tenant}/block:{key}').hex()}"

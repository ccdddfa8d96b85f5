"""An erasure before and after it is done: what a copy of the state says of it, and what the privacy log says."""

import asyncio
import time
from collections.abc import Collection, Sequence
from typing import NamedTuple

from touchstone.generations import read_forgotten
from touchstone.intake.command import Ruled
from touchstone.journey.publish import RETRACT
from touchstone.model.erasure import ERASED
from touchstone.model.output import Customer
from touchstone.pipeline import JOURNEY, OutputRecord
from touchstone.simulate import Twin
from touchstone.stewardship.effect import Effect, effect_of
from touchstone.topology.compile import Topology

_LOOK_EVERY_S = 0.3


class Preview(NamedTuple):
    """What an erasure would forget: identifier keys, customer ids, how many moments it takes back and touchpoints it drops."""

    ruled: Ruled
    effect: Effect
    forgotten: tuple[str, ...]
    customers: tuple[str, ...]
    moments_taken_back: int
    touchpoints: int


def preview(ruled: Ruled, twin: Twin, said: Sequence[OutputRecord], topology: Topology) -> Preview:
    """Give the command to the twin, which has said all of `said` so far and goes on doing so."""
    held, decided = _held(twin), len(twin.decided)
    effect = effect_of(ruled, twin, said, topology)
    forgotten = tuple(sorted({fact.identifier for fact in twin.decided[decided:]}))
    customers = sorted({one.customer_id for one in effect.records if isinstance(one, Customer) and one.status == ERASED})
    retracted = sum(moment.action == RETRACT for moment in effect.moments)
    return Preview(ruled, effect, forgotten, tuple(customers), retracted, held - _held(twin))


async def decided(topology: Topology, bootstrap: str, expected: Collection[str], until: int, seconds: float) -> dict[str, int] | None:
    """Wait until the privacy log says that all of these are forgotten up to `until` at least; returns whatever else it says is forgotten up to
    exactly then. None: the time ran out.

    Raises:
        Retriable: The brokers cannot be reached.
    """
    deadline = time.monotonic() + seconds
    while True:
        forgotten = await read_forgotten(topology, bootstrap)
        if all(forgotten.until(x) >= until for x in expected):
            return {x: fact.until for x, fact in forgotten.items() if fact.until == until or x in expected}
        if time.monotonic() > deadline:
            return None
        await asyncio.sleep(_LOOK_EVERY_S)


def _held(twin: Twin) -> int:
    """How many touchpoints the twin keeps."""
    stores = [stores[JOURNEY] for stores in twin.stores]
    return sum(row.variant is not None for store in stores for root in store.groups() for _, row in store.scan(root, "t"))

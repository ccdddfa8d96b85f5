"""Records that tests change a field of."""

from typing import Any

import msgspec

from touchstone.model.output import Moment

MOMENT = Moment(
    moment_id="m1",
    revision=1,
    action="assert",
    tenant="default",
    customer_id="ada",
    journey="purchase",
    instance=None,
    kind="transition",
    from_phase=None,
    to_phase="interest",
    skipped=(),
    cycle=1,
    rule="searched",
    occurred_at=1_714_557_600_000,
    detected_at=1_714_557_601_000,
    touchpoints=("web/e1",),
    channel="web",
    media="owned",
    persona=None,
    provisional=False,
    guidance=None,
    corrects=None,
    topology_version=1,
)
"""Ada searched, on 2024-05-01 at 10:00."""


def moment_with(**changed: Any) -> Moment:
    """Ada's moment, but for these fields."""
    return msgspec.structs.replace(MOMENT, **changed)

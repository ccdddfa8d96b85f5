"""Records that tests change a field of."""

from typing import Any

import msgspec

from touchstone.model.output import Moment, Review

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


REVIEW = Review(
    review_id="5e7a90c31b2d4f68",
    revision=1,
    tenant="default",
    status="open",
    identifiers=({"kind": "email", "value": "ada@example.org"}, {"kind": "loyalty_id", "value": "l7"}),
    customers=("ada", "a"),
    score=0.62,
    evidence=({"attribute": "given", "level": "similar", "bits": 4.1}, {"attribute": "city", "level": "differs", "bits": -1.8}),
    why="score",
    model="0f3c9a7be211",
    occurred_at=1_714_557_600_000,
    detected_at=1_714_557_601_000,
)
"""Is A. Lovelace, who gave an e-mail address, Ada Lovelace with the loyalty card?"""


def review_with(**changed: Any) -> Review:
    """That question, but for these fields."""
    return msgspec.structs.replace(REVIEW, **changed)

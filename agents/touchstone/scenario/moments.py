"""A moment as one line of a story: `decision -> purchase 09:40 purchased`, `interest -> dormant 31d 10:05 dormant, timeout`."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from touchstone.contracts.times import milliseconds
from touchstone.scenario.times import CLOCK, FIRST_DAY_MS, time_ms, time_text

START, DORMANT = "start", "dormant"
KINDS = ("transition", "regression", "timeout", "reentry", "signal")
_WORD = r"[A-Za-z][\w-]*"


@lru_cache(maxsize=1)
def moment_pattern() -> re.Pattern[str]:
    """How a moment is written."""
    phases = rf"(?:, skipping (?P<skipped>{_WORD}(?: {_WORD})*))?"
    kind = rf"(?:, (?P<kind>{'|'.join(KINDS)}))?"
    rest = rf"(?:, cycle (?P<cycle>\d+))?(?:, on (?P<channel>{_WORD}))?(?:, corrects (?P<corrects>{_WORD}))?(?P<provisional>, provisional)?"
    return re.compile(rf"(?P<start>{_WORD}) -> (?P<end>{_WORD}) (?P<at>{CLOCK}|\S+) (?P<rule>{_WORD}){kind}{phases}{rest}")


def normal_text(written: str) -> str:
    """The moment as it is compared: defaults left out, the time in its shortest form."""
    found = moment_pattern().fullmatch(written)
    assert found is not None, "the model has checked it"
    return _text(
        time_ms(found["at"], FIRST_DAY_MS),
        found["start"],
        found["end"],
        found["rule"],
        found["kind"] or KINDS[0],
        (found["skipped"] or "").split(),
        int(found["cycle"] or 1),
        found["channel"],
        found["corrects"],
        is_provisional=found["provisional"] is not None,
    )


def moment_text(moment: Mapping[str, Any], *, is_channel_told: bool, corrects: str | None = None) -> str:
    """A moment of the final view in the same form. `is_channel_told`: with its channel."""
    return _text(
        milliseconds(moment["occurred_at"]),
        moment["from_phase"] or START,
        moment["to_phase"] or DORMANT,
        moment["rule"],
        moment["kind"],
        moment["skipped"],
        moment["cycle"],
        moment["channel"] if is_channel_told else None,
        corrects,
        is_provisional=moment["provisional"],
    )


def _text(
    at: int,
    start: str,
    end: str,
    rule: str,
    kind: str,
    skipped: list[str],
    cycle: int,
    channel: str | None,
    corrects: str | None,
    *,
    is_provisional: bool,
) -> str:
    return "".join(
        (
            f"{start} -> {end} {time_text(at)} {rule}",
            f", {kind}" if kind != KINDS[0] else "",
            f", skipping {' '.join(skipped)}" if skipped else "",
            f", cycle {cycle}" if cycle > 1 else "",
            f", on {channel}" if channel else "",
            f", corrects {corrects}" if corrects else "",
            ", provisional" if is_provisional else "",
        )
    )

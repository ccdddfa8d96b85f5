"""What workers that start at the same moment believe of each other; the rest is tried out on a real broker (tests/kafka/test_agreement.py)."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from touchstone.errors import UsageError
from touchstone.runtime import agreement
from touchstone.runtime.agreement import Agreement, enter
from touchstone.runtime.settings import WorkerSettings


@dataclass
class NoProgram:
    """A program whose state was folded with nothing in particular."""

    fingerprint: bytes = b"same"
    terms: tuple[()] = ()


def settings(clock: Any) -> WorkerSettings:
    """A worker that was told to go by this clock."""
    return WorkerSettings(app="app", bootstrap="", instance="w1", data_dir=Path(), partitions=1, channel_topics=(), clock=clock)


def stands(monkeypatch: pytest.MonkeyPatch, *clocks: str) -> None:
    """What one look after the other finds, while another worker is a member of the group already: no broker could be made to answer so."""
    found = [Agreement(partitions=1, clock=clock, fingerprint="same", terms={}) for clock in clocks]

    async def read(_bootstrap: str, _app: str) -> Agreement:
        return found.pop(0) if len(found) > 1 else found[0]

    async def members(_bootstrap: str, _app: str) -> list[str]:
        return ["app-w2"]

    monkeypatch.setattr(agreement, "read_agreement", read)
    monkeypatch.setattr(agreement, "group_members", members)


def test_another_worker_that_was_quicker_to_change_the_clock_is_no_reason_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both were told `event` after a run with `wall`; the other has signed between our two looks."""
    stands(monkeypatch, "wall", "event")
    program: Any = NoProgram()

    entered = asyncio.run(enter(settings("event"), program))

    assert entered.clock == "event"


def test_another_worker_that_runs_with_another_clock_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it runs with stands, however often one looks."""
    stands(monkeypatch, "wall")
    program: Any = NoProgram()

    with pytest.raises(UsageError, match="go by clock: wall"):
        asyncio.run(enter(settings("event"), program))

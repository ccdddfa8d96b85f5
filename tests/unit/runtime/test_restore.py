"""Whose open transaction is aborted, and when."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from touchstone.runtime import restore
from touchstone.runtime.failpoint import Failpoints
from touchstone.runtime.restore import Restorer
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.status import RuntimeStatus


@pytest.mark.parametrize(
    ("waited_s", "alive", "aborted"),
    [
        (0.4, set[str](), []),
        (0.6, set[str](), ["app-w2", "app-w3"]),
        (0.6, {"app-w3"}, []),
        (9.9, {"app-w2"}, []),
        (10.1, {"app-w2"}, ["app-w2", "app-w3"]),
    ],
    ids=["soon", "dead", "alive", "alive and slow", "alive and stuck"],
)
def test_the_transaction_of_the_dead_is_aborted_soon_that_of_the_living_late(
    monkeypatch: pytest.MonkeyPatch, waited_s: float, alive: set[str], aborted: list[str]
) -> None:
    """To abort a live worker's transaction puts it out of the group; ours, and what is no worker of this application, is never touched."""
    seen: list[str] = []

    async def note(transactional_id: str, _bootstrap: str) -> None:
        seen.append(transactional_id)

    monkeypatch.setattr(restore, "abort_left_behind", note)
    settings = WorkerSettings(app="app", bootstrap="nowhere:1", instance="w1", data_dir=Path("/none"), partitions=1, channel_topics=("t",))
    restorer = Restorer(settings, cast("Any", None), RuntimeStatus(), Failpoints({}), alive.__contains__)

    was_time = asyncio.run(restorer.abort_previous(["app-w3", "app-w1", "other-w2", "app-w2"], waited_s))

    assert (was_time, seen) == (bool(aborted), aborted)

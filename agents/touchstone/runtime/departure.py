"""Sees to it that a worker that was told to leave does, also when nobody answers any more."""

import asyncio
import threading
import time
from collections.abc import Callable

from touchstone.runtime.reach import silent

_GRACE_S = 0.4
"""Most workers have left by then: Kafka need not be asked. As long again before it is asked once more."""
_ASK_S = 1.0
_AWAY_S = 2.0
"""A broker that is silent for so long will not take the last commit in time; waiting for it would only keep whoever stops us waiting too."""


class Departure:
    """A thread, not a task: Faust may block the event loop while it waits for a thread of its own.

    Args:
        bootstrap: where Kafka is.
        limit_s: how long leaving may take while Kafka answers.
        leave: ends the process at once; told why, in a sentence.
    """

    def __init__(self, bootstrap: str, limit_s: float, leave: Callable[[str], None]) -> None:
        self._bootstrap = bootstrap
        self._limit_s = limit_s
        self._leave = leave
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="touchstone-departure", daemon=True)

    def begin(self) -> None:
        """The worker was told to leave, perhaps for the second time."""
        if self._thread.ident is None:
            self._thread.start()

    def is_out(self) -> None:
        """The worker has left in order: nobody needs to be hurried any more."""
        self._is_over.set()

    def _watch(self) -> None:
        told_at = answered_at = time.monotonic()
        while not self._is_over.wait(_GRACE_S):
            try:
                why = asyncio.run(silent(self._bootstrap, _ASK_S))
            except RuntimeError:  # Python is ending, with the worker: it has left meanwhile
                return
            now = time.monotonic()
            answered_at = now if why is None else answered_at
            reason = None
            if now - answered_at > _AWAY_S:
                reason = f"Kafka at {self._bootstrap} is away ({why}): leaving without a last commit and without a word to the group"
            elif now - told_at > self._limit_s - _GRACE_S:
                reason = "leaving without waiting any longer"
            if reason is not None and not self._is_over.is_set():
                self._leave(f"{reason}; nothing is lost, what was not committed will be read again")
                return

"""Places where a test may make the process die, in the words of an environment variable.

`TOUCHSTONE_FAILPOINT="commit.before_end:3:kill"` sends SIGKILL to the process the third time it comes by. Actions: kill (SIGKILL),
stop (SIGSTOP), raise (`InvariantBroken`), hang (never go on), exit (end the thread that comes by). Several, separated by commas, are
possible. Without the variable a place costs a dictionary look-up, and the places around a message nothing at all.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Any

from touchstone.errors import InvariantBroken, UsageError

VARIABLE = "TOUCHSTONE_FAILPOINT"

PLACES = (
    "start.before_join",
    "commit.before_settle",
    "commit.before_write",
    "commit.before_end",
    "commit.before_stores",
    "commit.after_stores",
    "batch.after_body",
    "consumer.poll",
    "deliver.before_absorb",
    "deliver.after_absorb",
    "deliver.before_piece",
    "deliver.after_piece",
    "restore.before_read",
    "restore.while_reading",
    "restore.after_read",
    "restore.before_stamp",
    "restore.after_stamp",
    "rebalance.before_commit",
    "rebalance.after_commit",
    "rebalance.assigned",
    "generation.before_end",
    "generation.before_finish",
)

Deliver = Callable[[str, int, Any, Any], None]
"""A program's `deliver`."""

_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
_ACTIONS = (*_SIGNALS, "raise", "hang", "exit")


class Failpoints:
    """Counts down the visits of each armed place and then acts."""

    def __init__(self, armed: dict[str, tuple[int, str]]) -> None:
        self._armed = armed

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Failpoints":
        """Read the variable; none of its places is armed when it is not set.

        Raises:
            UsageError: The value is not `place:count:action`, or the place or the action is unknown.
        """
        armed = {}
        for part in filter(None, environment.get(VARIABLE, "").split(",")):
            place, _, rest = part.partition(":")
            count, _, action = rest.partition(":")
            if place not in PLACES or not count.isdigit() or action not in _ACTIONS:
                raise UsageError(
                    f"{VARIABLE}={part!r}: expected place:count:action with a place of {', '.join(PLACES)} "
                    f"and an action of {', '.join(_ACTIONS)}"
                )
            armed[place] = (int(count), action)
        return cls(armed)

    def reached(self, place: str) -> None:
        """Come by a place; `hang` stops the whole thread here, its event loop with it.

        Raises:
            InvariantBroken: The place is armed with `raise` and its count is over.
        """
        action = self._due(place)
        if action == "hang":
            threading.Event().wait()
        elif action is not None:
            _act(place, action)

    async def passed(self, place: str) -> None:
        """Come by a place where only the caller hangs, while the event loop turns on.

        Raises:
            InvariantBroken: The place is armed with `raise` and its count is over.
        """
        action = self._due(place)
        if action == "hang":
            await asyncio.Event().wait()
        elif action is not None:
            _act(place, action)

    def _due(self, place: str) -> str | None:
        if place not in self._armed:
            return None
        count, action = self._armed[place]
        if count > 1:
            self._armed[place] = (count - 1, action)
            return None
        del self._armed[place]
        return action

    def around(self, deliver: Deliver) -> Deliver:
        """The same, with places before and after the delivery of a message, named by its type, where such a place is armed."""
        if not any(place.startswith("deliver.") for place in self._armed):
            return deliver

        def watched(stage: str, partition: int, message: Any, out: Any) -> None:
            name = type(message).__name__.lower()
            self.reached(f"deliver.before_{name}")
            deliver(stage, partition, message, out)
            self.reached(f"deliver.after_{name}")

        return watched


def _act(place: str, action: str) -> None:
    if action == "raise":
        raise InvariantBroken(f"failpoint {place} was armed to raise")
    if action == "exit":
        asyncio.get_running_loop().stop()  # what runs in it ends, and the thread with it
    else:
        os.kill(os.getpid(), _SIGNALS[action])

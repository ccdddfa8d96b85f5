"""Places where a test may make the process die, in the words of an environment variable.

`TOUCHSTONE_FAILPOINT="commit.before_end:3:kill"` sends SIGKILL to the process the third time it comes by. Actions: kill (SIGKILL),
stop (SIGSTOP), raise (`InvariantBroken`). Several, separated by commas, are possible. Without the variable a place costs a dictionary
look-up, and the places around a message nothing at all.
"""

import os
import signal
from collections.abc import Callable, Mapping
from typing import Any

from touchstone.errors import InvariantBroken, UsageError

VARIABLE = "TOUCHSTONE_FAILPOINT"

PLACES = (
    "commit.before_settle",
    "commit.before_write",
    "commit.before_end",
    "commit.before_stores",
    "commit.after_stores",
    "batch.after_body",
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
)

Deliver = Callable[[str, int, Any, Any], None]
"""A program's `deliver`."""

_ACTIONS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


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
            if place not in PLACES or not count.isdigit() or action not in {*_ACTIONS, "raise"}:
                raise UsageError(
                    f"{VARIABLE}={part!r}: expected place:count:action with a place of {', '.join(PLACES)} and an action of kill, stop, raise"
                )
            armed[place] = (int(count), action)
        return cls(armed)

    def reached(self, place: str) -> None:
        """Come by a place.

        Raises:
            InvariantBroken: The place is armed with `raise` and its count is over.
        """
        if place not in self._armed:
            return
        count, action = self._armed[place]
        if count > 1:
            self._armed[place] = (count - 1, action)
            return
        del self._armed[place]
        if action == "raise":
            raise InvariantBroken(f"failpoint {place} was armed to raise")
        os.kill(os.getpid(), _ACTIONS[action])

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

"""Failpoints are off unless a test arms them, and act at exactly the visit it names."""

import asyncio
import threading

import pytest

from touchstone.errors import InvariantBroken, UsageError
from touchstone.runtime.failpoint import VARIABLE, Failpoints


def test_without_the_variable_nothing_happens() -> None:
    """Nobody meets a failpoint by accident."""
    Failpoints.from_environment({}).reached("commit.before_end")


def test_a_failpoint_acts_at_the_visit_it_was_armed_for_and_only_then() -> None:
    """The third visit raises; the fourth does not."""
    failpoints = Failpoints.from_environment({VARIABLE: "commit.before_end:3:raise"})
    failpoints.reached("commit.before_end")
    failpoints.reached("commit.before_stores")
    failpoints.reached("commit.before_end")

    with pytest.raises(InvariantBroken, match=r"commit\.before_end"):
        failpoints.reached("commit.before_end")
    failpoints.reached("commit.before_end")


def test_a_caller_that_hangs_does_not_stop_the_event_loop() -> None:
    """`hang` where the place is awaited: the caller never goes on, everything else does."""

    async def run() -> bool:
        failpoints = Failpoints.from_environment({VARIABLE: "restore.before_read:1:hang"})
        hanging = asyncio.create_task(failpoints.passed("restore.before_read"))
        done, _ = await asyncio.wait([hanging], timeout=0.1)
        hanging.cancel()
        await failpoints.passed("restore.before_read")
        return bool(done)

    assert asyncio.run(run()) is False


def test_exit_ends_the_thread_that_comes_by() -> None:
    """Its event loop stops, and with it everything that ran in it."""
    failpoints = Failpoints.from_environment({VARIABLE: "consumer.poll:1:exit"})
    ended: list[str] = []

    async def poll() -> None:
        await failpoints.passed("consumer.poll")
        await asyncio.Event().wait()

    def serve() -> None:
        try:
            asyncio.run(poll())
        except RuntimeError as error:
            ended.append(str(error))

    thread = threading.Thread(target=serve)
    thread.start()
    thread.join(10)

    assert ended == ["Event loop stopped before Future completed."]


@pytest.mark.parametrize("value", ["nowhere:1:kill", "commit.before_end:x:kill", "commit.before_end:1:explode", "commit.before_end"])
def test_a_misspelt_failpoint_is_refused(value: str) -> None:
    """A fault test that plants no fault must not pass."""
    with pytest.raises(UsageError, match="expected place:count:action"):
        Failpoints.from_environment({VARIABLE: value})

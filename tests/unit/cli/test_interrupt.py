"""Being told to end."""

import os
import signal

import pytest

from touchstone.cli.interrupt import as_interrupt


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_end_runs_every_finally_as_ctrl_c_does(number: signal.Signals) -> None:
    """And behind the block the signal means again what it meant before."""
    before = signal.getsignal(number)
    cleaned = False

    def work() -> None:
        nonlocal cleaned
        with as_interrupt():
            try:
                os.kill(os.getpid(), number)
                signal.pause()
            finally:
                cleaned = True

    with pytest.raises(KeyboardInterrupt):
        work()

    assert cleaned
    assert signal.getsignal(number) == before

"""Being told to end is the same as Ctrl-C: what was started is stopped, what was made is removed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def as_interrupt() -> Iterator[None]:
    """For one block, SIGTERM and SIGHUP raise KeyboardInterrupt as Ctrl-C does, so that every `finally` runs."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)

"""Where `touchstone` begins: before anything is loaded, so that Ctrl-C ends it without a traceback then, too."""

import signal
from importlib import import_module


def main() -> None:
    """Load the command line and run it. While it is being loaded Ctrl-C simply ends the process, as it does for any other program."""
    is_interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not so behind `nohup` or in the background
    if is_interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    run = import_module("touchstone.cli.main").main
    if is_interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()

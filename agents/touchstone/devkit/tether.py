"""Runs a program that dies with the process that started it: `python tether.py PARENT_PID PROGRAM ARGUMENT…`.

Linux sends the signal when the *thread* that started this process ends, and keeps the wish across `exec`; see `broker.py` for the thread.
Run as a file, isolated and without site-packages, it costs some 15 ms. A `preexec_fn` would do the same but may deadlock in a process with threads.
Elsewhere than on Linux there is no such wish; there the program ends with an orderly end of its parent only.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Become the command, to be killed when our parent dies; leave at once if it is dead already."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:  # it died between starting us and the wish
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - the command was built by broker.py, not by a shell


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])

"""Ports that nobody has taken yet."""

import socket
from contextlib import ExitStack

from touchstone.devkit.server import HOST


def free_ports(count: int) -> list[int]:
    """So many different free ports of this machine; another program may still be quicker to take one."""
    with ExitStack() as sockets:
        probes = [sockets.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((HOST, 0))
        return [int(probe.getsockname()[1]) for probe in probes]

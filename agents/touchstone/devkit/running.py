"""Which embedded Kafka runs. Apart from what starts one, because every command asks this and few start anything."""

import socket
from pathlib import Path

import msgspec

from touchstone.devkit.claim import noted
from touchstone.devkit.folders import state_folder

BOOTSTRAP_VARIABLE = "TOUCHSTONE_BOOTSTRAP"
"""Names a Kafka to use instead of an embedded one."""


class Running(msgspec.Struct, frozen=True):
    """What a folder's lock says about the broker that owns it."""

    bootstrap: str
    pid: int
    folder: str

    @property
    def is_ready(self) -> bool:
        """Whether it takes connections."""
        host, _, port = self.bootstrap.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except OSError:
            return False
        return True


def running_on(folder: Path) -> Running | None:
    """The broker that owns the folder; none if there is none."""
    word = noted(folder)
    return msgspec.json.decode(word, type=Running) if word else None


def kept_folder() -> Path:
    """Where the Kafka of `touchstone kafka start` keeps its data."""
    return state_folder() / "kafka"


def kept() -> Running | None:
    """The Kafka of `touchstone kafka start`, perhaps still starting; none if there is none."""
    return running_on(kept_folder())

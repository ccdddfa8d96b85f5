"""Where this machine keeps what can be fetched again, and what belongs to the user."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """What can be made again at the price of time: `$XDG_CACHE_HOME/touchstone`, by default under `~/.cache`."""
    return _base("XDG_CACHE_HOME", ".cache")


def state_folder() -> Path:
    """What belongs to the user and outlives a process: `$XDG_STATE_HOME/touchstone`, by default under `~/.local/state`."""
    return _base("XDG_STATE_HOME", ".local/state")


def _base(variable: str, default: str) -> Path:
    given = os.environ.get(variable, "")
    # The XDG specification wants a relative path ignored.
    root = Path(given) if given and Path(given).is_absolute() else Path.home() / default
    return root / "touchstone"

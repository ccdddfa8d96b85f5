"""The environment of a peer, apart from ours: made the first time, and again when what belongs into it changes."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from touchstone.errors import Unavailable

VERSION = "3.28.1"
_NEEDS = (f"quixstreams=={VERSION}", "msgspec==0.22.0")
_PLACE = Path(__file__).parent / ".peer-venv"
_LINES = 5


def peer_python(needs: Sequence[str] = _NEEDS, place: Path = _PLACE) -> Path:
    """The Python that has the peer: Quix Streams, unless another is named.

    Raises:
        Unavailable: it cannot be installed; with what the installer said.
    """
    made, python = place / "made", place / "bin" / "python"
    if not (made.exists() and made.read_text(encoding="utf-8").split() == list(needs)):
        print(f"installing {' '.join(needs)} into {place}", file=sys.stderr)
        uv = _uv()
        _run(needs, uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place))
        _run(needs, uv, "pip", "install", "--quiet", "--python", str(python), *needs)
        made.write_text("\n".join(needs) + "\n", encoding="utf-8")
    return python


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise Unavailable(f"expected uv beside {sys.executable} or on the PATH to install the peer with, found none; `make` installs it")
    return found


def _run(needs: Sequence[str], *command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-_LINES:])
        raise Unavailable(
            f"expected to install the peer ({' '.join(needs)}), but `uv {command[1]}` ended with code {done.returncode}; it needs a "
            f"package registry that has these versions. It said:\n{said}"
        )

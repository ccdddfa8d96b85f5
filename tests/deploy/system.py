"""Programs that come with the operating system, not with Python: `make test` installs them where it may."""

import os
import shutil
from pathlib import Path

import pytest

PACKAGES = {"prometheus": "prometheus", "promtool": "prometheus"}
"""Program -> Debian package."""


def program(name: str) -> Path:
    """Where it is. Where it is missing the test says so and does not run; in CI that is a failure."""
    found = shutil.which(name)
    if found is None:
        missing = f"{name} is not installed: on Debian, apt-get install {PACKAGES[name]}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return Path(found)

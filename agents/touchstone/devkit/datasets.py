"""The real touchpoints that ship with the package."""

import gzip
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from touchstone.errors import UsageError

DATASETS = ("adobe-luma", "snowplow-ecommerce", "snowplow-web", "snowplow-mobile", "cfpb-complaints")
"""Their names; `data/README.md` says what they are and whose."""

_GZIP = b"\x1f\x8b"


def dataset_path(name: str) -> Path:
    """The file of a data set.

    Raises:
        UsageError: there is no data set of that name.
    """
    if name not in DATASETS:
        raise UsageError(f"there is no data set {name!r}; there are {', '.join(DATASETS)}")
    return Path(str(files("touchstone.devkit"))) / "data" / name / f"{name}.touchpoints.jsonl.gz"


def read_lines(name_or_path: str | Path) -> Iterator[bytes]:
    """The lines of a data set, or of a file of JSON Lines, plain or gzip, without their ends; empty lines are left out.

    A name of a data set counts before a file of that name: write `./adobe-luma` for the file.

    Raises:
        UsageError: neither a data set nor a file that can be read.
    """
    path = dataset_path(str(name_or_path)) if str(name_or_path) in DATASETS else Path(name_or_path)
    try:
        with path.open("rb") as plain:
            is_gzip = plain.read(2) == _GZIP
        with gzip.open(path) if is_gzip else path.open("rb") as file:
            for line in file:
                if content := line.strip():
                    yield content
    except (FileNotFoundError, IsADirectoryError) as error:
        raise UsageError(f"{path} is neither a file nor one of the data sets {', '.join(DATASETS)}") from error
    except (OSError, EOFError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error

"""The real touchpoints that ship with the package."""

import codecs
import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO, cast

from touchstone.errors import UsageError

DATASETS = ("adobe-luma", "snowplow-ecommerce", "snowplow-web", "snowplow-mobile", "cfpb-complaints")
"""Their names; `data/README.md` says what they are and whose."""

STANDARD_INPUT = "-"
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

    A name of a data set counts before a file of that name: write `./adobe-luma` for the file. `-` is standard input.

    Raises:
        UsageError: neither a data set nor a file that can be read.
    """
    return (content for _, content in read_numbered(name_or_path))


def read_numbered(name_or_path: str | Path) -> Iterator[tuple[int, bytes]]:
    """The same, each line with its number in the file, which counts from 1 and counts empty lines, too.

    Raises:
        UsageError: neither a data set nor a file that can be read.
    """
    if str(name_or_path) == STANDARD_INPUT:
        yield from _lines(cast("io.BufferedReader", sys.stdin.buffer), "standard input")
        return
    path = dataset_path(str(name_or_path)) if str(name_or_path) in DATASETS else Path(name_or_path)
    try:
        file = path.open("rb")
    except (FileNotFoundError, IsADirectoryError) as error:
        raise UsageError(f"{path} is neither a file nor one of the data sets {', '.join(DATASETS)}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    with file:
        yield from _lines(file, str(path))


def _lines(raw: io.BufferedReader, name: str) -> Iterator[tuple[int, bytes]]:
    try:
        is_gzip = raw.peek(2)[:2] == _GZIP
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if is_gzip else raw
        for number, line in enumerate(stream, 1):
            if content := (line.removeprefix(codecs.BOM_UTF8) if number == 1 else line).strip():
                yield number, content
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{name} cannot be read: {error}") from error

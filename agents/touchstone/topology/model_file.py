"""The file of a matching model, as far as a topology looks into it: it is there, it is a model, and of the format of this version.

What it means is known to matching/model.py, which reads it in full.
"""

from pathlib import Path

import msgspec

from touchstone.errors import UsageError

MODEL_FORMAT = 1
"""The format that matching/model.py writes and reads."""

MAX_BYTES = 64 * 1024 * 1024
"""A value that several people have takes some 40 bytes in a model: this is room for more than a million of them."""

_REMEDY = "name a file of `touchstone match train`, by a path from the folder of this topology"


class _Head(msgspec.Struct):
    format: int
    hash: str
    version: str
    features: dict[str, msgspec.Raw]


def read_model(path: Path) -> bytes:
    """The bytes of a model.

    Raises:
        UsageError: there is no such file, it cannot be read, or it is no model of this format.
    """
    try:
        if not path.is_file():
            raise UsageError(f"no model at {path}; {_REMEDY}")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"the model {path} cannot be read: {why}; {_REMEDY}") from None
    if len(content) > MAX_BYTES:
        raise UsageError(f"expected a model of at most {MAX_BYTES // 1024} KiB, found more; {_REMEDY}")
    try:
        head = msgspec.json.decode(content, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise UsageError(f"expected a model in {path}, found something else ({wrong}); {_REMEDY}") from None
    if head.format != MODEL_FORMAT:
        raise UsageError(f"expected a model of format {MODEL_FORMAT}, found {head.format} in {path}: train it anew with this version")
    return content

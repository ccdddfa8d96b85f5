"""The key of all hashes: one secret of an installation, from the environment."""

from collections.abc import Mapping
from pathlib import Path

from touchstone.errors import UsageError
from touchstone.identity.ordering import DEFAULT_SECRET

SECRET_VARIABLE = "TOUCHSTONE_HASH_KEY"  # noqa: S105 - the name of a variable, no secret


def secret_from(environment: Mapping[str, str]) -> bytes:
    """The key of all hashes: from `TOUCHSTONE_HASH_KEY`, or the file named by `TOUCHSTONE_HASH_KEY_FILE`. It must never change.

    Raises:
        UsageError: the file cannot be read or holds nothing; nobody who names one wants the key that everybody knows.
    """
    variable = SECRET_VARIABLE + "_FILE"
    file = environment.get(variable)
    if not file:
        return environment.get(SECRET_VARIABLE, "").encode() or DEFAULT_SECRET
    try:
        key = Path(file).read_text().strip().encode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "bytes that are not UTF-8 text"
        raise UsageError(f"expected {variable}={file} to be a text file with the hash key, found: {why}") from None
    if not key:
        raise UsageError(f"expected {variable}={file} to hold the hash key, found an empty file")
    return key

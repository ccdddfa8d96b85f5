"""The rows that were left out, as they were, to be mended and produced again."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from touchstone.customerfile.source import CustomerFile, Row
from touchstone.errors import UsageError


class RefusedRows:
    """A file with the header and the refused rows, byte for byte as they were. Only its owner may read it: it holds what customers gave."""

    def __init__(self, path: Path, of: CustomerFile) -> None:
        if Path(of.name).exists() and path.exists() and path.samefile(of.name):
            raise UsageError(f"--refused {path} is the file itself; name another one")
        try:
            path.unlink(missing_ok=True)
            number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise UsageError(f"--refused {path} cannot be written: {error.strerror}") from error
        self._file = os.fdopen(number, "w", encoding=of.encoding.name, errors="surrogateescape", newline="")
        self._write(of.header)

    def add(self, row: Row) -> None:
        """One more."""
        self._write(row.text)

    def _write(self, text: str) -> None:
        if text:
            self._file.write(text if text.endswith(("\n", "\r")) else text + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

"""Records whose headers have names that are no text are read like any other.

To Kafka the name of a header is UTF-8, but nobody checks that, and some clients send any bytes. aiokafka reads no partition past such a
record, so that one of them would stop a partition for ever. Here what is no text in such a name is replaced by U+FFFD.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

_LENGTH = slice(8, 12)
"""Where a batch says how many bytes follow behind that."""


class _AnyText(bytearray):
    """Bytes of which any part can be read as text."""

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _AnyText(found) if isinstance(place, slice) else found

    def decode(self, *_: Any) -> str:
        return super().decode("utf-8", "replace")


class _TolerantBatch(_DefaultRecordBatchPy):  # type: ignore[misc]  # aiokafka is untyped
    """A batch read without the compiled parser, which is several times as fast."""

    _buffer: Any

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _AnyText(self._buffer)


class _Batch:
    """A batch read with the compiled parser for as long as that can read it."""

    def __init__(self, batch: Any, whole: memoryview) -> None:
        self._batch = batch
        self._whole = whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        read = 0
        try:
            for record in self._batch:
                read += 1
                yield record
        except (UnicodeDecodeError, CorruptRecordException):  # one that is corrupt is found to be so again
            yield from islice(_TolerantBatch(bytes(self._whole)), read, None)


class TolerantRecords:
    """The batches of an answer; takes the place of aiokafka's `MemoryRecords`."""

    def __init__(self, answer: bytes | None) -> None:
        self._answer = memoryview(answer or b"")
        self._records = MemoryRecords(answer)
        self._begin = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    def next_batch(self) -> _Batch | None:
        """The next one; None behind the last."""
        batch = self._records.next_batch()
        if batch is None:
            return None
        begin = self._begin
        self._begin += _LENGTH.stop + int.from_bytes(self._answer[begin:][_LENGTH], "big")
        return _Batch(batch, self._answer[begin : self._begin])


def read_any_name() -> None:
    """From now on every consumer of this process does."""
    fetcher.MemoryRecords = TolerantRecords

"""Bytes in RocksDB: one small database per stage and partition, a cache of its changelog.

Decision: the write-ahead log stays on, never synced. Without it a kill would still leave rows and offset consistent (they lie in one
batch, and batches are flushed in order), only older: what was not flushed is read from the changelog again. But a quiet partition may
not flush for weeks, and by then Kafka may have compacted away the tombstones (`delete.retention.ms`) that the old rows need: deleted
rows would rise again. So an offset on disk must be as young as the last commit, and the log is what makes it so. It costs 0.4 µs per
row of 200 bytes on top of 1.4 µs (batches of 1,000; `bench/bench_store.py`). A sync would guard against power loss only, where the
same argument needs no more than the downtime; the restore covers the difference.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rocksdict import (
    BlockBasedOptions,
    BottommostLevelCompaction,
    Cache,
    CompactOptions,
    DbClosedError,
    DBCompressionType,
    Options,
    Rdict,
    ReadOptions,
    WriteBatch,
    WriteBufferManager,
)

from touchstone.errors import DiskUnusable, InvariantBroken, Retriable, StateUnusable, TouchstoneError
from touchstone.state.backend import Entry
from touchstone.state.keys import OWN

FORMAT = b"1"
"""Version of the key space and of what RocksDB is told; another one on disk is rebuilt from the changelog."""

_FORMAT_KEY = OWN + b"format"
_OFFSET_KEY = OWN + b"offset"
_OFFSET_BYTES = 8

# RocksDB's and the operating system's words, as they stand in the text of a bare Exception or an OSError. First match wins.
_LOCKED = ("lock hold by current process", "While lock file", "/LOCK: Resource temporarily unavailable", "/LOCK: No locks available")
_DISK = (
    (("No space left on device", "Disk quota exceeded"), "the disk is full", "free some space there"),
    (("File too large",), "the file size limit is reached", "raise the limit (ulimit -f)"),
    (("Permission denied", "Operation not permitted"), "no permission", "give this user the right to write there"),
    (("Read-only file system",), "the file system is read-only", "mount it writable or choose another data directory"),
    (("Not a directory", "File exists"), "a file stands in the way", "move it or choose another data directory"),
    (("Too many open files",), "too many open files", "raise the limit (ulimit -n)"),
)


@dataclass(frozen=True)
class RocksOptions:
    """How much memory the stores of one process may take, and how they write.

    The defaults suit 24 stores (two stages, 12 partitions) in one worker: at most 2 x 2 MiB of write buffers each and 32 MiB in all,
    and 64 MiB of cached blocks, filters and indexes for all of them together.
    """

    write_buffer_bytes: int = 2 << 20
    write_buffers: int = 2
    all_write_buffers_bytes: int = 32 << 20
    block_cache_bytes: int = 64 << 20
    block_bytes: int = 4 << 10
    bloom_bits: int = 10
    background_jobs: int = 2


class RocksEnvironment:
    """What all stores of a process share: the options and one cache of blocks. Make one per process and hand it to every store."""

    def __init__(self, options: RocksOptions | None = None) -> None:
        self._options = options or RocksOptions()
        self._cache = Cache(self._options.block_cache_bytes)
        self._write_buffers = WriteBufferManager(self._options.all_write_buffers_bytes, False)  # never stalls a write

    def options(self) -> Options:
        """RocksDB's own options object for one more store."""
        ours = self._options
        table = BlockBasedOptions()
        table.set_block_cache(self._cache)
        table.set_block_size(ours.block_bytes)
        table.set_bloom_filter(ours.bloom_bits, block_based=False)
        table.set_cache_index_and_filter_blocks(v=True)
        table.set_pin_l0_filter_and_index_blocks_in_cache(v=True)
        options = Options(raw_mode=True)
        options.create_if_missing(create_if_missing=True)
        options.set_block_based_table_factory(table)
        options.set_write_buffer_size(ours.write_buffer_bytes)
        options.set_max_write_buffer_number(ours.write_buffers)
        options.set_write_buffer_manager(self._write_buffers)
        options.set_arena_block_size(64 << 10)  # an idle store holds one of these, not the megabyte of the default
        options.set_max_bytes_for_level_base(8 * ours.write_buffer_bytes)
        options.set_target_file_size_base(4 * ours.write_buffer_bytes)
        options.set_compression_type(DBCompressionType.lz4())
        options.set_max_background_jobs(ours.background_jobs)
        # RocksDB's own log: small, and no statistics in it.
        options.set_keep_log_file_num(2)
        options.set_max_log_file_size(1 << 20)
        options.set_stats_dump_period_sec(0)
        options.set_stats_persist_period_sec(0)
        return options


class RocksBackend:
    """A backend on disk. After a kill at any moment it holds exactly what some `write` left, rows and offset together.

    Args:
        path: the database's own folder; made if it is missing.
        environment: shared by all stores of the process.

    Raises:
        StateUnusable: it is corrupt, or of another format: `RocksBackend.destroy(path)`, then open again and restore.
        Retriable: another process (or another store of this one) has it open.
        DiskUnusable: the disk is full, read-only or not ours.
    """

    def __init__(self, path: Path, environment: RocksEnvironment) -> None:
        self._path = path
        self._environment = environment
        self._db = self._open()
        try:
            self._offset = self._check()
        except TouchstoneError:
            self.close()
            raise

    @property
    def path(self) -> str:
        """The database's folder."""
        return str(self._path)

    @property
    def offset(self) -> int:
        """The offset given with the last write; 0 for an empty backend."""
        return self._offset

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
        try:
            value: bytes | None = self._db.get(key)
        except Exception as error:  # rocksdict raises nothing more special
            raise _classified(self._path, error) from error
        return value

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All entries with `start <= key < stop` in the order of their keys, as of the first step."""
        # RdictIter, because `Rdict.items` ends quietly at a corrupt block as if there were no more rows.
        try:
            bounds = ReadOptions()
            bounds.set_iterate_upper_bound(stop)
            cursor = self._db.iter(bounds)
            cursor.seek(start)
            while cursor.valid():
                yield cursor.key(), cursor.value()
                cursor.next()
            cursor.status()
        except Exception as error:  # rocksdict raises nothing more special
            raise _classified(self._path, error) from error

    def write(self, entries: Iterable[Entry], offset: int) -> None:
        """Make all entries and the offset visible together, also after a kill."""
        batch = WriteBatch(raw_mode=True)
        put, delete = batch.put, batch.delete
        for key, value in entries:
            if value is None:
                delete(key)
            else:
                put(key, value)
        put(_OFFSET_KEY, offset.to_bytes(_OFFSET_BYTES, "big"))
        try:
            self._db.write(batch)
        except Exception as error:  # rocksdict raises nothing more special
            raise _classified(self._path, error) from error
        self._offset = offset

    def compact(self, start: bytes, stop: bytes) -> None:
        """Let old values of the keys in `start <= key < stop` leave the disk: out of memory and the log, then through every level."""
        try:
            self._db.flush()
            how = CompactOptions()
            how.set_bottommost_level_compaction(BottommostLevelCompaction.force())
            self._db.compact_range(start, stop, how)
        except Exception as error:  # rocksdict raises nothing more special
            raise _classified(self._path, error) from error

    def wipe(self) -> None:
        """Delete the database and start an empty one."""
        self.close()
        self.destroy(self._path)
        self._db = self._open()
        self._offset = self._check()

    def close(self) -> None:
        """Release files and locks. Closing twice does nothing."""
        try:
            self._db.close()
        except DbClosedError:
            return
        except Exception as error:  # rocksdict raises nothing more special
            raise _classified(self._path, error) from error

    @staticmethod
    def destroy(path: Path) -> None:
        """Delete the database at this path, however broken it is; one that is open elsewhere is left alone.

        Raises:
            Retriable: it is open somewhere.
            DiskUnusable: the files may not be deleted.
        """
        if not path.exists():
            return
        try:
            Rdict.destroy(str(path), Options(raw_mode=True))
            # rocksdict's own note; RocksDB deletes only what it knows.
            (path / "rocksdict-config.json").unlink(missing_ok=True)
        except Exception as error:  # rocksdict raises nothing more special
            raise _classified(path, error) from error

    def _open(self) -> Rdict:
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            return Rdict(str(self._path), self._environment.options())
        except Exception as error:  # rocksdict raises nothing more special
            raise _classified(self._path, error) from error

    def _check(self) -> int:
        """The offset on disk, after making sure that the rest is in a format that we read."""
        found = self.get(_FORMAT_KEY)
        offset = self.get(_OFFSET_KEY)
        if found is None and offset is None and next(self.scan(b"", b"\xff"), None) is None:
            self._write_format()
            return 0
        if found != FORMAT:
            said = "no format version" if found is None else f"version {found[:16]!r}"
            raise StateUnusable(self.path, f"expected state of format version {FORMAT!r}, found {said}")
        return int.from_bytes(offset or b"", "big")

    def _write_format(self) -> None:
        try:
            self._db.put(_FORMAT_KEY, FORMAT)
        except Exception as error:  # rocksdict raises nothing more special
            raise _classified(self._path, error) from error


def _classified(path: Path, error: Exception) -> Exception:
    """The error that says who must act. RocksDB's faults arrive as bare Exceptions with its text."""
    text = str(error)
    if isinstance(error, DbClosedError):
        return InvariantBroken(f"state at {path} was used after it was closed")
    if isinstance(error, TouchstoneError) or (type(error) is not Exception and not isinstance(error, OSError)):
        return error
    if any(words in text for words in _LOCKED):
        return Retriable(f"state at {path} is open in another process or store; wait until that has ended")
    for words, why, remedy in _DISK:
        if any(word in text for word in words):
            return DiskUnusable(str(path), why, remedy)
    return StateUnusable(str(path), text.splitlines()[0] if text else type(error).__name__)

"""A toy program that exercises the whole runtime: counts per key, over two stages, with one output per record.

A source record `source id` with a key goes through stage "first" (chosen by the key) to stage "second" (chosen by the key's reverse), which
counts it and says `source id:count`. Every hundredth count sets a timer, so that advancing the clock writes too.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from touchstone.contracts.partitioner import partition_of
from touchstone.errors import StateUnusable, TouchstoneError
from touchstone.runtime.program import Out, Record
from touchstone.runtime.settings import WorkerSettings
from touchstone.runtime.worker import run_worker
from touchstone.state.rocksdb import RocksBackend, RocksEnvironment
from touchstone.state.rows import RowStore
from touchstone.state.store import Store


class Count(msgspec.Struct, array_like=True):
    """How often a key was seen."""

    count: int = 0


class Seen(msgspec.Struct, array_like=True, frozen=True):
    """A source record on its way."""

    key: str
    source: str


class CountProgram:
    """Counts source records per key."""

    def __init__(self, partitions: int, output: str, fingerprint: bytes = b"toy-1", breaks_after: int | None = None) -> None:
        self._partitions = partitions
        self._output = output
        self._until_break = breaks_after
        self._stores: dict[int, Mapping[str, Store]] = {}
        self._changed: dict[tuple[int, str], int] = {}
        self.fingerprint = fingerprint
        self.terms = {"program": fingerprint.decode()}
        self.stages: Mapping[str, Mapping[str, Any]] = {"first": {"c": Count}, "second": {"c": Count}}

    def opened(self, partition: int, stores: Mapping[str, Store]) -> None:
        """Keep the stores."""
        self._stores[partition] = stores

    def closed(self, partition: int) -> None:
        """Forget the stores."""
        del self._stores[partition]

    def sealed(self) -> None:
        """Nothing to do."""

    def committed(self) -> None:
        """Nothing to do."""

    def process(self, records: Sequence[Record], out: Out) -> int | None:
        """Send every record on to the first stage."""
        for record in records:
            key, source = (record.key or b"").decode(), (record.value or b"").decode()
            out.message("first", self._partition(key), Seen(key, source))
        return max((record.timestamp for record in records), default=None)

    def note(self, topic: str, partition: int) -> str:
        """Nothing to note."""
        return ""

    def resume(self, topic: str, partition: int, note: str) -> None:
        """Nothing was noted."""

    def receive(self, stage: str, payload: bytes) -> Any:
        """Decode a message."""
        return msgspec.msgpack.decode(payload, type=Seen)

    def encode(self, message: Any) -> bytes:
        """Encode a message."""
        return msgspec.msgpack.encode(message)

    def deliver(self, stage: str, partition: int, message: Any, out: Out) -> None:
        """Count, and pass on or speak."""
        store = self._stores[partition][stage]
        self._maybe_break(store)
        row = store.get(message.key, "c") or Count()
        row.count += 1
        store.put(message.key, "c", row)
        if stage == "first":
            out.message("second", self._partition(message.key[::-1]), message)
            return
        out.record(self._output, message.key.encode(), f"{message.source}:{row.count}".encode())
        if row.count % 100 == 0:
            store.set_timer(row.count, message.key)

    def advance(self, partition: int, now: int, out: Out) -> None:
        """Clear the timers that are due."""
        store = self._stores[partition]["second"]
        for at, key in store.due(now, 1_000):
            store.clear_timer(at, key)

    def settle(self, out: Out, wall_ms: int) -> bool:
        """Nothing is put off."""
        return False

    def _maybe_break(self, store: Any) -> None:
        """Once, after so many messages: what RocksDB does when it meets a damaged block."""
        if self._until_break is not None:
            self._until_break -= 1
            if self._until_break == 0:
                self._until_break = None
                raise StateUnusable(store._backend.path, "a block is damaged")

    def _partition(self, key: str) -> int:
        return partition_of(key.encode(), self._partitions)


def toy_settings(app: str, bootstrap: str, instance: str, data_dir: Path, **more: Any) -> WorkerSettings:
    """Settings as the tests use them: a short session, four partitions, one channel topic."""
    return WorkerSettings(
        **{
            "app": app,
            "bootstrap": bootstrap,
            "instance": instance,
            "data_dir": data_dir,
            "partitions": 4,
            "channel_topics": (f"{app}-source", f"{app}-other"),
            "output_topics": (f"{app}-output",),
            "session_timeout_ms": 2_000,
            **more,
        }
    )


def main() -> int:
    """Run one worker from the command line, so that it can be killed."""
    parser = argparse.ArgumentParser()
    for name in ("app", "bootstrap", "instance", "data"):
        parser.add_argument(name)
    parser.add_argument("--set", default="{}")
    parser.add_argument("--fingerprint", default="toy-1")
    parser.add_argument("--breaks-after", type=int)
    options = parser.parse_args()
    settings = toy_settings(options.app, options.bootstrap, options.instance, Path(options.data), **json.loads(options.set))
    environment = RocksEnvironment()

    def open_store(path: Path, rows: Mapping[str, Any]) -> RowStore:
        return RowStore(RocksBackend(path, environment), rows)

    program = CountProgram(settings.partitions, f"{settings.app}-output", options.fingerprint.encode(), options.breaks_after)
    try:
        return run_worker(settings, program, open_store)
    except TouchstoneError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 2


if __name__ == "__main__":
    import logging

    logging.basicConfig(level=os.environ.get("TOY_LOG", "INFO"), format="%(asctime)s %(process)d %(levelname)s %(name)s %(message)s")
    for noisy in ("faust", "mode", "aiokafka"):
        logging.getLogger(noisy).setLevel(os.environ.get("TOY_NOISY", "WARNING"))
    sys.exit(main())

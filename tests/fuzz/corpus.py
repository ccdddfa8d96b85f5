"""Where fuzzing begins: true touchpoints of every kind, in both formats, and what is broken in known ways."""

import gzip
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from touchstone.contracts.codec import bundled_codec
from touchstone.devkit import datasets
from touchstone.errors import RecordRejected

EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "examples"
DATA = Path(datasets.__file__).parent / "data"
OF_EACH = 20
"""Touchpoints of each shipped data set: they differ little."""

BROKEN = (
    b"",
    b"null",
    b"[]",
    b"{",
    b'{"event_id": 1e400}',
    b'{"occurred_at": "2024-06-10t12:00:00z"}',
    b'{"identifiers": {"cookie": ["a", 1, null, {}]}, "consents": {"m": true}, "properties": {"received_at": 1}}',
    b"[" * 100,
    b"\x00\x00\x00\x00\x01",
    b"\x00\x00\x00\x00\x01\x06abc" + b"\xff" * 12,
)


def corpus() -> list[bytes]:
    """All of it, each once."""
    return list(dict.fromkeys((*BROKEN, *_examples(), *_avro(), *_real())))


def _examples() -> Iterator[bytes]:
    for path in sorted(EXAMPLES.glob("*.json")):
        yield path.read_bytes()


def _avro() -> Iterator[bytes]:
    for line in (*_examples(), *_real()):
        try:
            yield bundled_codec().encode_touchpoint(msgspec.json.decode(line))
        except RecordRejected:
            continue  # an example of an output


def _real() -> Iterator[bytes]:
    for path in sorted(DATA.rglob("*.touchpoints.jsonl.gz")):
        with gzip.open(path) as lines:
            yield from (line.strip() for line in islice(lines, OF_EACH))

"""Which partition a key belongs to: murmur2, as Kafka's Java producer chooses it."""

from functools import lru_cache
from struct import unpack_from

_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """The 32-bit hash of Kafka's `Utils.murmur2`, as an unsigned number."""
    length = len(data)
    whole = length & ~3
    h = 0x9747B28C ^ length
    for k in unpack_from(f"<{whole >> 2}I", data):
        k = k * _M & _MASK  # noqa: PLW2901 - the algorithm's own notation
        h = h * _M & _MASK ^ (k ^ k >> 24) * _M & _MASK
    if whole != length:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15


@lru_cache(maxsize=1 << 15)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a record with this key in a topic of so many partitions. Cached: keys repeat, and the hash is pure Python."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions

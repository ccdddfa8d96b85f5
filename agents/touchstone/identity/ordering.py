"""Two orders of identifiers: by strength, for people; by a keyed hash, for the union-find."""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

from touchstone.model.identifier import identifier_key, kind_of
from touchstone.topology.compile import IdentifierKind

Strength = tuple[int, int, str]
Hook = tuple[int, str]

DEFAULT_SECRET = b"touchstone"
"""Used where no secret is configured. With a secret of their own nobody outside can steer where a root lies or guess a customer id."""


class Ordering:
    """The orders and keyed hashes of one installation; they never change while its state lives.

    `strength`: smaller is stronger: the rank of the kind, then a hash. `hook`: a keyed hash alone, so that a change of ranks cannot
    make pointers run in circles. Both are cached.
    """

    def __init__(self, kinds: Mapping[str, IdentifierKind], secret: bytes = DEFAULT_SECRET) -> None:
        self._ranks = {name: kind.rank for name, kind in kinds.items()}
        self._secret = secret[:64]
        self.strength = lru_cache(maxsize=1 << 15)(self._strength)
        self.hook = lru_cache(maxsize=1 << 15)(self._hook)

    def digest(self, text: str) -> bytes:
        """16 bytes, keyed."""
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=self._secret).digest()

    def key(self, tenant: str, kind: str, value: str) -> str:
        """The key of an identifier: its value stands in it as a keyed hash, so that a value that is to be forgotten stands in no key."""
        return identifier_key(tenant, kind, self.digest(f"identifier {identifier_key(tenant, kind, value)}").hex())

    def _strength(self, key: str) -> Strength:
        return self._ranks[kind_of(key)], int.from_bytes(self.digest(key)[8:], "big"), key

    def _hook(self, key: str) -> Hook:
        return int.from_bytes(self.digest(key)[:8], "big"), key

    def partition(self, key: str, count: int) -> int:
        """The partition of the internal topics and stores that keeps this identifier, or the component with this root."""
        return self.hook(key)[0] % count


class Readable(Ordering):
    """The same with keys that hold the values themselves: for stories and tests, whose failures people read. No installation uses it."""

    def key(self, tenant: str, kind: str, value: str) -> str:
        """The key of an identifier."""
        return identifier_key(tenant, kind, value)

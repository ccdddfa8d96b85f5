"""Names for people in logs and on terminals: keyed, and another one every month, so that nobody follows a person through them for long."""

import hmac
from datetime import UTC, datetime
from hashlib import sha256

_DIGITS = 16


class Pseudonyms:
    """The pseudonyms of one installation; whoever has its hash key can make one again, and nobody else."""

    def __init__(self, secret: bytes) -> None:
        self._key = derived_key(secret, "pseudonym")

    def of(self, name: str, at_ms: int) -> str:
        """The pseudonym of an identifier key or customer id in the month of that time, such as `2026-12:4f0c2a91d3e85b67`."""
        period = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m")
        return f"{period}:{hmac.new(self._key, f'{period} {name}'.encode(), sha256).hexdigest()[:_DIGITS]}"


def derived_key(secret: bytes, purpose: str) -> bytes:
    """A key for one purpose, made from the hash key: whoever learns it learns neither that nor any other."""
    return hmac.new(secret, f"touchstone {purpose}".encode(), sha256).digest()

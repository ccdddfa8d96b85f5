"""The receipt of an erasure: what was forgotten, when, by whose command, and where its bytes may lie until when; signed."""

import hmac
from hashlib import sha256

import msgspec
from msgspec import Struct

from touchstone.privacy.pseudonym import derived_key

FOR_EVER = "for ever"


class Place(Struct, frozen=True):
    """A topic that may hold bytes of what was forgotten. `until`: a time, or `for ever`; `holds`: what kind of bytes, in words."""

    topic: str
    holds: str
    until: str


class Receipt(Struct, frozen=True, kw_only=True):
    """What was done. No value of anybody stands in it: `forgotten` are keyed hashes with their kinds, customers are ids."""

    command_id: str
    tenant: str
    asked_by: str
    why: str
    asked_at: str
    written_at: str
    until: str
    forgotten: tuple[str, ...]
    by_kind: dict[str, int]
    customers: tuple[str, ...]
    moments_taken_back: int
    touchpoints: int
    places: tuple[Place, ...]
    signature: str = ""


def signed(receipt: Receipt, secret: bytes) -> Receipt:
    """The receipt with its signature: an HMAC-SHA256 over its JSON, by a key derived from the hash key."""
    return msgspec.structs.replace(receipt, signature=_signature(receipt, secret))


def is_genuine(receipt: Receipt, secret: bytes) -> bool:
    """Whether this installation has signed exactly this."""
    return hmac.compare_digest(receipt.signature, _signature(receipt, secret))


def _signature(receipt: Receipt, secret: bytes) -> str:
    said = msgspec.json.Encoder(order="deterministic").encode(msgspec.structs.replace(receipt, signature=""))
    return hmac.new(derived_key(secret, "receipt"), said, sha256).hexdigest()

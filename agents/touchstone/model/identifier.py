"""An identifier as one string, its key: `tenant/kind:hash`, with a keyed hash of the value (identity/ordering.py).

One string, because it is the key of almost everything: rows, partitions, sets. A tenant holds no slash and a kind no colon
(intake refuses them), so the parts can be taken out again. The value itself travels beside the key, where it can be erased.
"""


def identifier_key(tenant: str, kind: str, value: str) -> str:
    """Join the parts: `identifier_key("default", "email", "5d41…")` is `default/email:5d41…`."""
    return f"{tenant}/{kind}:{value}"


def tenant_of(key: str) -> str:
    """The tenant inside a key."""
    return key[: key.index("/")]


def kind_of(key: str) -> str:
    """The kind inside a key."""
    return key[key.index("/") + 1 : key.index(":")]


def value_of(key: str) -> str:
    """What stands for the value inside a key: its hash."""
    return key[key.index(":") + 1 :]

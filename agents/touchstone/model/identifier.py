"""An identifier as one string: `tenant/kind:value`.

One string, because it is the key of almost everything: rows, partitions, sets. A tenant holds no slash and a kind no colon
(intake refuses them), so the parts can be taken out again.
"""


def identifier_key(tenant: str, kind: str, value: str) -> str:
    """Join the parts: `identifier_key("default", "email", "ada@x.org")` is `default/email:ada@x.org`."""
    return f"{tenant}/{kind}:{value}"


def tenant_of(key: str) -> str:
    """The tenant inside a key."""
    return key[: key.index("/")]


def kind_of(key: str) -> str:
    """The kind inside a key."""
    return key[key.index("/") + 1 : key.index(":")]


def value_of(key: str) -> str:
    """The value inside a key."""
    return key[key.index(":") + 1 :]

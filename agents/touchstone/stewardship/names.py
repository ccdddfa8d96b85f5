"""What keys of identifiers stand for, for people to read: a key holds a hash, its component the value."""

from collections.abc import Mapping

from touchstone.intake.touchpoint import DEFAULT_TENANT
from touchstone.model.identifier import identifier_key, kind_of, tenant_of, value_of
from touchstone.pipeline import JOURNEY
from touchstone.simulate import Twin

Values = Mapping[str, str]
"""Key -> the value that it was made from."""


def values_of(twin: Twin) -> dict[str, str]:
    """The values of all identifiers that the twin knows."""
    stores = [stores[JOURNEY] for stores in twin.stores]
    nodes = ((name[1:], node) for store in stores for root in store.groups() for name, node in store.scan(root, "n"))
    return {x: node.value for x, node in nodes if node.value is not None}


def named(key: str, values: Values) -> tuple[str, str]:
    """Kind and value of an identifier; its hash where the value is not known."""
    return kind_of(key), values.get(key) or value_of(key)


def readable(key: str, values: Values) -> str:
    """An identifier as people write it, `kind:value`; with its tenant in front where that is not the default one."""
    return identifier_key(tenant_of(key), *named(key, values)).removeprefix(f"{DEFAULT_TENANT}/")

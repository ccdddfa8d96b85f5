"""Typed access to the rows of one component."""

from typing import Any, cast

from touchstone.journey.census import recount
from touchstone.model.component import Header, Node, Person
from touchstone.model.identifier import value_of
from touchstone.state.store import Store


class Rows:
    """The rows of one component. Cheap to make; it holds nothing itself."""

    __slots__ = ("_store", "root")

    def __init__(self, store: Store, root: str) -> None:
        self._store = store
        self.root = root

    # -- rows ----------------------------------------------------------------------------------------------------------------
    def header(self) -> Header:
        """The header; a component that nobody has heard of yet has an empty one."""
        return self._store.get(self.root, "h") or Header()

    def put_header(self, header: Header) -> None:
        """Write the header."""
        self._store.put(self.root, "h", header)

    def node(self, identifier: str) -> Node | None:
        """What is known of an identifier."""
        return cast("Node | None", self._store.get(self.root, "n" + identifier))

    def value(self, identifier: str) -> str:
        """The value from which an identifier was made; its hash where that is not known (any more)."""
        node = self.node(identifier)
        return value_of(identifier) if node is None or node.value is None else node.value

    def put_node(self, identifier: str, node: Node) -> None:
        """Write a node."""
        self._store.put(self.root, "n" + identifier, node)

    def person(self, customer_id: str) -> Person | None:
        """The fold of a person."""
        return cast("Person | None", self._store.get(self.root, "p" + customer_id))

    def put_person(self, customer_id: str, person: Person) -> None:
        """Write a fold."""
        self._store.put(self.root, "p" + customer_id, person)

    def rows(self, tag: str) -> list[tuple[str, Any]]:
        """All rows of a tag, with their names."""
        return self._store.scan(self.root, tag)

    def get(self, name: str) -> Any | None:
        """Any row."""
        return self._store.get(self.root, name)

    def put(self, name: str, row: Any) -> None:
        """Write any row."""
        if name[0] == "c":
            recount(self._store, self._store.get(self.root, name), row)
        self._store.put(self.root, name, row)

    def delete(self, name: str) -> None:
        """Remove any row."""
        if name[0] == "c":
            recount(self._store, self._store.get(self.root, name), None)
        self._store.delete(self.root, name)

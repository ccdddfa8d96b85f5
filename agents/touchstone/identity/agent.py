"""Stage 2: one identifier at a time, who belongs with whom; claims are granted by both ends and unite components."""

from collections.abc import Callable, Mapping

from touchstone.identity.ordering import Ordering
from touchstone.identity.sharing import is_generic
from touchstone.identity.union import unite
from touchstone.model.component import Ordered, Pointer, Ruling, Times, Undone
from touchstone.model.identifier import kind_of, value_of
from touchstone.model.message import (
    AddEdge,
    AddForgotten,
    AddGeneric,
    AddRequest,
    AddRuling,
    AddSeen,
    AddTouchpoint,
    Arrive,
    Ask,
    Claim,
    Compress,
    Erase,
    Forget,
    IdentityMessage,
    JourneyMessage,
    Match,
    Order,
    Rule,
    Seen,
    Undo,
    Unite,
)
from touchstone.state.store import Store
from touchstone.topology.compile import IdentifierKind

Send = Callable[[IdentityMessage | JourneyMessage], None]


class Identity:
    """The identity stage of one partition. Its rows are its only memory; every message may come again and in any order."""

    def __init__(self, store: Store, kinds: Mapping[str, IdentifierKind], ordering: Ordering) -> None:
        self._store = store
        self._kinds = kinds
        self._ordering = ordering

    def handle(self, message: IdentityMessage, send: Send) -> None:
        """Take one message in; what follows from it goes to `send`."""
        match message:
            case Arrive():
                self._arrive(message, send)
            case Seen():
                self._seen(message, send)
            case Claim():
                self._claim(message, send)
            case Ask():
                self._ask(message, send)
            case Unite(x, other):
                self._unite(x, other, send)
            case Match(x, strong, at):
                send(AddEdge(self._pointer(x).root, x, strong, at, at, sure=False))
                self._unite(x, strong, send)
            case Order():
                self._order(message, send)
            case Undo(name, by):
                self._undo(name, by, send)
            case Rule(x, ruling):
                # Both ends must lie in one component for the ruling to be seen; a union is harmless, resolve keeps them apart.
                send(AddRuling(self._pointer(x).root, ruling))
                self._unite(x, ruling.pair[1], send)
            case Erase(x, until, command):
                send(AddRequest(self._pointer(x).root, x, until, command))
            case Forget(x, until):
                self._forget(x, until, send)
            case Compress(x, root):
                self._compress(x, root)

    def _arrive(self, message: Arrive, send: Send) -> None:
        pointer = self._pointer(message.to)
        identifiers = message.touchpoint.identifiers
        following = message.index + 1
        if pointer.is_generic and following < len(identifiers):
            send(Arrive(identifiers[following], following, message.touchpoint))
        else:
            send(AddTouchpoint(pointer.root, message.index, message.touchpoint))

    def _seen(self, message: Seen, send: Send) -> None:
        """The component hears of it only where that says something new: intake forgets what it has said."""
        x, since = message.to, message.since
        pointer = self._pointer(x)
        is_later = message.last is not None and (pointer.last is None or message.last > pointer.last)
        if pointer.since is None or since < pointer.since or is_later:
            pointer.since = since if pointer.since is None else min(since, pointer.since)
            pointer.last = message.last if is_later else pointer.last
            self._store.put(x, "i", pointer)
            send(AddSeen(pointer.root, x, since, message.value, message.last))

    def _claim(self, message: Claim, send: Send) -> None:
        """At the weak end: does it still unite? It asks the strong end either way, which must count its neighbours."""
        x, strong = message.to, message.strong
        pointer = self._pointer(x)
        first, last = message.first, message.last
        if not pointer.is_generic:
            times = self._store.get(x, "u" + strong)
            if times is None:
                kind = kind_of(strong)
                pointer.up[kind] = pointer.up.get(kind, 0) + 1
                self._store.put(x, "i", pointer)
            elif times.first <= first and not (message.is_bare and times.last < last):
                return  # said before, to the same end; that they were seen together later is told by touchpoints, not by edges
            else:
                first, last = min(first, times.first), max(last, times.last)
            self._store.put(x, "u" + strong, Times(first, last))
            self._judge(x, pointer, send)
        send(Ask(strong, x, not pointer.is_generic, first, last))

    def _ask(self, message: Ask, send: Send) -> None:
        """At the strong end: count the neighbour; if both still unite, the edge stands and the components become one."""
        x, weak = message.to, message.weak
        pointer = self._pointer(x)
        if not pointer.is_generic and self._kinds[kind_of(x)].guard_weaker is not None and self._store.get(x, "w" + weak) is None:
            pointer.down += 1
            self._store.put(x, "w" + weak, Times(message.first, message.last))
            self._store.put(x, "i", pointer)
            self._judge(x, pointer, send)
        if message.granted and not pointer.is_generic:
            send(AddEdge(pointer.root, weak, x, message.first, message.last))
            self._unite(x, weak, send)

    # -- commands: kept under their own name, because an undo knows no more of a command than that ---------------------------------
    def _order(self, message: Order, send: Send) -> None:
        """Two different commands under one id are two commands; an undo takes back both."""
        name, row = message.to, "o" + message.content
        if self._store.get(name, row) is not None:
            return
        ordered = Ordered(message.action, message.at, message.pairs)
        self._store.put(name, row, ordered)
        undone = self._store.get(name, "d")
        _rule(name, message.content, ordered, None if undone is None else undone.by, send)

    def _undo(self, name: str, by: str, send: Send) -> None:
        undone = self._store.get(name, "d")
        if undone is not None and undone.by <= by:
            return
        self._store.put(name, "d", Undone(by))
        for row, ordered in self._store.scan(name, "o"):
            _rule(name, row[1:], ordered, by, send)

    def _forget(self, x: str, until: int, send: Send) -> None:
        """The one place where the identity stage forgets: its own rows hold no values, and the times stay. What another stage keeps under
        the identifier (records to be compared) is told to go from here.
        """
        send(AddForgotten(self._pointer(x).root, x, until))

    def _judge(self, x: str, pointer: Pointer, send: Send) -> None:
        if is_generic(self._kinds[kind_of(x)], pointer.up, pointer.down):
            pointer.is_generic = True
            self._store.put(x, "i", pointer)
            # Everyone whom x has united so far is in x's component, so it suffices to tell that one.
            send(AddGeneric(pointer.root, x))

    def _unite(self, x: str, other: str, send: Send) -> None:
        pointer = self._pointer(x)
        root, message = unite(x, pointer.root, other, self._ordering.hook)
        if root != pointer.root:
            pointer.root = root
            self._store.put(x, "i", pointer)
        if message is not None:
            send(message)

    def _compress(self, x: str, root: str) -> None:
        pointer = self._pointer(x)
        if pointer.root != x and self._ordering.hook(root) < self._ordering.hook(pointer.root):
            pointer.root = root
            self._store.put(x, "i", pointer)

    def _pointer(self, x: str) -> Pointer:
        pointer = self._store.get(x, "i")
        if pointer is None:
            pointer = Pointer(x)
            self._store.put(x, "i", pointer)
        return pointer


def _rule(name: str, content: str, ordered: Ordered, undone_by: str | None, send: Send) -> None:
    for pair in ordered.pairs:
        send(Rule(pair[0], Ruling(pair, ordered.action, ordered.at, value_of(name), content, undone_by)))

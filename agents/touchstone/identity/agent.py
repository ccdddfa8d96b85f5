"""Stage 2: one identifier at a time, who belongs with whom; claims are granted by both ends and unite components."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from touchstone.identity.ordering import Ordering
from touchstone.identity.sharing import MOST_ALIKE, is_generic
from touchstone.identity.union import unite
from touchstone.model.component import NEVER, Alike, Lent, Ordered, Pointer, Registered, Ruling, Times, Undone
from touchstone.model.identifier import kind_of, value_of
from touchstone.model.message import (
    AddClosed,
    AddDropped,
    AddEdge,
    AddForgotten,
    AddGeneric,
    AddLikeness,
    AddRequest,
    AddRuling,
    AddSeen,
    AddTouchpoint,
    Arrive,
    Ask,
    Claim,
    Close,
    Compare,
    Compress,
    Describe,
    Drop,
    Erase,
    Forget,
    IdentityMessage,
    JourneyMessage,
    Lend,
    Match,
    MatchMessage,
    Meet,
    Order,
    Revoke,
    Rule,
    Seen,
    Undo,
    Unite,
    Withdraw,
)
from touchstone.state.store import Store
from touchstone.topology.compile import IdentifierKind

Send = Callable[[IdentityMessage | MatchMessage | JourneyMessage], None]


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
            case Describe():
                self._describe(message, send)
            case Match():
                self._match(message, send)
            case Meet(x, weak):
                if self._is_resembled(x, weak, send):
                    self._unite(x, weak, send)
            case Lend():
                self._lend(message, send)
            case Revoke(x, record, until):
                known = self._store.get(x, "r" + record)
                if known is not None:
                    self._withdraw(x, "r" + record, known, until, send)
            case Drop(x, owner, record, until):
                send(AddDropped(self._pointer(x).root, owner, record, until))
            case Close(x, block):
                send(AddClosed(self._pointer(x).root, block))
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

    # -- likeness --------------------------------------------------------------------------------------------------------------------
    def _describe(self, message: Describe, send: Send) -> None:
        """The identifier keeps what was said of it, so that a description goes to its blocks once; and again when it turns out to be older, or is
        stated again after it was forgotten.
        """
        x, said = message.to, message.described
        row = "r" + said.record
        known: Registered | None = self._store.get(x, row)
        if known is None:
            known = Registered(said, message.blocks)
            self._spread(x, row, known, send)
            for lender in message.lenders:
                send(Lend(lender, x, said.record))
            until = self._pointer(x).until
            if until is not None:
                self._withdraw(x, row, known, until, send)
            return
        until = NEVER if known.until is None else known.until
        before = known.described
        is_back = not before.values and bool(said.values) and said.latest > until
        is_older = bool(before.values) and bool(said.values) and until < said.at < before.at
        known.described = replace(
            said if is_back else before, at=said.at if is_back or is_older else before.at, last=max(before.latest, said.latest)
        )
        if is_back or is_older:
            self._spread(x, row, known, send)
        else:
            self._store.put(x, row, known)

    def _spread(self, x: str, row: str, known: Registered, send: Send) -> None:
        self._store.put(x, row, known)
        for block in known.blocks:
            send(Compare(block, known.described))

    def _lend(self, message: Lend, send: Send) -> None:
        """Remember who has borrowed the value."""
        y = message.to
        self._store.put(y, f"b{message.owner}\x1f{message.record}", Lent(message.owner, message.record))
        until = self._pointer(y).until
        if until is not None:
            send(Revoke(message.owner, message.record, until))

    def _withdraw(self, x: str, row: str, known: Registered, until: int, send: Send) -> None:
        """A record is forgotten up to then: it goes, unless it was stated later as well; that it was there stays."""
        if known.until is not None and known.until >= until:
            return
        said = known.described
        known.until, known.described = until, said.forgotten(until)
        self._store.put(x, row, known)
        self._store.scrub(x)
        for block in known.blocks:
            send(Withdraw(block, x, said.record, until))
            if known.described.values:
                send(Compare(block, known.described))

    def _match(self, message: Match, send: Send) -> None:
        """At the weak end: the component hears of it. What is only for review brings nobody under one root."""
        x, strong = message.to, message.likeness.strong
        if not message.is_accepted or self._is_resembled(x, strong, send):
            send(AddLikeness(self._pointer(x).root, message.likeness, message.records))
            if message.is_accepted:
                send(Meet(strong, x))

    def _is_resembled(self, x: str, other: str, send: Send) -> bool:
        """Count whom the identifier resembles. False from when on there are so many that likeness to it says nothing."""
        pointer = self._pointer(x)
        if self._store.get(x, "y" + other) is None and pointer.alike <= MOST_ALIKE:
            pointer.alike += 1
            self._store.put(x, "i", pointer)
            self._store.put(x, "y" + other, Alike())
            if pointer.alike > MOST_ALIKE:
                send(AddClosed(pointer.root, x))
        return pointer.alike <= MOST_ALIKE

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
        """The one place where the identity stage forgets: descriptions go, and those of others that hold this value; keys and times stay."""
        pointer = self._pointer(x)
        if pointer.until is None or pointer.until < until:
            pointer.until = until
            self._store.put(x, "i", pointer)
            for row, registered in self._store.scan(x, "r"):
                self._withdraw(x, row, registered, until, send)
            for _, lent in self._store.scan(x, "b"):
                send(Revoke(lent.owner, lent.record, until))
        send(AddForgotten(pointer.root, x, until))

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

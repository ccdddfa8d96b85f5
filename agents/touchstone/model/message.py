"""What the stages say to each other: one tagged union for each, msgpack on the wire.

Every message names in `to` the identifier that it is for (identity), the block (match) or the root of the component (journey); the
partition follows from it. All of them may be repeated and may overtake each other: the protocol converges all the same (DESIGN.md 5).
"""

from msgspec import Struct

from touchstone.model.component import Described, Likeness, Ruling
from touchstone.model.touchpoint import Touchpoint


class Message(Struct, frozen=True, array_like=True):
    """What all messages share."""

    to: str


class Arrive(Message, frozen=True, array_like=True, tag="a"):
    """To identity: a touchpoint held at its identifier number `index`."""

    index: int
    touchpoint: Touchpoint


class Seen(Message, frozen=True, array_like=True, tag="s"):
    """To identity: the identifier exists and is known since this time (max of occurred, received - lateness); the value it was made from.

    `last`: when it was seen, where no touchpoint follows that would say so.
    """

    since: int
    value: str | None = None
    last: int | None = None


class Claim(Message, frozen=True, array_like=True, tag="c"):
    """To the weaker identifier: a touchpoint says that it belongs together with `strong`. `is_bare`: that touchpoint does not follow."""

    strong: str
    first: int
    last: int
    is_bare: bool = False


class Ask(Message, frozen=True, array_like=True, tag="k"):
    """To the stronger identifier of a claim: `granted` says whether the weak end still unites."""

    weak: str
    granted: bool
    first: int
    last: int


class Unite(Message, frozen=True, array_like=True, tag="u"):
    """To identity: bring both identifiers under one root."""

    other: str


class Describe(Message, frozen=True, array_like=True, tag="d"):
    """To an identifier: a touchpoint describes the person behind it; the description belongs into these blocks.

    `lenders`: other identifiers whose values it holds.
    """

    described: Described
    blocks: tuple[str, ...]
    lenders: tuple[str, ...] = ()


class Lend(Message, frozen=True, array_like=True, tag="l"):
    """To an identifier: this record of `owner` holds its value."""

    owner: str
    record: str


class Revoke(Message, frozen=True, array_like=True, tag="v"):
    """To the owner of a record: it holds the value of an identifier that is forgotten up to `until`."""

    record: str
    until: int


class Drop(Message, frozen=True, array_like=True, tag="q"):
    """To an identifier that was told of likenesses: this record of `owner` is forgotten up to `until`."""

    owner: str
    record: str
    until: int


class Match(Message, frozen=True, array_like=True, tag="m"):
    """To the weaker identifier of a probable pair: a record of it looks like one of the stronger, which are these two.

    `is_accepted`: enough to bring both under one root.
    """

    likeness: Likeness
    records: tuple[Described, Described]
    is_accepted: bool


class Meet(Message, frozen=True, array_like=True, tag="t"):
    """To the stronger identifier of a likeness that is accepted: `weak` resembles it."""

    weak: str


class Close(Message, frozen=True, array_like=True, tag="b"):
    """To an identifier that was told of a likeness found in this block: the block is closed."""

    block: str


class Order(Message, frozen=True, array_like=True, tag="o"):
    """To the name of a command (`tenant/command:id`): what a steward has ruled about these pairs of identifiers."""

    action: str
    at: int
    content: str
    pairs: tuple[tuple[str, str], ...]


class Undo(Message, frozen=True, array_like=True, tag="z"):
    """To the name of a command: it has no effect any more, because the command `by` took it back."""

    by: str


class Rule(Message, frozen=True, array_like=True, tag="x"):
    """To the first identifier of a pair: a steward's ruling about it, or that it was undone."""

    ruling: Ruling


class Erase(Message, frozen=True, array_like=True, tag="e"):
    """To identity: whoever has this identifier is to be forgotten up to `until`, by this command."""

    until: int
    command: str


class Forget(Message, frozen=True, array_like=True, tag="f"):
    """To identity: the identifier is forgotten up to `until`."""

    until: int


class Compress(Message, frozen=True, array_like=True, tag="p"):
    """To identity: the component you send to lives at `root` now."""

    root: str


class AddTouchpoint(Message, frozen=True, array_like=True, tag="A"):
    """To journey: a touchpoint held at its identifier number `index`."""

    index: int
    touchpoint: Touchpoint


class AddSeen(Message, frozen=True, array_like=True, tag="S"):
    """To journey: an identifier is known since this time, and was made from this value; `last` as in `Seen`."""

    identifier: str
    since: int
    value: str | None = None
    last: int | None = None


class Compare(Message, frozen=True, array_like=True, tag="C"):
    """To match: a record for the block `to`."""

    described: Described


class AddEdge(Message, frozen=True, array_like=True, tag="E"):
    """To journey: the two identifiers were seen together between `first` and `last`."""

    weak: str
    strong: str
    first: int
    last: int


class AddLikeness(Message, frozen=True, array_like=True, tag="L"):
    """To journey: two identifiers look alike by these records."""

    likeness: Likeness
    records: tuple[Described, Described]


class Withdraw(Message, frozen=True, array_like=True, tag="D"):
    """To match: a record is forgotten up to `until`."""

    identifier: str
    record: str
    until: int


class AddDropped(Message, frozen=True, array_like=True, tag="O"):
    """To journey: a record is forgotten up to `until`, and what was found by it."""

    identifier: str
    record: str
    until: int


class AddClosed(Message, frozen=True, array_like=True, tag="K"):
    """To journey: what was found in this block alone counts no more."""

    block: str


class AddRuling(Message, frozen=True, array_like=True, tag="X"):
    """To journey: a steward's ruling about a pair."""

    ruling: Ruling


class AddGeneric(Message, frozen=True, array_like=True, tag="G"):
    """To journey: the identifier met too many others and unites nobody any more."""

    identifier: str


class AddRequest(Message, frozen=True, array_like=True, tag="Q"):
    """To journey: whoever has this identifier is to be forgotten up to `until`, by this command."""

    identifier: str
    until: int
    command: str


class AddForgotten(Message, frozen=True, array_like=True, tag="F"):
    """To journey: the identifier is forgotten up to `until`."""

    identifier: str
    until: int


class Scrub(Message, frozen=True, array_like=True, tag="W"):
    """To journey: a component that was here, or is, has forgotten somebody; let the old bytes of this group leave the disk."""


class Absorb(Message, frozen=True, array_like=True, tag="B"):
    """To journey: move the whole component to the root `into` and leave a redirect."""

    into: str


class Piece(Message, frozen=True, array_like=True, tag="P"):
    """To journey: part `number` of `total` of the component that was at `source`; joined when all are here.

    `rows` are (row name, encoded row); `as_of` is the time up to which the component was told.
    """

    source: str
    number: int
    total: int
    as_of: int
    rows: tuple[tuple[str, bytes], ...]


class Recall(Message, frozen=True, array_like=True, tag="R"):
    """To journey: part `number` of what had been said of a customer id before the state was lost, read back from the output topics.

    `rows` are (row name, encoded row) of the book. They are heard when the clock has reached `not_before`, the time of the loss: until
    then a replay knows less than what had been said, and would take back what it is about to find again.
    """

    customer_id: str
    number: int
    not_before: int
    rows: tuple[tuple[str, bytes], ...]


IdentityMessage = (
    Arrive
    | Seen
    | Claim
    | Ask
    | Unite
    | Describe
    | Lend
    | Revoke
    | Match
    | Meet
    | Close
    | Drop
    | Order
    | Undo
    | Rule
    | Erase
    | Forget
    | Compress
)
MatchMessage = Compare | Withdraw
JourneyMessage = (
    AddTouchpoint
    | AddSeen
    | AddEdge
    | AddLikeness
    | AddClosed
    | AddDropped
    | AddRuling
    | AddGeneric
    | AddRequest
    | AddForgotten
    | Scrub
    | Absorb
    | Piece
    | Recall
)

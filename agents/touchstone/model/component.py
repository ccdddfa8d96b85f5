"""The rows of state: what identity keeps per identifier, matching per block, and journey per component.

Row names begin with the tag given here. Everything marked *evidence* or *book* moves with a component; the rest is derived from it.
"""

from typing import Any, ClassVar

from msgspec import Struct, field
from msgspec.structs import replace

from touchstone.model.golden import Golden, Order
from touchstone.model.journey import JourneyState
from touchstone.model.output import MomentContent
from touchstone.model.touchpoint import Touchpoint

STATE_FORMAT = 5
"""Raise it when a row below changes its meaning or its fields in a way that older bytes do not fit: old state is then refused, not misread."""

NEVER = -(1 << 62)
"""Before all times: the clock of a component that was never told one."""


# -- identity: group = identifier ---------------------------------------------------------------------------------------------


class Pointer(Struct, array_like=True):
    """Tag `i`. Where the identifier hangs, how many neighbours it has met (`up` by their kind, `down` in all), since when its
    component was told it is known, and how many others it resembles; `last`: when it was last seen, as far as no touchpoint says it;
    `until`: forgotten up to then.
    """

    root: str
    is_generic: bool = False
    up: dict[str, int] = field(default_factory=dict)
    down: int = 0
    since: int | None = None
    alike: int = 0
    last: int | None = None
    until: int | None = None


class Times(Struct, array_like=True):
    """Tag `u` + stronger neighbour (when seen together), or `w` + weaker neighbour."""

    first: int
    last: int


class Alike(Struct, array_like=True):
    """Tag `y` + other identifier. Records of the two look alike."""


class Ordered(Struct, array_like=True):
    """Tag `o` + content hash, at the name of a command (`tenant/command:id`). What a steward has ruled about each pair."""

    action: str
    at: int
    pairs: tuple[tuple[str, str], ...]


class Undone(Struct, array_like=True):
    """Tag `d`, at the name of a command. It was undone, by the command with this id; of several the smallest."""

    by: str


class Described(Struct, frozen=True, array_like=True):
    """A record: what one source has written down of the person behind an identifier, in comparable values (matching/records.py).

    `record` is a keyed hash of the values, so the same description is the same record; `at`: when it was first stated, `last`: when last, as
    far as it was told; `value`: what the identifier's key was made from. One that was forgotten has no values: it counts, and resembles nobody.
    """

    identifier: str
    record: str
    values: dict[str, str]
    at: int
    value: str | None = None
    last: int = NEVER

    @property
    def latest(self) -> int:
        """When it was last stated."""
        return max(self.at, self.last)

    def forgotten(self, until: int) -> "Described":
        """What is left of it when it is forgotten up to then: nothing but that it was there, unless it was stated later as well."""
        if self.latest <= until:
            return replace(self, values={}, value=None)
        return replace(self, at=self.latest) if self.at <= until else self


class Registered(Struct, array_like=True):
    """Tag `r` + record. A description of the identifier, and the blocks to which it was sent; `until`: forgotten up to then."""

    described: Described
    blocks: tuple[str, ...]
    until: int | None = None


class Lent(Struct, array_like=True):
    """Tag `b` + owner + record. A record of the owner holds the value of this identifier, and must go when that is forgotten."""

    owner: str
    record: str


IDENTITY_ROWS: dict[str, type] = {"i": Pointer, "u": Times, "w": Times, "o": Ordered, "d": Undone, "r": Registered, "b": Lent, "y": Alike}


# -- match: group = key of a block ----------------------------------------------------------------------------------------------


class Block(Struct, array_like=True):
    """Tag `h`. How many records came; a block with more than its limit is closed for ever and keeps none of them.

    No other row of a block is there without this one, so one look that finds nothing says that the block is new (state/rowcodec.py).
    """

    IS_HEAD: ClassVar[bool] = True

    count: int = 0
    is_closed: bool = False


class Linked(Struct, array_like=True):
    """Tag `l` + identifier. It was told of a likeness that was found in this block, and must hear when the block is closed."""


class Placed(Struct, array_like=True):
    """Tag `r` + identifier + record. A description that waits for others like it; `until`: it is forgotten up to then.

    `is_counted`: it has come. That it is to be forgotten may be heard before.
    """

    described: Described
    until: int | None = None
    is_counted: bool = True


MATCH_ROWS: dict[str, type] = {"h": Block, "r": Placed, "l": Linked}


# -- journey: group = root of the component ----------------------------------------------------------------------------------


class Header(Struct, array_like=True):
    """Tag `h`. `redirect`: where the component has moved. `as_of`: told up to here elsewhere. `timer`: when the store wakes us.
    `hears_at`: when the first of the recalled statements is to be heard. `has_erased`: something of it was, or is to be, forgotten.
    """

    redirect: str | None = None
    as_of: int = NEVER
    timer: int | None = None
    condense_at: int | None = None
    hears_at: int | None = None
    has_erased: bool = False


class Node(Struct, array_like=True):
    """Tag `n` + identifier. Evidence: `since`, `is_generic`, `value`, from which the identifier was made; `until`: forgotten up to
    then; `last`: when it was last seen by what is not held; `was_anchor`: it held a touchpoint that was forgotten. Derived: its person, why it belongs to nobody, whether it
    anchors a touchpoint, what was last said about its sharing, and of which days it can hold no more touchpoints of the same identifiers
    (retention.py): name of the group -> place of the last that counts.
    """

    since: int | None = None
    is_generic: bool = False
    customer_id: str | None = None
    refused: str | None = None
    is_anchor: bool = False
    reported: str | None = None
    full: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    value: str | None = None
    until: int | None = None
    last: int | None = None
    was_anchor: bool = False


class Edge(Struct, array_like=True):
    """Tag `e` + weak + strong. Evidence: two identifiers were seen together."""

    weak: str
    strong: str
    first: int
    last: int


class Likeness(Struct, array_like=True):
    """Tag `l` + weak + strong + their records. Evidence: a record of each look alike, by so many bits (matching/score.py).

    It counts while at least one of the blocks in which they met is open. `at`: since when both are known; `lasts`: when each
    was last stated.
    """

    weak: str
    strong: str
    records: tuple[str, str]
    score: float
    at: int
    blocks: tuple[str, ...]
    lasts: tuple[int, int]


class Closed(Struct, array_like=True):
    """Tag `k` + block. Evidence: the block was closed; what was found in it alone says nothing any more.

    Tag `k` + identifier: it resembles so many that likeness to it says nothing, wherever it was found.

    Tag `k` + identifier + record: the record is forgotten up to `until`, and so is what was found by it.
    """

    until: int | None = None


class Ruling(Struct, array_like=True):
    """Tag `a` + pair + command id + content hash. Evidence: a steward's ruling about two identifiers, and by which command it was undone.

    `reported`, derived: why a join is in vain, as last said.
    """

    pair: tuple[str, str]
    action: str
    at: int
    command: str
    content: str
    undone_by: str | None = None
    reported: str | None = None


class Request(Struct, array_like=True):
    """Tag `q` + identifier. Evidence: whoever has this identifier asks to be forgotten up to `until`, by this command. It stays open: what
    turns out later to have been hers is forgotten as well.
    """

    until: int
    command: str


class Variant(Struct, array_like=True):
    """One statement of a touchpoint's producer, and at which of its identifiers it is held. `is_contested`: another one was made of the
    same identifiers under the same key, which lost.
    """

    index: int
    touchpoint: Touchpoint
    is_contested: bool = False


class Held(Struct, array_like=True):
    """Tag `t` + tenant + key: the first statement that came under a key. Of others `t` + tenant + key + 0x1f + name of their group. Evidence.

    One row holds one statement, so that no producer can fill it. Of several about the same identifiers on the same day (a group of
    retention.py) only the first in the order of `winners` is kept: they have one owner, so no other can ever count.
    Of the first row: `is_reported`: a conflict was said; `has_others`: there are other rows; `variant` is None where only they are left.
    """

    variant: Variant | None
    is_reported: bool = False
    has_others: bool = False


class Stated(Struct, array_like=True):
    """One statement about a purpose that counts: when and by which touchpoint it was made, and which of the person's identifiers it names."""

    granted: bool
    order: tuple[int, str, str]
    members: tuple[str, ...] = ()


class Person(Struct, array_like=True):
    """Tag `p` + customer id. Derived: the fold of one person, ready for its newest touchpoint.

    `members`: identifier -> [first, last seen] by touchpoints owned, None where none speaks of it. `owned`: how many touchpoints, and
    the exclusive or of their content hashes. `newest`: the order of the last touchpoint folded. `fired`: the last deadline that fired.
    `attributes`: name -> (value, order, channel). `interactions`: channel -> (type, time, count). `consents`: purpose -> the statements that
    count. `agreed`: purpose -> when the decision changed, and to what (consent.py); only of purposes that the topology knows.
    `pace`: the newest day on which touchpoints are owned, and how many. `left_out`: attributes and consents that had no room.
    `golden`: the attributes for which the topology has rules. `used`: recycled identifiers of others -> [first, last use]; `shared`: of
    these, those that belong to nobody -> when this person's use ended. `core`: where likeness has united her with others, who she would be
    without, and `surely`: what of `owned` she would own then.
    """

    members: dict[str, tuple[int, int] | None]
    is_nobody: bool
    states: dict[str, JourneyState]
    owned: tuple[int, int] = (0, 0)
    newest: tuple[int, str, str] | None = None
    fired: int = NEVER
    next_at: int | None = None
    attributes: dict[str, tuple[Any, Order, str]] = field(default_factory=dict)
    consents: dict[str, list[Stated]] = field(default_factory=dict)
    interactions: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    pace: tuple[int, int] = (NEVER, 0)
    left_out: int = 0
    golden: Golden | None = None
    used: dict[str, tuple[int, int]] = field(default_factory=dict)
    shared: dict[str, int | None] = field(default_factory=dict)
    agreed: dict[str, list[tuple[int, bool]]] = field(default_factory=dict)
    core: list[str] = field(default_factory=list)
    surely: tuple[int, int] = (0, 0)


class SaidMoment(Struct, array_like=True):
    """Tag `m` + customer id + moment id. Book: the last statement; `must_repeat` when two were made differently.

    Tag `o` + customer id + name of the output + moment id: the same of an output that asks for a purpose.
    """

    revision: int
    content: MomentContent
    stands: bool
    must_repeat: bool = False


class SaidCustomer(Struct, array_like=True):
    """Tag `c` + customer id. Book: the last record said of a customer id, and from what the id was made: `epoch` is up to when
    its origin had been forgotten before. `phases`: journey -> where it
    said that the customer stands (for the census).
    """

    revision: int
    status: str
    digest: str
    origin: str
    is_nobody: bool
    members: tuple[str, ...] = ()
    must_repeat: bool = False
    phases: dict[str, str] = field(default_factory=dict)
    epoch: int | None = None


class SaidReview(Struct, array_like=True):
    """Tag `v` + weak + strong. Book: what was last said of two who look alike, but not enough to be one."""

    revision: int
    digest: str
    weak: str
    strong: str
    must_repeat: bool = False


class Staged(Struct, array_like=True):
    """Tag `s` + source + number. A piece of a component on its way here."""

    source: str
    number: int
    total: int
    as_of: int
    rows: tuple[tuple[str, bytes], ...]


class Recalled(Struct, array_like=True):
    """Tag `r` + customer id + number. Book rows read back from the output topics, to be heard at `not_before` (`Recall`)."""

    not_before: int
    rows: tuple[tuple[str, bytes], ...]


JOURNEY_ROWS: dict[str, type] = {
    "h": Header, "n": Node, "e": Edge, "a": Ruling, "t": Held, "p": Person, "m": SaidMoment, "o": SaidMoment, "c": SaidCustomer,
    "s": Staged, "r": Recalled, "l": Likeness, "d": Described, "k": Closed, "v": SaidReview, "q": Request,
}  # fmt: skip

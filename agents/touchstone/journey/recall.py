"""What had been said, read back from the output topics into messages for the components that must answer for it.

For a state that is lost together with its changelogs: the touchpoints are replayed and tell everything anew, but only the outputs know
which moments and customers readers believe in. A customer id is a keyed hash of an identifier, so the way back leads over the identifiers
that stand in the customer records: each identifier that was ever seen belongs to exactly one active customer, or to nobody, who has a
record too.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from touchstone.identity.ordering import Ordering
from touchstone.journey.component import review_row
from touchstone.journey.policy import customer_id_of
from touchstone.journey.publish import ASSERT
from touchstone.journey.speaker import digest_of
from touchstone.model.component import NEVER, SaidCustomer, SaidMoment, SaidReview
from touchstone.model.erasure import ForgottenTable
from touchstone.model.message import Recall
from touchstone.model.output import Carried, Customer, Moment, MomentContent, Review

RECALL_BYTES = 192 * 1024
"""A message closes when it has grown past this, so that none is above 256 KiB."""

_encode = msgspec.msgpack.Encoder().encode


class Origin(NamedTuple):
    """What a customer id was made from; `epoch`: up to when that had been forgotten before."""

    identifier: str
    is_nobody: bool
    epoch: int | None = None


class Book:
    """The last statement about each moment and each customer. Records may come in any order and more than once.

    `ordering` must hash with the key of the installation that has said it, or no customer id is known again. `forgotten`: what the privacy
    log says.
    """

    def __init__(self, ordering: Ordering, forgotten: ForgottenTable | None = None) -> None:
        self._ordering = ordering
        self._forgotten = ForgottenTable() if forgotten is None else forgotten
        self.origins: dict[str, Origin] = {}
        """Customer id -> what it was made from, as far as that is known."""
        self.moments: dict[str, dict[str, SaidMoment]] = defaultdict(dict)
        self.carried: dict[str, dict[str, SaidMoment]] = defaultdict(dict)
        """Customer id -> name of the output and moment id -> what was said there."""
        self.customers: dict[str, Customer] = {}
        self.reviews: dict[str, Review] = {}

    def add(self, record: Moment | Carried | Customer | Review) -> None:
        """Take one record in; the highest revision counts."""
        if isinstance(record, Review):
            last = self.reviews.get(record.review_id)
            if last is None or record.revision > last.revision:
                self.reviews[record.review_id] = record
            return
        if isinstance(record, Customer):
            known = self.customers.get(record.customer_id)
            if known is None or record.revision > known.revision:
                self.customers[record.customer_id] = record
            return
        if isinstance(record, Carried):
            _hear(self.carried[record.moment.customer_id], f"{record.output}/{record.moment.moment_id}", record.moment)
        else:
            _hear(self.moments[record.customer_id], record.moment_id, record)

    @property
    def ids(self) -> set[str]:
        """All customer ids of which something was said."""
        return self.customers.keys() | self.moments.keys() | self.carried.keys()

    def leave_before(self, since_ms: int) -> tuple[int, int]:
        """Let stand what was said of the time before touchpoints are left: nobody could tell any more whether it is true.

        Returns how many moments and how many customers are left out: customers whom no moment and no touchpoint since then speaks of.
        """
        moments = customers = 0
        for book in (self.moments, self.carried):
            for customer_id, said in list(book.items()):
                old = [name for name, row in said.items() if row.content.occurred_at < since_ms]
                moments += len(old) if book is self.moments else 0
                for name in old:
                    del said[name]
                if not said:
                    del book[customer_id]
        spoken_of = self.moments.keys() | self.carried.keys()
        young = {name for name, record in self.customers.items() if name in spoken_of or _last_seen(record) >= since_ms}
        for customer_id, record in list(self.customers.items()):
            if customer_id not in young and record.merged_into not in young:
                del self.customers[customer_id]
                customers += 1
        self.reviews = {name: review for name, review in self.reviews.items() if review.occurred_at >= since_ms}
        return moments, customers

    def find_origins(self) -> set[str]:
        """Look for the origin of every customer id in the customer records. Returns the ids of which none was found.

        What was said of somebody whose component was just moving has no record yet: `trace` it among the identifiers of touchpoints.
        """
        for record in self.customers.values():
            self.trace(self._members(record))
        self.trace(self._forgotten)
        return self.ids - self.origins.keys()

    def trace(self, identifiers: Iterable[str]) -> None:
        """See whether a customer id was made from one of these."""
        for x in identifiers:
            fact = self._forgotten.get(x)
            for epoch in (None,) if fact is None else (None, *fact.epochs, fact.until):
                for is_nobody in (False, True):
                    customer_id = customer_id_of(self._ordering, x, is_nobody=is_nobody, epoch=epoch)
                    if customer_id in self.customers or customer_id in self.moments or customer_id in self.carried:
                        self.origins[customer_id] = Origin(x, is_nobody, epoch)

    def recalls(self, not_before: int) -> Iterator[Recall]:
        """One message or more per customer id whose origin is known, and one per review, to be heard when the clock has reached `not_before`.

        Of somebody who was forgotten since, nothing that was taken back is heard again.
        """
        for customer_id, origin in sorted(self.origins.items()):
            for number, rows in enumerate(_chunks(self._rows(customer_id, origin))):
                yield Recall(origin.identifier, customer_id, number, not_before, tuple(rows))
        for review_id, review in sorted(self.reviews.items()):
            weak, strong = (self._ordering.key(review.tenant, each["kind"], each["value"]) for each in review.identifiers)
            row = review_row((weak, strong)), _encode(SaidReview(review.revision, "", weak, strong))
            yield Recall(weak, review_id, 0, not_before, (row,))

    def _rows(self, customer_id: str, origin: Origin) -> Iterator[tuple[str, bytes]]:
        record = self.customers.get(customer_id)
        if record is not None:
            yield "c" + customer_id, _encode(_said(record, origin, self._members(record)))
        is_erased = (NEVER if origin.epoch is None else origin.epoch) < self._forgotten.until(origin.identifier)
        for tag, book in (("m", self.moments), ("o", self.carried)):
            for name, said in book.get(customer_id, {}).items():
                if said.stands or not is_erased:
                    yield f"{tag}{customer_id}/{name}", _encode(said)

    def _members(self, record: Customer) -> Iterator[str]:
        """The identifiers of a customer as they are kept."""
        return (self._ordering.key(record.tenant, each["kind"], each["value"]) for each in record.identifiers)


def _hear(said: dict[str, SaidMoment], name: str, moment: Moment) -> None:
    before = said.get(name)
    if before is None or moment.revision > before.revision:
        content = MomentContent(*(getattr(moment, field) for field in MomentContent.__struct_fields__))
        said[name] = SaidMoment(moment.revision, content, moment.action == ASSERT)


def _said(record: Customer, origin: Origin, members: Iterable[str]) -> SaidCustomer:
    """An active record is said again once: what it was made of cannot be told from it."""
    is_active = record.status == "active"
    return SaidCustomer(
        revision=record.revision,
        status=record.status,
        digest="" if is_active else digest_of(record.status, record.merged_into),
        origin=origin.identifier,
        is_nobody=origin.is_nobody,
        epoch=origin.epoch,
        members=tuple(sorted(members)),
    )


def _last_seen(record: Customer) -> int:
    return max((each["last_seen"] for each in record.identifiers if each["last_seen"] is not None), default=NEVER)


def _chunks(rows: Iterator[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    chunk: list[tuple[str, bytes]] = []
    size = 0
    for name, row in rows:
        if size > RECALL_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append((name, row))
        size += len(name) + len(row) + 8
    if chunk:
        yield chunk

"""Everything the public topics say of one customer, put together; pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from touchstone.contracts.json_form import to_json_dict
from touchstone.errors import UsageError
from touchstone.intake.misspelt import found
from touchstone.model.output import Customer, IdentityChange, Moment
from touchstone.view import holders

_LEAST_OF_ID = 8
_ID = re.compile(rf"[0-9a-f]{{{_LEAST_OF_ID},32}}")
_LISTED = 5


class Wanted(NamedTuple):
    """What was asked for: an identifier (any tenant where none is named), or the text as a customer id."""

    text: str
    tenant: str | None
    kind: str | None
    value: str


class Statement(NamedTuple):
    """A moment with all its revisions that are there, oldest first; the last one counts."""

    revisions: tuple[Moment, ...]

    @property
    def last(self) -> Moment:
        """What is to be believed."""
        return self.revisions[-1]

    @property
    def stands(self) -> bool:
        """Whether it is asserted now."""
        return self.last.action == "assert"


class Dossier(NamedTuple):
    """One customer: the profile, the ids that lead to it, what was said of their journey, how it became who it is."""

    customer: Customer
    asked: str | None
    former: tuple[Customer, ...]
    statements: tuple[Statement, ...]
    changes: tuple[IdentityChange, ...]


def parse(text: str, kinds: Mapping[str, str]) -> Wanted:
    """Read `kind:value`, `tenant/kind:value` or a customer id; a slash behind the colon belongs to the value.

    `kinds` leads from every word for a kind to its name. Of a customer id the beginning is enough, as other commands show it.

    Raises:
        UsageError: it is none of these, or the kind is unknown.
    """
    before, colon, value = text.strip().partition(":")
    if not colon:
        if _ID.fullmatch(before.lower()) is None:
            raise UsageError(
                f"expected kind:value, such as email:ada@x.org, or a customer id, of which {_LEAST_OF_ID} of the characters 0-9 and a-f are "
                f"enough, found {text!r}"
            )
        return Wanted(before.lower(), None, None, before.lower())
    tenant, slash, kind = before.rpartition("/")
    if kind not in kinds:
        raise UsageError(f"expected a kind of identifier of the topology, {found(kind, tuple(kinds))}")
    if not value.strip():
        raise UsageError(f"expected a value behind {before}:, such as {before}:A1, found nothing")
    return Wanted(text.strip(), tenant if slash else None, kinds[kind], value)


def find(wanted: Wanted, customers: Mapping[str, Customer], as_of: int | None = None) -> list[Customer]:
    """The customers that are meant, by id: a former id leads to whom it was merged into; an identifier may belong to several (shared).

    An identifier is compared as written; where nobody has it so, without regard to case. `as_of` (milliseconds): who held it then.

    Raises:
        UsageError: several customers' ids begin as the one that was asked for.
    """
    if wanted.kind is None:
        return _by_id(wanted.text, customers)
    if as_of is not None:
        return sorted(
            holders(customers.values(), wanted.kind, wanted.value, as_of, wanted.tenant), key=lambda customer: customer.customer_id
        )
    active = [customer for customer in customers.values() if customer.status == "active" and wanted.tenant in {None, customer.tenant}]
    exact = [customer for customer in active if (wanted.kind, wanted.value) in _pairs(customer)]
    folded = (wanted.kind, wanted.value.casefold())
    alike = exact or [customer for customer in active if folded in {(kind, value.casefold()) for kind, value in _pairs(customer)}]
    return sorted(alike, key=lambda customer: customer.customer_id)


def _by_id(beginning: str, customers: Mapping[str, Customer]) -> list[Customer]:
    named = [beginning] if beginning in customers else sorted(one for one in customers if one.startswith(beginning))
    meant = {customer.customer_id: customer for customer in (follow(customers[one], customers) for one in named)}
    if len(meant) > 1:
        raise UsageError(f"{len(named)} customer ids begin with {beginning}: {', '.join(named[:_LISTED])}; give more of the one you mean")
    return list(meant.values())


def follow(customer: Customer, customers: Mapping[str, Customer]) -> Customer:
    """Whom a customer was merged into, to the end of the chain; the last one known where the chain is broken."""
    passed = {customer.customer_id}
    while customer.status == "merged" and customer.merged_into is not None:
        survivor = customers.get(customer.merged_into)
        if survivor is None or survivor.customer_id in passed:
            break
        passed.add(survivor.customer_id)
        customer = survivor
    return customer


def former_ids(customer: Customer, customers: Mapping[str, Customer]) -> tuple[Customer, ...]:
    """All ids that lead to this customer now, in order."""
    leading = (other for other in customers.values() if other.status == "merged" and follow(other, customers) is customer)
    return tuple(sorted(leading, key=lambda other: other.customer_id))


def assemble(
    customer: Customer, asked: str | None, former: tuple[Customer, ...], moments: Iterable[Moment], changes: Iterable[IdentityChange]
) -> Dossier:
    """Choose what concerns the customer and its former ids, and order it by time."""
    ids = {customer.customer_id, *(other.customer_id for other in former)}
    asked_for = [one for one in sorted(ids) if asked and one.startswith(asked)]
    revisions: dict[str, dict[int, Moment]] = {}
    for moment in moments:
        if moment.customer_id in ids:
            revisions.setdefault(moment.moment_id, {})[moment.revision] = moment
    statements = [Statement(tuple(said for _, said in sorted(by_revision.items()))) for by_revision in revisions.values()]
    concerned = {change.change_id: change for change in changes if change.customer_id in ids or ids & set(change.customers)}
    return Dossier(
        customer,
        asked_for[0] if asked_for and customer.customer_id not in asked_for else None,
        former,
        tuple(sorted(statements, key=lambda statement: (statement.last.occurred_at, statement.last.detected_at, statement.last.moment_id))),
        tuple(sorted(concerned.values(), key=lambda change: (change.detected_at, change.change_id))),
    )


def as_json(dossier: Dossier) -> dict[str, Any]:
    """The dossier with the contracts' field names; `stands` says of each moment whether it is asserted now."""
    return {
        "customer": to_json_dict(dossier.customer),
        "former_ids": [other.customer_id for other in dossier.former],
        "moments": list(_moments(dossier)),
        "identity_changes": [to_json_dict(change) for change in dossier.changes],
    }


def _moments(dossier: Dossier) -> Iterator[dict[str, Any]]:
    for statement in dossier.statements:
        yield {**to_json_dict(statement.last), "stands": statement.stands, "revisions": len(statement.revisions)}


def _pairs(customer: Customer) -> set[tuple[str, str]]:
    return {(each["kind"], each["value"]) for each in customer.identifiers}

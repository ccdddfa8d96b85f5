"""The component's voice: puts into the book what it says, and gives the record to whoever publishes it."""

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from touchstone.journey.book import drop_final, enter, said_under
from touchstone.journey.carrier import Carrier, Retold
from touchstone.journey.changes import Change
from touchstone.journey.component import Component, review_row
from touchstone.journey.consent import told
from touchstone.journey.fold import DORMANT, next_deadline
from touchstone.journey.golden import profile
from touchstone.journey.policy import Journeys, customer_id_of
from touchstone.journey.publish import RETRACT, Statement, differences, moment_of, next_revision
from touchstone.journey.reviews import Doubt
from touchstone.matching.judge import Judge, probability
from touchstone.matching.records import Record
from touchstone.model.command import Pair
from touchstone.model.component import Likeness, Person, SaidCustomer, SaidReview
from touchstone.model.erasure import ERASED, Forgotten
from touchstone.model.identifier import kind_of, tenant_of, value_of
from touchstone.model.journey import Draft
from touchstone.model.output import Carried, Customer, IdentityChange, Moment, MomentContent, Review
from touchstone.topology.compile import Output

BEFORE_THE_FIRST = "none"
"""The phase of who has not begun a journey, where phases are counted."""

Emit = Callable[[Moment | Customer | IdentityChange | Review], None]
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class Speaker:
    """Says moments, customers and identity changes of one transaction; `wall_ms` is the time that revisions and detections carry.

    `carry` is given what is said on outputs that ask for consent, `withhold` told which of them may not carry what was just found, `forget`
    given the decisions to forget.
    """

    def __init__(
        self,
        journeys: Journeys,
        emit: Emit,
        wall_ms: int = 0,
        carry: Callable[[Carried], None] = lambda _: None,
        withhold: Callable[[Output], None] = lambda _: None,
        forget: Callable[[Forgotten], None] = lambda _: None,
    ) -> None:
        self._journeys = journeys
        self._emit = emit
        self._carrier = Carrier(journeys, carry, withhold)
        self.forget = forget
        self.wall_ms = wall_ms
        self.withdrawn: set[tuple[str, ...]] = set()

    # -- moments -------------------------------------------------------------------------------------------------------------
    def add_moment(self, component: Component, customer_id: str, person: Person, journey: str, draft: Draft) -> None:
        """Assert a moment that one step of the fold has found."""
        moment_id, content = moment_of(draft, tenant_of(component.root), customer_id, journey, self._journeys.topology.version)
        prefix = f"m{customer_id}/"
        before = component.get(prefix + moment_id)
        known = {} if before is None else {moment_id: before}
        for statement in differences(known, {moment_id: content}, horizon=content.occurred_at):
            moment = self._state(component, prefix, statement, None)
            self._carrier.add(component, customer_id, person, content, moment, self.wall_ms)

    def correct_moments(
        self, component: Component, customer_id: str, truth: dict[str, MomentContent], horizon: int, cause: str
    ) -> dict[str, Moment]:
        """Compare all moments of a customer id with the truth; say what differs, and return it; final ones leave the book.

        An assertion corrects something when another statement of this customer does, when a person was split, or when what it says was
        said of somebody else and has just been withdrawn there.
        """
        prefix = f"m{customer_id}/"
        statements = differences(said_under(component, prefix), truth, horizon)
        is_correction = cause == "split" or any(statement.is_correction for statement in statements)
        stated = {}
        for statement in statements:
            triggers = statement.content.touchpoints
            if statement.action == RETRACT:
                self.withdrawn.add(triggers)
            corrects = cause if is_correction or triggers in self.withdrawn else None
            stated[statement.moment_id] = self._state(component, prefix, statement, corrects)
        drop_final(component, prefix, horizon)
        return stated

    def correct_outputs(self, component: Component, everyone: Iterable[Retold], horizon: int) -> None:
        """After `correct_moments` of all of them: the same on each output that asks for consent."""
        self._carrier.correct(component, everyone, horizon, self.wall_ms)

    def ask_again(self, component: Component, customer_id: str, person: Person, horizon: int) -> None:
        """A person has decided otherwise: say on outputs that ask for consent what they may carry now, take back what they may not."""
        truth = {name: row.content for name, row in said_under(component, f"m{customer_id}/").items() if row.stands}
        self.correct_outputs(component, [Retold(customer_id, person, truth)], horizon)

    def _state(self, component: Component, prefix: str, statement: Statement, corrects: str | None) -> Moment:
        moment = enter(component, prefix, statement, self.wall_ms, corrects)
        self._emit(moment)
        return moment

    # -- customers -----------------------------------------------------------------------------------------------------------
    def say_customer(self, component: Component, customer_id: str, person: Person | None, tenant: str) -> None:
        """The record of a customer id as it is now, unless that was said already. Without a person: what became of the id."""
        name = "c" + customer_id
        before: SaidCustomer | None = component.get(name)
        if person is not None and before is None and is_passing(component, person):
            return
        if person is not None:
            origin = before.origin if before else self._origin(component, person, customer_id)
            epoch = before.epoch if before else _epoch(component, origin)
            status, merged_into, standings = "active", None, self._standings(person)
            members, is_nobody = tuple(sorted(person.members)), person.is_nobody
            # Not the record itself: it is dear to make, and follows from these.
            said: Any = (person.members, person.attributes, person.consents, person.interactions, standings)
            if person.golden is not None or person.shared:
                said = (*said, person.golden, person.used, person.shared)
        elif before is not None:
            origin, members, is_nobody, standings, said = before.origin, (), before.is_nobody, (), None
            epoch = before.epoch
            status, merged_into = self._standing(component, before, customer_id)
        else:
            return
        digest = digest_of(status, merged_into, said)
        if before is not None and before.digest == digest and not before.must_repeat:
            return
        revision = next_revision(before.revision if before else 0, self.wall_ms)
        component.put(name, SaidCustomer(revision, status, digest, origin, is_nobody, members, phases=self._phases(person), epoch=epoch))
        content = (
            profile(person, component.value, self._journeys.attributes) | {"consents": told(person, self._journeys.consents)}
            if person is not None
            else {}
        )
        self._emit(Customer(customer_id, revision, tenant, status, merged_into, journeys=standings, **content))

    def _standing(self, component: Component, said: SaidCustomer, customer_id: str) -> tuple[str, str | None]:
        """What an id that is nobody's any more says: a function of the evidence, as everything."""
        if self.is_erased(component, said):
            return ERASED, None
        node = component.node(said.origin)
        if said.is_nobody or node is None or node.customer_id is None or node.refused is not None or node.customer_id == customer_id:
            return "retired", None
        return "merged", node.customer_id

    @staticmethod
    def is_erased(component: Component, said: SaidCustomer) -> bool:
        """Whether what this id was made from was forgotten since."""
        epoch = _epoch(component, said.origin)
        return epoch is not None and (said.epoch is None or said.epoch < epoch)

    def _origin(self, component: Component, person: Person, customer_id: str) -> str:
        for x in person.members:
            epoch = _epoch(component, x)
            if customer_id_of(self._journeys.ordering, x, is_nobody=person.is_nobody, epoch=epoch) == customer_id:
                return x
        return min(person.members)

    def _standings(self, person: Person) -> tuple[dict[str, Any], ...]:
        """Where the person stands, per journey that has begun."""
        standings = []
        for journey in self._journeys.compiled:
            state = person.states[journey.name]
            if state.phase is not None:
                due = next_deadline(state, journey)
                standings.append(
                    {
                        "journey": journey.name,
                        "instance": None,
                        "phase": state.phase,
                        "since": state.since,
                        "cycle": state.cycle,
                        "dormant": state.is_dormant,
                        "deadline": due[0] if due else None,
                    }
                )
        return tuple(standings)

    def _phases(self, person: Person | None) -> dict[str, str]:
        """Where the person stands, for the census: every journey counts every customer once."""
        if person is None:
            return {}
        states = ((journey.name, person.states[journey.name]) for journey in self._journeys.compiled)
        return {name: DORMANT if state.is_dormant else state.phase or BEFORE_THE_FIRST for name, state in states}

    # -- identity changes ----------------------------------------------------------------------------------------------------
    def say_change(self, change: Change, tenant: str, trigger: str | None, values: Mapping[str, str]) -> None:
        """Something changed about who is who; `trigger` is the key of the touchpoint that brought it to light, if one did; `values` are those
        of the identifiers concerned.
        """
        parts = (*change[:2], *change.customers, *change.identifiers, trigger or "", change.rule, str(self.wall_ms))
        self._emit(
            IdentityChange(
                change_id=self._journeys.ordering.digest("\x1f".join(parts)).hex(),
                kind=change.kind,
                tenant=tenant,
                customer_id=change.customer_id,
                customers=change.customers,
                identifiers=tuple({"kind": kind_of(x), "value": values.get(x) or value_of(x)} for x in change.identifiers),
                trigger=trigger,
                rule=change.rule,
                detected_at=self.wall_ms,
                command=change.command,
            )
        )

    # -- reviews -------------------------------------------------------------------------------------------------------------
    def say_doubt(self, component: Component, pair: Pair, doubt: Doubt) -> None:
        """What is to be said of two who look alike, unless it was said already. Its evidence is weighed again: a book keeps no values."""
        alike = self._journeys.alike
        name = review_row(pair)
        before: SaidReview | None = component.get(name)
        if alike is None or (before is not None and before.digest == doubt.digest and not before.must_repeat):
            return
        revision = next_revision(before.revision if before else 0, self.wall_ms)
        component.put(name, SaidReview(revision, doubt.digest, *pair))
        nodes = [component.node(x) for x in pair]
        self._emit(
            Review(
                review_id=self._journeys.ordering.digest("review\x1f" + "\x1f".join(pair)).hex(),
                revision=revision,
                tenant=tenant_of(component.root),
                status=doubt.status,
                identifiers=tuple({"kind": kind_of(x), "value": component.value_described(x) or value_of(x)} for x in pair),
                customers=tuple(dict.fromkeys(node.customer_id for node in nodes if node is not None and node.customer_id is not None)),
                why=doubt.why,
                model=alike.version,
                occurred_at=0 if doubt.likeness is None else doubt.likeness.at,
                detected_at=self.wall_ms,
                command=doubt.command,
                **weighed(component, doubt.likeness, alike),
            )
        )


def weighed(component: Component, likeness: Likeness | None, judge: Judge) -> dict[str, Any]:
    """The probability of a likeness, and the bits of each attribute; nothing where there is none any more."""
    if likeness is None:
        return {"score": 0.0, "evidence": ()}
    one, other = (component.described(x, record) for x, record in zip((likeness.weak, likeness.strong), likeness.records, strict=True))
    found = judge.explain(Record("one", one.values), Record("other", other.values))
    # Rounded, because a batch weighs to a billionth of a bit, and what is said must be the same wherever it was weighed.
    evidence = tuple({"attribute": each.feature, "level": each.level, "bits": round(each.bits, 3)} for each in found.evidence)
    return {"score": round(probability(likeness.score), 6), "evidence": evidence}


def _epoch(component: Component, identifier: str) -> int | None:
    """Up to when an identifier is forgotten."""
    node = component.node(identifier)
    return None if node is None else node.until


def digest_of(status: str, merged_into: str | None, told: Any = None) -> str:
    """What the book keeps of a customer record to know it again; `told` is what an active one was made of."""
    return blake2b(_encode((status, merged_into, told)), digest_size=12).hexdigest()


def is_passing(component: Component, person: Person) -> bool:
    """An identifier of which only the existence is known so far: what it belongs to, or that it belongs to nobody, is still on its way.

    Said at once it would be a customer for some milliseconds, and then a merge, of every visitor whose identifiers live on two workers.
    """
    return not person.is_nobody and person.owned[0] == 0 and len(person.members) == 1 and not component.rows("e")

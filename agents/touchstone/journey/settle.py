"""A component whose evidence changed is told anew: hand on, condense, resolve, own, fold, compare with what was said."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from touchstone.identity.evidence import NO_LIKENESSES, Likenesses, evidence_of
from touchstone.identity.resolve import APART, REFUSED_APART, People, resolve
from touchstone.identity.rulings import standing
from touchstone.intake.suppress import names_forgotten
from touchstone.journey.carrier import Retold
from touchstone.journey.changes import (
    After,
    Before,
    ChangeLog,
    Was,
    by_likeness,
    causes,
    command_between,
    last_words,
    people_changes,
    with_commands,
    with_triggers,
)
from touchstone.journey.component import Component, customer_of, effective, key_row
from touchstone.journey.erasure import Memory, counts_since, described_again, drop_likenesses, epoch_of, forget, keep_values, redacted
from touchstone.journey.golden import fingerprint
from touchstone.journey.policy import Journeys, customer_id_of
from touchstone.journey.recycled import tell
from touchstone.journey.refold import refold
from touchstone.journey.retention import expired, group_name, place, surplus
from touchstone.journey.reviews import doubts
from touchstone.journey.speaker import Speaker
from touchstone.model.command import joins
from touchstone.model.component import Held, Node, Ruling, SaidCustomer, Variant
from touchstone.model.erasure import ForgottenTable
from touchstone.model.message import Arrive, Describe, Forget, Scrub, Seen
from touchstone.model.touchpoint import Touchpoint

ERASURE = "erasure"
"""What is corrected where somebody was forgotten."""

Send = Callable[[Arrive | Describe | Forget | Scrub | Seen], None]

FULL_DAYS = 16
"""Of an identifier so many days are known to hold all they can; of others it is found out again."""


Owned = tuple[Touchpoint, str]
"""A touchpoint, and the identifier by which it is somebody's."""


class Told(NamedTuple):
    """The people of a component and what they own: customer id -> members; identifier -> customer id; customer id -> touchpoints.

    `standing`: the rulings that hold. `cores`: customer id -> who would be that person without likeness, where there are others.
    """

    people: People
    members: dict[str, frozenset[str]]
    customer_ids: dict[str, str]
    owned: dict[str, list[Owned]]
    standing: tuple[Ruling, ...] = ()
    cores: Mapping[str, frozenset[str]] = {}
    likenesses: Likenesses = NO_LIKENESSES

    def touchpoints(self, customer_id: str, by: AbstractSet[str] | None = None) -> list[Touchpoint]:
        """What a person owns; only by these identifiers of hers, if they are given."""
        return [touchpoint for touchpoint, x in self.owned.get(customer_id, ()) if by is None or x in by]


class Crowd(NamedTuple):
    """A day of some identifiers that holds all it can: the last touchpoint that counts, and the first that does not."""

    anchor: str
    group: str
    last: Touchpoint
    first_out: Touchpoint


@dataclass(slots=True)
class Settlement:
    """What is to be told anew of one component. `everyone`: fold all people again; `heard`: those of whom another half has spoken, who may
    differ from what is known here though nothing else changes for them; `trigger`: the touchpoint that brought it up; `undone`: commands that
    are known now to have no effect; `left_out`: how many
    touchpoints did not count because of a limit.
    """

    everyone: bool = False
    heard: frozenset[str] = frozenset()
    trigger: str | None = None
    left_out: int = 0
    _nodes: dict[str, Node] = field(default_factory=dict)
    undone: set[str] = field(default_factory=set)
    _crowds: list[Crowd] = field(default_factory=list)
    _rulings: dict[str, Ruling] = field(default_factory=dict)
    is_scrubbed: bool = False

    def run(
        self,
        component: Component,
        journeys: Journeys,
        clock: int,
        send: Send,
        speaker: Speaker,
        log: ChangeLog,
        forgotten: ForgottenTable,
    ) -> list[str]:
        """Tell the component up to its time. Returns the customer ids whose record may have changed; who is who now goes to `log`."""
        as_of = effective(component.header(), clock)
        horizon = as_of - journeys.topology.retention_ms
        self._nodes = {name[1:]: node for name, node in component.rows("n")}
        self._rulings = dict(component.rows("a"))
        self._forget(component, journeys, send, speaker, forgotten)
        variants = self._hold(component, journeys, horizon, send, Memory(self._nodes, forgotten))
        if forgotten or component.header().has_erased:
            has_erased = component.header().has_erased
            concerned = (v.touchpoint for v in variants if has_erased or names_forgotten(v.touchpoint, forgotten))
            for described in described_again(concerned, journeys, Memory(self._nodes, forgotten)):
                send(described)
        told = self._tell(component, journeys, variants)
        keep_values(component, self._nodes, told.customer_ids, (v.touchpoint for v in variants))
        if self.is_scrubbed:  # old bytes may lie wherever the component has been, and it has been nowhere but at its identifiers
            for x in self._nodes:
                send(Scrub(x))
        before, after = self._people(component, told, speaker)
        changes = with_triggers(people_changes(before, after), after, (v.touchpoint for v in variants))
        log.undone |= self.undone
        log.people = by_likeness(with_commands(changes, after, self._rulings.values(), told.standing, log.undone), told.cores)
        log.trigger = self.trigger or log.trigger
        self._write_nodes(component, told, variants, log)
        self._write_rulings(component, told, log)
        self._note_conflicts(component, told, log)
        log.learn(self._nodes)
        if journeys.alike is not None:
            said = [(row.weak, row.strong) for _, row in component.rows("v")]
            log.doubts = doubts(told.likenesses, told.people, told.customer_ids, told.standing, said, journeys.alike)
        return self._fold(component, journeys, told, as_of, speaker, causes(before, after), log)

    # -- what is forgotten -------------------------------------------------------------------------------------------------------
    def _forget(
        self,
        component: Component,
        journeys: Journeys,
        send: Send,
        speaker: Speaker,
        forgotten: ForgottenTable,
    ) -> None:
        """Decide whom a request reaches."""
        if not forgotten and not component.header().has_erased:
            return
        held: dict[str, Held] = dict(component.rows("t"))
        before = {x: node.until for x, node in self._nodes.items()}
        for fact in forget(component, self._nodes, held, self._rulings.values(), journeys, forgotten, speaker.wall_ms):
            speaker.forget(fact)
            self.is_scrubbed = True
        for x, node in self._nodes.items():  # decided here, or known from the log: identity tells where descriptions lie
            if node.until is not None and node.until != before.get(x):
                send(Forget(x, node.until))
        drop_likenesses(component, self._nodes)

    # -- touchpoints: where they are held, which are too old to keep ------------------------------------------------------------
    def _hold(self, component: Component, journeys: Journeys, horizon: int, send: Send, memory: Memory) -> list[Variant]:
        """Drop what is forgotten, hand on what is held at an identifier that turned out generic, drop what no rule can ask for any more."""
        held: dict[str, Held] = dict(component.rows("t"))
        kept: dict[str, Variant] = {}
        for name, row in held.items():
            variant = row.variant
            if variant is None:
                continue
            touchpoint, following = memory.without_values(variant.touchpoint), variant.index + 1
            if memory.is_gone(touchpoint, variant.index):
                component.remember(touchpoint, anchor=touchpoint.identifiers[variant.index])
                self.is_scrubbed = True
                continue
            if touchpoint is not variant.touchpoint:
                variant.touchpoint = touchpoint
                component.put(name, row)
            node = self._nodes.get(touchpoint.identifiers[variant.index])
            if node is not None and node.is_generic and following < len(touchpoint.identifiers):
                component.remember(touchpoint)
                send(Arrive(touchpoint.identifiers[following], following, touchpoint))
            else:
                kept[name] = variant
                for x, value in memory.seen_again(touchpoint):
                    send(Seen(x, touchpoint.known_since(journeys.topology.lateness_ms), value, touchpoint.occurred_at))
        kept = _without(kept, self._excess(component, kept, journeys.per_day))
        old = expired(_touchpoints(kept), horizon, journeys.topology.keep)
        for touchpoint in old:
            component.remember(touchpoint)
        kept = _without(kept, old)
        component.drop_variants(held.keys() - kept.keys(), held)
        header = component.header()
        young = [touchpoint.occurred_at for touchpoint in _touchpoints(kept) if touchpoint.occurred_at >= horizon]
        header.condense_at = min(young) + journeys.topology.retention_ms + 1 if young else None
        component.put_header(header)
        return list(kept.values())

    def _excess(self, component: Component, kept: Mapping[str, Variant], per_day: int) -> list[Touchpoint]:
        """Too many of the same identifiers on one day: what is behind the last that counts. From now on the rest is turned away at the door."""
        excess: list[Touchpoint] = []
        if len(kept) > per_day:
            anchors = {id(variant.touchpoint): variant.index for variant in kept.values()}
            for last, *rest in surplus(_touchpoints(kept), per_day):
                excess += rest
                for touchpoint in rest:
                    component.remember(touchpoint)
                self._crowds.append(Crowd(last.identifiers[anchors[id(last)]], group_name(last), last, rest[0]))
        self.left_out += len(excess)
        return excess

    # -- people ----------------------------------------------------------------------------------------------------------------
    def _tell(self, component: Component, journeys: Journeys, variants: list[Variant]) -> Told:
        nodes = self._nodes
        rulings = tuple(standing(self._rulings.values()).values())
        anchors = {v.touchpoint.identifiers[v.index] for v in variants}
        likenesses = NO_LIKENESSES
        if journeys.alike is not None:
            component.sweep()
            likenesses = component.likenesses()
        edges = (edge for _, edge in component.rows("e"))
        accept = 0.0 if journeys.alike is None else journeys.alike.accept
        held = [v.touchpoint for v in variants]
        evidence = evidence_of(nodes, edges, rulings, anchors, likenesses, accept, held)
        people = resolve(evidence, journeys.limits)
        strength = journeys.ordering.strength
        members: dict[str, frozenset[str]] = {}
        customer_ids: dict[str, str] = {}
        cores: dict[str, frozenset[str]] = {}
        for group in people.groups:
            oldest = min(group, key=lambda x: (counts_since(nodes[x]), strength(x)))
            customer_id = customer_id_of(journeys.ordering, oldest, is_nobody=oldest in people.nobody, epoch=nodes[oldest].until)
            members[customer_id] = group
            customer_ids.update(dict.fromkeys(group, customer_id))
            if oldest in people.surely:
                cores[customer_id] = people.surely[oldest]
        owned: dict[str, list[Owned]] = defaultdict(list)
        for variant in variants:
            by = self._owner(variant, people, customer_ids)
            owner = customer_ids.get(by)
            if owner is not None:
                owned[owner].append((variant.touchpoint, by))
        return Told(people, members, customer_ids, owned, rulings, cores, likenesses)

    def _owner(self, variant: Variant, people: People, customer_ids: Mapping[str, str]) -> str:
        """The first identifier from the anchor on that belongs to somebody, and did then; else the anchor."""
        usable = variant.touchpoint.identifiers[variant.index :]
        for x in usable:
            if x in customer_ids and x not in people.nobody and variant.touchpoint.occurred_at > epoch_of(self._nodes[x]):
                return x
        return usable[0]

    @staticmethod
    def _people(component: Component, told: Told, speaker: Speaker) -> tuple[Before, After]:
        """The people who were published, and those who are; what belongs to nobody is left out, and who was forgotten."""
        before = {
            name[1:]: Was(said.origin, frozenset(said.members))
            for name, said in component.rows("c")
            if said.status == "active" and not said.is_nobody and not speaker.is_erased(component, said)
        }
        return before, {c: group for c, group in told.members.items() if not group & told.people.nobody.keys()}

    def _write_nodes(self, component: Component, told: Told, variants: list[Variant], log: ChangeLog) -> None:
        anchors = {v.touchpoint.identifiers[v.index] for v in variants}
        full: dict[str, dict[str, tuple[int, str, str]]] = defaultdict(dict)
        for crowd in self._crowds:
            full[crowd.anchor][crowd.group] = place(crowd.last)
        words: dict[str, str] | None = None
        for x, node in self._nodes.items():
            if x in full:
                self._say_full(x, node, told, log)
                node.full = dict(sorted((node.full | full[x]).items(), key=lambda item: item[1])[-FULL_DAYS:])
                component.put_node(x, node)
            refused = told.people.nobody.get(x)
            limited = refused or told.people.refused.get(x)
            now = (told.customer_ids.get(x), refused, x in anchors, limited)
            if now != (node.customer_id, node.refused, node.is_anchor, node.reported):
                if now[0] is not None:
                    others = {told.customer_ids[y] for y in told.people.met.get(x, ())} - {now[0]}
                    if words is None and limited != node.reported:
                        words = last_words(v.touchpoint for v in variants)
                    log.share(
                        x,
                        now[0],
                        tuple(sorted(others)),
                        node.reported,
                        limited,
                        (words or {}).get(x),
                        self._ruled(x, now[0], limited, told),
                    )
                node.customer_id, node.refused, node.is_anchor, node.reported = now
                component.put_node(x, node)

    def _ruled(self, x: str, customer_id: str, reason: str | None, told: Told) -> str | None:
        """The command because of which an identifier is shared, or not any more."""
        if reason in (APART, REFUSED_APART):
            met = [told.members[told.customer_ids[y]] for y in told.people.met.get(x, ())]
            return command_between([{x}, *met] if reason == REFUSED_APART else met, (r for r in told.standing if not joins(r.action)))
        if reason is None:
            return command_between([{x}, told.members[customer_id] - {x}], (r for r in told.standing if joins(r.action)))
        return None

    def _write_rulings(self, component: Component, told: Told, log: ChangeLog) -> None:
        """Joins that are in vain are said once, with the rule that forbids them."""
        holding = {id(ruling) for ruling in told.standing}
        for name, ruling in self._rulings.items():
            reason = told.people.unjoined.get(frozenset(ruling.pair)) if id(ruling) in holding and joins(ruling.action) else None
            if reason != ruling.reported:
                if reason is not None:
                    x, y = ruling.pair
                    log.refuse(ruling.pair, (told.customer_ids[x], told.customer_ids[y]), reason, ruling.command)
                ruling.reported = reason
                component.put(name, ruling)

    def _say_full(self, anchor: str, node: Node, told: Told, log: ChangeLog) -> None:
        for crowd in self._crowds:
            if crowd.anchor == anchor and crowd.group not in node.full:
                owner = told.customer_ids.get(anchor, "")
                log.values |= crowd.last.named
                log.limits[owner, "touchpoints_per_day", crowd.last.identifiers] = crowd.first_out.key

    # -- journeys ----------------------------------------------------------------------------------------------------------------
    def _fold(
        self, component: Component, journeys: Journeys, told: Told, as_of: int, speaker: Speaker, why: dict[str, str], log: ChangeLog
    ) -> list[str]:
        """Retract what was said of people who are no more, then fold again whoever changed."""
        speaker.withdrawn.clear()
        horizon = as_of - journeys.topology.retention_ms
        book = component.rows("m") + (component.rows("o") if journeys.asking else [])
        repeat = self.heard.union(customer_of(name) for name, said in book if said.must_repeat)
        touched, retold, erased = list[str](), list[Retold](), list[str]()
        said = {customer_of(name) for name, _ in book} | {name[1:] for name, _ in component.rows("c")}
        for customer_id in sorted(said - told.members.keys()):
            said_of: SaidCustomer | None = component.get("c" + customer_id)
            is_erased = said_of is not None and speaker.is_erased(component, said_of)
            cause = ERASURE if is_erased else why.get(customer_id, "merge")
            erased += [customer_id] if is_erased else []
            stated = speaker.correct_moments(component, customer_id, {}, horizon, cause)
            retold.append(Retold(customer_id, None, {}, stated, cause))
            touched.append(customer_id)
        for customer_id, group in told.members.items():
            touchpoints = told.touchpoints(customer_id)
            core = told.cores.get(customer_id, frozenset())
            surely = told.touchpoints(customer_id, core) if core else []
            person = component.person(customer_id)
            if (
                not self.everyone
                and person is not None
                and customer_id not in repeat
                and person.members.keys() == group
                and (person.core, person.surely) == (sorted(core), fingerprint(surely))
                and person.owned == fingerprint(touchpoints)
                and (person.next_at is None or person.next_at > as_of)
            ):
                if component.get("c" + customer_id) is None:
                    touched.append(customer_id)  # was passing when it was folded, and may be somebody now
                continue
            is_nobody = not group.isdisjoint(told.people.nobody)
            before = 0 if person is None else person.left_out
            person, truth = refold(journeys, customer_id, group, touchpoints, as_of, is_nobody=is_nobody, core=core, surely=surely)
            component.put_person(customer_id, person)
            log.note_room(customer_id, before, person)
            cause = why.get(customer_id, "late" if all(self._nodes[x].until is None for x in group) else ERASURE)
            stated = speaker.correct_moments(component, customer_id, truth, horizon, cause)
            retold.append(Retold(customer_id, person, truth, stated, cause))
            touched.append(customer_id)
        speaker.correct_outputs(component, retold, horizon)
        for customer_id in erased:
            for name, row in component.rows(f"m{customer_id}/") + component.rows(f"o{customer_id}/"):
                if row.content.touchpoints:
                    component.put(name, redacted(row))
        for name, _ in component.rows("p"):
            if name[1:] not in told.members:
                component.delete(name)
        if journeys.recycled:
            persons = {name[1:]: person for name, person in component.rows("p")}
            for customer_id in tell(persons, told.people.nobody):
                component.put_person(customer_id, persons[customer_id])
                touched.append(customer_id)
        return touched + [name[1:] for name, row in component.rows("c") if row.must_repeat]

    def _note_conflicts(self, component: Component, told: Told, log: ChangeLog) -> None:
        """Two different statements under one key inside one person: say so once."""
        rows: dict[str, list[Held]] = defaultdict(list)
        for name, held in component.rows("t"):
            rows[key_row(name)].append(held)
        for name, under in rows.items():
            if any(held.is_reported for held in under) or not any(held.has_others or _is_contested(held) for held in under):
                continue
            statements: dict[str, set[str]] = defaultdict(set)
            for variant in (held.variant for held in under if held.variant is not None):
                owner = told.customer_ids.get(self._owner(variant, told.people, told.customer_ids))
                if owner is not None:
                    statements[owner] |= {variant.touchpoint.content, "contested"} if variant.is_contested else {variant.touchpoint.content}
            for customer_id in sorted(owner for owner, contents in statements.items() if len(contents) > 1):
                log.conflicts[customer_id, name.partition("/")[2]] = None
                component.mark_reported(name)


def _touchpoints(kept: Mapping[str, Variant]) -> Iterator[Touchpoint]:
    return (variant.touchpoint for variant in kept.values())


def _without(kept: dict[str, Variant], some: list[Touchpoint]) -> dict[str, Variant]:
    gone = set(map(id, some))
    return {name: variant for name, variant in kept.items() if id(variant.touchpoint) not in gone} if gone else kept


def _is_contested(held: Held) -> bool:
    return held.variant is not None and held.variant.is_contested

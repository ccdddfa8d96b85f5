"""Stage 3: one component at a time, what its people do; absorb, transfer, add, resolve, fold, publish.

The newest touchpoint of a person takes the short way (`_follow`): one step of the fold, a few rows. Everything else is noted and done
once for all of it before the commit (`settle`), so that a component that is growing together says only what it is in the end.
"""

from collections.abc import Callable

from touchstone.journey.census import Census, census
from touchstone.journey.changes import ChangeLog
from touchstone.journey.component import Component, effective
from touchstone.journey.consent import decisions, listen
from touchstone.journey.fold import advance, step
from touchstone.journey.golden import observe, sighting_number
from touchstone.journey.policy import Journeys
from touchstone.journey.recycled import changes_hands
from touchstone.journey.retention import day_of, group_name, place
from touchstone.journey.settle import Settlement
from touchstone.journey.speaker import Speaker
from touchstone.model.component import NEVER, Edge, Node, Person, Request
from touchstone.model.erasure import ForgottenTable
from touchstone.model.identifier import tenant_of
from touchstone.model.journey import Draft
from touchstone.model.message import (
    Absorb,
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
    Compress,
    IdentityMessage,
    JourneyMessage,
    Piece,
    Recall,
    Scrub,
)
from touchstone.model.touchpoint import Touchpoint
from touchstone.state.store import Store

Send = Callable[[IdentityMessage | JourneyMessage], None]
TIMERS_AT_ONCE = 1000
_LAST = (1 << 62, "", "")


class JourneyPartition:
    """The journey stage of one partition. Its rows are its only memory between transactions."""

    def __init__(self, store: Store, journeys: Journeys, forgotten: ForgottenTable | None = None) -> None:
        """`forgotten`: what all workers know to be forgotten; whoever fills it says so (`look_for`)."""
        self._store = store
        self._forgotten = ForgottenTable() if forgotten is None else forgotten
        self._looked_for = {x for x, fact in self._forgotten.items() if fact.is_generic}
        self._journeys = journeys
        self._clock = NEVER
        self._stale: dict[str, Settlement] = {}
        self._touched: dict[tuple[str, str], None] = {}
        self._changed: dict[str, ChangeLog] = {}
        self.duplicates = 0
        self.left_out = 0

    # -- messages ------------------------------------------------------------------------------------------------------------
    def handle(self, message: JourneyMessage, send: Send, speaker: Speaker) -> None:
        """Take one message in; what follows at once goes to `send` and `speaker`, the rest waits for `settle`."""
        if isinstance(message, Scrub):
            self._store.scrub(message.to)
            return
        component = Component(self._store, message.to)
        redirect = component.header().redirect
        if redirect is not None:
            self._forward(message, redirect, send)
        elif isinstance(message, AddTouchpoint):
            self._touchpoint(component, message, send, speaker)
        elif isinstance(message, Absorb):
            self._leave(component, message, send)
        elif self._learn(component, message):
            self._note(message.to)

    def _forward(self, message: JourneyMessage, redirect: str, send: Send) -> None:
        if isinstance(message, Absorb):
            return
        if isinstance(message, AddTouchpoint):
            send(AddTouchpoint(redirect, message.index, message.touchpoint))
            send(Compress(message.touchpoint.identifiers[message.index], redirect))
            return
        match message:
            case AddSeen(_, identifier, since, value, last):
                send(AddSeen(redirect, identifier, since, value, last))
                send(Compress(identifier, redirect))
            case AddEdge(_, weak, strong, first, last):
                send(AddEdge(redirect, weak, strong, first, last))
            case AddLikeness(_, likeness, records):
                send(AddLikeness(redirect, likeness, records))
            case AddClosed(_, block):
                send(AddClosed(redirect, block))
            case AddDropped(_, identifier, record, until):
                send(AddDropped(redirect, identifier, record, until))
            case AddRuling(_, ruling):
                send(AddRuling(redirect, ruling))
            case AddGeneric(_, identifier):
                send(AddGeneric(redirect, identifier))
            case AddRequest(_, identifier, until, command):
                send(AddRequest(redirect, identifier, until, command))
            case AddForgotten(_, identifier, until):
                send(AddForgotten(redirect, identifier, until))
            case Piece(_, source, number, total, as_of, rows):
                send(Piece(redirect, source, number, total, as_of, rows))
            case Recall(_, customer_id, number, not_before, rows):
                send(Recall(redirect, customer_id, number, not_before, rows))

    def _learn(self, component: Component, message: JourneyMessage) -> bool:
        """Evidence of any other kind. True when people may have changed."""
        match message:
            case AddSeen(_, identifier, since, value, last):
                return component.add_seen(identifier, since, value, last)
            case AddEdge(_, weak, strong, first, last):
                return component.add_edge(Edge(weak, strong, first, last))
            case AddLikeness(_, likeness, records):
                return component.add_likeness(likeness, records)
            case AddClosed(_, block):
                return component.add_closed(block)
            case AddDropped(_, identifier, record, until):
                is_news = component.add_dropped(identifier, record, until)
                if is_news:  # old bytes may lie wherever the component has been
                    self._note(component.root).is_scrubbed = True
                return is_news
            case AddRuling(_, ruling):
                if not component.add_ruling(ruling):
                    return False
                if ruling.undone_by is not None:
                    self._note(component.root).undone.add(ruling.command)
                return True
            case AddGeneric(_, identifier):
                return component.add_generic(identifier)
            case AddRequest(_, identifier, until, command):
                return component.add_request(identifier, Request(until, command))
            case AddForgotten(_, identifier, until):
                return component.add_forgotten(identifier, until)
            case Piece():
                before = effective(component.header(), self._clock)
                heard = component.stage(message)
                if heard is None:
                    return False
                settlement = self._note(component.root)
                settlement.heard |= heard
                settlement.everyone |= effective(component.header(), self._clock) > before
                self._hear(component)
                return True
            case Recall():
                component.add_recall(message)
                if not self._hear(component):
                    self._rewind(component)
        return False

    def _hear(self, component: Component) -> bool:
        """Take note of what had been said before a loss of state, where its time has come."""
        concerned = component.hear_recalled(effective(component.header(), self._clock))
        if concerned:
            self._note(component.root).heard |= concerned
        return bool(concerned)

    def _leave(self, component: Component, message: Absorb, send: Send) -> None:
        self._stale.pop(component.root, None)
        for piece in component.leave_for(message.into, self._clock):
            send(piece)

    def _note(self, root: str) -> Settlement:
        settlement = self._stale.get(root)
        if settlement is None:
            settlement = self._stale[root] = Settlement()
        return settlement

    # -- touchpoints ---------------------------------------------------------------------------------------------------------
    def _touchpoint(self, component: Component, message: AddTouchpoint, send: Send, speaker: Speaker) -> None:
        touchpoint, index = message.touchpoint, message.index
        node = component.node(touchpoint.identifiers[index])
        if node is not None and node.is_generic and index + 1 < len(touchpoint.identifiers):
            send(Arrive(touchpoint.identifiers[index + 1], index + 1, touchpoint))
            return
        if node is not None and node.full and place(touchpoint) > node.full.get(group_name(touchpoint), _LAST):
            self.left_out += 1
            component.remember(touchpoint)
            return
        news = component.add_variant(index, touchpoint)
        if component.header().has_erased or (self._forgotten and any(x in self._forgotten for x in touchpoint.identifiers)):
            self._note(component.root)
        if news == "known":
            self.duplicates += 1
            return
        if news == "new" and component.root not in self._stale and self._follow(component, node, touchpoint, index, speaker):
            return
        settlement = self._note(component.root)
        settlement.trigger = touchpoint.key
        settlement.everyone |= news == "changed"

    def _follow(self, component: Component, anchor: Node | None, touchpoint: Touchpoint, index: int, speaker: Speaker) -> bool:
        """The short way: the newest touchpoint of a person who stays who she is. False when it is not that simple."""
        header = component.header()
        if anchor is None or anchor.since is None or header.has_erased:
            return False
        now = effective(header, self._clock)
        customer_id = self._owner(component, anchor, touchpoint, index)
        person = component.person(customer_id) if customer_id else None
        if customer_id is None or person is None or person.core or touchpoint.occurred_at <= person.fired:
            return False
        if (person.newest is not None and touchpoint.order <= person.newest) or touchpoint.occurred_at < now - self._retention:
            return False
        if not anchor.is_anchor and not self._becomes_anchor(component, anchor, touchpoint.identifiers[index]):
            return False
        recycled = self._journeys.recycled
        if recycled and changes_hands(person, touchpoint, recycled):
            return False
        day = day_of(touchpoint)
        number = person.pace[1] + 1 if day == person.pace[0] else 1
        if day < person.pace[0] or number > self._journeys.per_day:
            return False
        drafts: list[tuple[str, Draft]] = []
        for journey in self._journeys.compiled:
            state = person.states[journey.name]
            moved = advance(state, journey, touchpoint.occurred_at - 1) + step(state, journey, touchpoint) + advance(state, journey, now)
            drafts += [(journey.name, draft) for draft in moved]
        left_out, decided = person.left_out, decisions(person)
        observe(person, touchpoint, self._journeys.room, self._journeys.attributes, self._journeys.recycled)
        listen(person, touchpoint, self._journeys.consents, self._journeys.room)
        if person.left_out > left_out:
            self._changed.setdefault(component.root, ChangeLog()).note_room(customer_id, left_out, person)
        person.pace = day, number
        person.owned = (person.owned[0] + 1, person.owned[1] ^ sighting_number(touchpoint))
        self._say(component, customer_id, person, drafts, speaker, now)
        if decided != decisions(person):
            speaker.ask_again(component, customer_id, person, now - self._retention)
        self._wake(component, person.next_at, touchpoint.occurred_at + self._retention + 1)
        return True

    def _owner(self, component: Component, anchor: Node, touchpoint: Touchpoint, index: int) -> str | None:
        """The customer id of the person whose touchpoint this is: of the first identifier that belongs to somebody, else the anchor's."""
        if anchor.refused is None:
            return anchor.customer_id
        for x in touchpoint.identifiers[index + 1 :]:
            node = component.node(x)
            if node is not None and node.since is not None and not node.is_generic and node.refused is None:
                return node.customer_id
        return anchor.customer_id

    def _becomes_anchor(self, component: Component, node: Node, identifier: str) -> bool:
        """Let an identifier hold its first touchpoint, which counts as one more merge. False where the limit of merges may be in reach."""
        if sum(other.is_anchor for _, other in component.rows("n")) >= self._journeys.limits.merges_per_person:
            return False
        node.is_anchor = True
        component.put_node(identifier, node)
        return True

    def _say(
        self, component: Component, customer_id: str, person: Person, drafts: list[tuple[str, Draft]], speaker: Speaker, now: int
    ) -> None:
        """After steps of the fold: their moments, the person's row, and a customer record before the commit."""
        for name, draft in drafts:
            if draft.deadline is not None:
                person.fired = max(person.fired, draft.deadline)
            speaker.add_moment(component, customer_id, person, name, draft)
        person.next_at = self._journeys.look_ahead(person, now)
        component.put_person(customer_id, person)
        self._touched[component.root, customer_id] = None

    # -- time ----------------------------------------------------------------------------------------------------------------
    def advance(self, now: int, speaker: Speaker) -> None:
        """The clock of this partition has reached `now`: every silence that is long enough by now speaks. It never goes back."""
        self._clock = max(self._clock, now)
        while due := self._store.due(self._clock, TIMERS_AT_ONCE):
            for at, root in due:
                self._store.clear_timer(at, root)
                self._ring(Component(self._store, root), at, speaker)

    def _ring(self, component: Component, at: int, speaker: Speaker) -> None:
        header = component.header()
        if header.timer != at:
            return
        header.timer = None
        component.put_header(header)
        if header.condense_at is not None and header.condense_at <= self._clock:
            self._note(component.root)
        self._hear(component)
        if component.root in self._stale:
            return  # settle folds anew and sets the timer
        now = effective(header, self._clock)
        due = [(name, person) for name, person in component.rows("p") if person.next_at is not None and person.next_at <= now]
        if any(person.core for _, person in due):
            self._note(component.root)  # which of her moments are provisional is told anew
            return
        for name, person in due:
            drafts = [(j.name, draft) for j in self._journeys.compiled for draft in advance(person.states[j.name], j, now)]
            self._say(component, name[1:], person, drafts, speaker, now)
        self._rewind(component)

    def _rewind(self, component: Component) -> None:
        """Set the timer of a component to the earliest time at which something is due."""
        header = component.header()
        times = [person.next_at for _, person in component.rows("p") if person.next_at is not None]
        times += [at for at in (header.condense_at, header.hears_at) if at is not None]
        at = min(times, default=None)
        if at != header.timer:
            if header.timer is not None:
                self._store.clear_timer(header.timer, component.root)
            if at is not None:
                self._store.set_timer(at, component.root)
            header.timer = at
            component.put_header(header)

    def _wake(self, component: Component, next_at: int | None, condense_at: int) -> None:
        """After the short way: the timer only ever moves forward here; ringing too early is harmless and rare."""
        header = component.header()
        earlier = [at for at in (next_at, condense_at) if at is not None and (header.timer is None or at < header.timer)]
        if header.condense_at is None or condense_at < header.condense_at:
            header.condense_at = condense_at
        elif not earlier:
            return
        if earlier:
            if header.timer is not None:
                self._store.clear_timer(header.timer, component.root)
            header.timer = min(earlier)
            self._store.set_timer(header.timer, component.root)
        component.put_header(header)

    @property
    def census(self) -> Census:
        """How many customers stand where, as it is now."""
        return census(self._store)

    # -- what is forgotten -----------------------------------------------------------------------------------------------------
    def look_for(self, identifier: str) -> None:
        """An identifier that belongs to nobody was forgotten: touchpoints that name it may lie in any component."""
        self._looked_for.add(identifier)

    def _look(self) -> None:
        if not self._looked_for:
            return
        wanted, self._looked_for = self._looked_for, set()
        for root in self._store.groups():
            component = Component(self._store, root)
            named = (v.touchpoint.identifiers for _, held in component.rows("t") if (v := held.variant) is not None)
            if any(not wanted.isdisjoint(identifiers) for identifiers in named):
                self._note(root)

    # -- before the commit ---------------------------------------------------------------------------------------------------
    def settle(self, send: Send, speaker: Speaker) -> bool:
        """Do what was put off. True when there was something to do; call again until there is not."""
        self._look()
        stale, self._stale = self._stale, {}
        for root, settlement in stale.items():
            component = Component(self._store, root)
            log = self._changed.setdefault(root, ChangeLog())
            touched = settlement.run(component, self._journeys, self._clock, send, speaker, log, self._forgotten)
            self.left_out += settlement.left_out
            self._touched.update(dict.fromkeys((root, customer_id) for customer_id in touched))
            self._rewind(component)
        return bool(stale)

    def conclude(self, speaker: Speaker) -> None:
        """Last before the commit: what changed about who is who, and one record for each customer that changed in this transaction."""
        changed, self._changed = self._changed, {}
        for root, log in changed.items():
            component = Component(self._store, root)
            is_here = component.header().redirect is None
            for change, trigger in log.changes(is_here=is_here):
                speaker.say_change(change, tenant_of(root), trigger, log.values)
            for pair, doubt in log.doubts.items() if is_here else ():
                speaker.say_doubt(component, pair, doubt)
        touched, self._touched = self._touched, {}
        for root, customer_id in touched:
            component = Component(self._store, root)
            if component.header().redirect is None:
                speaker.say_customer(component, customer_id, component.person(customer_id), tenant_of(root))

    @property
    def _retention(self) -> int:
        return self._journeys.topology.retention_ms

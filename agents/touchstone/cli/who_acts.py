"""What happens in the demo of who is who: 750 people, likeness, doubt, certainty, and a steward's split; every promise awaited as it is told."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec
from rich.text import Text

from touchstone.cli.explain import tell_why
from touchstone.cli.lines import line
from touchstone.cli.output import Output
from touchstone.cli.steward import Desk, Wish, to_json
from touchstone.devkit.audience import Audience
from touchstone.devkit.encounters import Encounters, Told
from touchstone.devkit.live import LiveSystem
from touchstone.devkit.stories import received_at
from touchstone.model.command import SPLIT
from touchstone.model.output import Customer, Moment, Review
from touchstone.stewardship.giving import give

_PATIENCE_S = 60.0
_Kind = TypeVar("_Kind", Moment, Review)
Ids = frozenset[tuple[str, str]]


class Recognised(NamedTuple):
    """How the first act went: people found, of whom so many with exactly their ids; `seconds` from the first touchpoint until it was said."""

    people: int
    exactly: int
    seconds: float


class Split(NamedTuple):
    """What the steward's command came to: as a line for the twin, moments taken back because of it, and whether what was shown was said."""

    command: bytes
    taken_back: int
    is_as_shown: bool


def recognised(customers: Sequence[Customer], expected: Sequence[Ids], seconds: float) -> Recognised:
    """Hold the people who were found against those who are. Pure."""
    found = [
        frozenset((row["kind"], row["value"]) for row in customer.identifiers) for customer in customers if customer.status == "active"
    ]
    return Recognised(len(found), len(set(found) & set(expected)), seconds)


class WhoActs:
    """Tells the stories to a live system, one after the other, and shows what it says."""

    def __init__(self, system: LiveSystem, audience: Audience, stories: Encounters, output: Output) -> None:
        self._system, self._audience, self._stories, self._output = system, audience, stories, output
        self._desk = Desk(system.topology, system.app, output)

    async def people(self) -> Recognised:
        """The devices of 750 people, in any order.

        Raises:
            Unavailable: a worker ended by itself, or nothing moves.
        """
        crowd = self._stories.crowd
        self._headline(f"{len(self._stories.people)} people with four ids each")
        self._tell(
            f"A user name, an iPhone, an Android phone and a browser each; {len(crowd):,} touchpoints of their devices, in random order, of which "
            "each shows one id or two:"
        )
        began = time.monotonic()
        await self._system.send(crowd)
        await self._system.until_quiet(max(at for each in crowd if (at := received_at(each)) is not None))
        seconds = time.monotonic() - began
        said = await self._system.records([self._system.topology.topics.customers])
        last: dict[str, Customer] = {}
        for record in said:
            if isinstance(record, Customer) and (record.customer_id not in last or record.revision > last[record.customer_id].revision):
                last[record.customer_id] = record
        found = recognised(list(last.values()), [frozenset(member.pairs) for member in self._stories.people], seconds)
        mark = ("✓ ", "bold green") if found.exactly == found.people == len(self._stories.people) else ("✗ ", "bold red")
        self._say(
            Text.assemble("  ", mark, f"{found.people} people after {seconds:.1f} s, {found.exactly} of them with exactly their four ids")
        )
        return found

    async def likeness(self) -> None:
        """Somebody who calls is the customer of the web shop, as far as likeness can say.

        Raises:
            Unavailable: what must come did not come.
        """
        stories = self._stories
        self._headline("Known again in other words")
        self._tell("Augusta Lovelace searches the web shop, signed in. Then a caller orders by phone; the agent writes “Lovlace”.")
        await self._system.send([stories.shopper.line])
        self._show(await self._heard(Moment, _is_caused_by(stories.shopper), "the moment of the web shop"))
        await self._system.send([stories.caller.line])
        likely = await self._heard(
            Moment, lambda moment: _is_caused_by(stories.caller)(moment) and moment.provisional, "a provisional moment of the caller"
        )
        self._show(likely)
        self._tell("The purchase is hers, provisionally. Why?")
        await self._why(stories.account, stories.phone)

    async def doubt(self) -> None:
        """Of a customer of the store only little is known: a steward is asked.

        Raises:
            Unavailable: what must come did not come.
        """
        stories = self._stories
        self._headline("A pair in doubt")
        self._tell("“A. Lovelace” buys in a store of the same town, with a card. That is not enough to be one; it waits on reviews.v1:")
        await self._system.send([stories.doubtful.line])
        pair = {stories.account, stories.card}
        self._show(
            await self._heard(Review, lambda review: review.status == "open" and _names(review) == pair, "an open review of the two")
        )

    async def certainty(self) -> None:
        """A login shows account and phone together: what was provisional is sure.

        Raises:
            Unavailable: what must come did not come.
        """
        stories = self._stories
        self._headline("What was provisional becomes sure")
        self._tell("The app is opened with the account and the phone number of the caller. The same moment again, without reserve:")
        await self._system.send([stories.login.line])
        self._show(
            await self._heard(
                Moment,
                lambda moment: _is_caused_by(stories.caller)(moment) and not moment.provisional and moment.corrects == "late",
                "that the moment is sure",
            )
        )
        await self._why(stories.account, stories.phone)

    async def split(self) -> Split:
        """Two brothers were taken for one; a steward sees what a split would do, and rules it.

        Raises:
            Unavailable: what must come did not come.
        """
        stories = self._stories
        self._headline("Two brothers and a steward")
        self._tell("John fills a cart on the web. On a tablet somebody orders; later John signs in there. One person, it seems:")
        *before, login = stories.brothers
        await self._system.send([told.line for told in before])
        for told in before:
            self._show(await self._heard(Moment, _is_caused_by(told), f"the moment that {told.name} causes"))
        await self._system.send([login.line])
        order = before[-1]
        for action in ("retract", "assert"):
            self._show(await self._heard(Moment, partial(_is_corrected, order, action, "merge"), "the order as John's"))
        self._tell("John calls: the tablet is his brother's, he only looked something up. The steward asks what a split would do:")
        wish = Wish("who-split", SPLIT, "ann", "two brothers, one tablet", (stories.tablet,), (stories.elder,))
        tried = await asyncio.to_thread(self._desk.try_live, wish, self._system.bootstrap)
        if not self._output.is_json:
            self._desk.tell(tried)
        self._tell("She says yes. What comes on the topics:")
        system = self._system
        seen = await give(tried.ruled, tried.effect, system.topology, system.app, system.bootstrap, _PATIENCE_S)
        for record in seen or ():
            self._say(Text.assemble("    ", line(record)))
        moments = [record for record in seen or () if isinstance(record, Moment)]
        taken_back = sum(moment.action == "retract" and moment.corrects == "split" for moment in moments)
        return Split(msgspec.json.encode(to_json(tried.ruled.command)), taken_back, seen is not None)

    async def _why(self, first: str, second: str) -> None:
        if self._output.is_json:
            return
        system = self._system
        await asyncio.to_thread(tell_why, [first, second], system.topology, system.app, system.bootstrap, self._output)

    async def _heard(self, kind: type[_Kind], is_wanted: Callable[[_Kind], bool], what: str) -> _Kind:
        record = await self._audience.until(kind, is_wanted, what)
        self._system.check_alive()
        return record

    def _headline(self, text: str) -> None:
        self._say()
        self._say(Text(text, style="bold"))

    def _tell(self, text: str) -> None:
        self._say(Text(f"  {text}"))

    def _show(self, record: Moment | Review) -> None:
        self._say(Text.assemble("    ", line(record)))

    def _say(self, text: Text | str = "") -> None:
        self._output.text(text)


def _is_caused_by(told: Told) -> Callable[[Moment], bool]:
    return lambda moment: told.name in moment.touchpoints and moment.action == "assert"


def _is_corrected(told: Told, action: str, cause: str, moment: Moment) -> bool:
    return told.name in moment.touchpoints and moment.action == action and moment.corrects == cause


def _names(review: Review) -> set[str]:
    return {f"{each['kind']}:{each['value']}" for each in review.identifiers}

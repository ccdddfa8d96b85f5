"""What happens in the demo: a crowd of real touchpoints with a worker killed among them, then two stories."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from rich.text import Text

from touchstone.app import channel_topics
from touchstone.cli.lines import line
from touchstone.cli.stage import Scene, Stage
from touchstone.devkit.audience import Audience
from touchstone.devkit.live import LiveSystem
from touchstone.devkit.stories import Stories, Story
from touchstone.errors import Unavailable
from touchstone.model.output import Moment
from touchstone.runtime.lookout import Lookout, Sight

_POLL_S = 0.1
_KILL_AT = 0.35
"""So much of the crowd is read when a worker is killed."""
_PATIENCE_S = 300.0
_PACE_S = 3.0
"""Long enough to hold several commits of each worker, short enough to show that one is dead."""


class Crowd(NamedTuple):
    """How the first act went.

    `unread` and `undecided` were open when the worker was killed; `pause_s` passed until another had its work; `rate` is touchpoints a
    second while both worked, up to the kill.
    """

    victim: str
    unread: int
    undecided: int
    pause_s: float
    seconds: float
    rate: float


class Pace:
    """How many touchpoints a second are read just now: over the last seconds, not since the beginning. Pure."""

    def __init__(self, began: float) -> None:
        self._seen = deque([(began, 0)])

    def now(self, at: float, read: int) -> float:
        """The pace at this time, at which so many had been read in all."""
        self._seen.append((at, read))
        while len(self._seen) > 2 and self._seen[1][0] <= at - _PACE_S:
            self._seen.popleft()
        since, before = self._seen[0]
        return (read - before) / max(0.1, at - since)


class CrowdAct:
    """Sends real touchpoints, kills a worker on the way, and waits until all of them are read."""

    def __init__(self, system: LiveSystem, lines: Sequence[bytes], stage: Stage) -> None:
        self._system, self._lines, self._stage = system, lines, stage
        self._channels = channel_topics(system.topology)
        self._began = time.monotonic()
        self._pace = Pace(self._began)

    async def perform(self, victim: str, at_kill: Callable[[], None]) -> Crowd:
        """Do all of it; `at_kill` is called when the worker is dead and nothing but waiting is to be done.

        Raises:
            Unavailable: a worker ended by itself, or nothing moves.
        """
        self._began = time.monotonic()
        self._pace = Pace(self._began)
        sending = asyncio.create_task(self._system.send(self._lines))
        try:
            async with self._system.lookout() as lookout:
                await self._until(lookout, lambda sight: self._is_time(sight, sending))
                self._system.kill(victim)
                killed_at, at_death = time.monotonic(), await lookout.look()
                sent, read = at_death.there(self._channels), at_death.done(self._channels)
                self._stage.say(
                    Text.assemble(
                        ("✗ ", "bold red"),
                        f"worker {victim} is killed with -9: of {sent:,} touchpoints sent {read:,} are read and committed, {sent - read:,} are not; "
                        f"in {len(at_death.undecided)} partitions of all topics a transaction is open",
                    )
                )
                at_kill()
                pause_s = await self._pause(lookout, sending, at_death, killed_at, victim)
                self._system.start(victim)
                self._stage.say(f"  {victim} is started again; it keeps what it had on disk")
                await self._until(lookout, lambda sight: sending.done() and not sight.behind(self._channels))
            await sending
        finally:
            sending.cancel()
        seconds = time.monotonic() - self._began
        rate = read / (killed_at - self._began)
        return Crowd(victim, sent - read, len(at_death.undecided), pause_s, seconds, rate)

    def _is_time(self, sight: Sight, sending: "asyncio.Task[int]") -> bool:
        read = sight.done(self._channels)
        if sending.done() and read >= len(self._lines):
            sending.result()
            raise Unavailable("the touchpoints were read before a worker could be killed among them; run the demo again")
        return read >= _KILL_AT * len(self._lines) and sight.behind(self._channels) > 0

    async def _pause(self, lookout: Lookout, sending: "asyncio.Task[int]", at_death: Sight, killed_at: float, victim: str) -> float:
        """Wait until no partition stands still any more: what was committed there at the kill, and is behind, has moved."""
        before = {(lag.topic, lag.partition): lag.committed for lag in at_death.lags if lag.topic in self._channels}

        def still(sight: Sight) -> int:
            behind = [lag for lag in sight.lags if lag.topic in self._channels and lag.records]
            return len({lag.partition for lag in behind if lag.committed == before[lag.topic, lag.partition]})

        def note(sight: Sight) -> str:
            waiting = f"{still(sight)} of {self._system.topology.partitions} partitions wait"
            return f"{victim} dead for {int(time.monotonic() - killed_at)} s, {waiting}"

        await self._until(lookout, lambda sight: sending.done() and not still(sight), note)
        pause_s = time.monotonic() - killed_at
        self._stage.say(
            Text.assemble(
                ("✓ ", "bold green"),
                f"{pause_s:.1f} s later the other worker has taken over where the last transaction had ended (a session of "
                f"{self._system.session_timeout_s} s has to run out first)",
            )
        )
        return pause_s

    async def _until(self, lookout: Lookout, is_so: Callable[[Sight], bool], note: Callable[[Sight], str] = lambda _: "") -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            sight = await lookout.look()
            sent, read = sight.there(self._channels), sight.done(self._channels)
            self._stage.show(Scene(len(self._lines), sent, read, self._pace.now(time.monotonic(), read), note(sight)))
            if is_so(sight):
                return
            self._system.check_alive()
            if time.monotonic() > deadline:
                raise Unavailable(f"after {_PATIENCE_S:.0f} s {sight.behind(self._channels):,} touchpoints are still unread")
            await asyncio.sleep(_POLL_S)


class StoryAct:
    """Tells the two stories, and shows what Touchstone says at each turn, once it has been read by a `read_committed` reader."""

    def __init__(self, system: LiveSystem, audience: Audience, stage: Stage) -> None:
        self._system, self._audience, self._stage = system, audience, stage

    async def perform(self, stories: Stories) -> None:
        """Both stories.

        Raises:
            Unavailable: a moment that must come did not come.
        """
        self._headline("Two journeys turn out to be one")
        self._tell(
            "A visitor searches the web shop at 09:00 and fills a cart at 09:20. At 09:40 somebody orders by phone, with a loyalty card."
        )
        self._tell("Nobody can know yet that they are the same person. Touchstone speaks of two:")
        story = stories.known_at_once
        _, cart, order = await self._beginning(story)
        self._tell("At 10:30 the visitor logs in, and the login names the loyalty card. One person, one journey, one purchase:")
        await self._system.send([story.login])
        await self._made_good(order, cart, order)

        self._headline("A moment that turns out wrong is taken back")
        self._tell("The same with another visitor, but this one does not log in:")
        story = stories.known_too_late
        _, cart, order = await self._beginning(story)
        self._tell(
            "Three days pass. A stranger opens the app; for Touchstone it is 09:00 of the third day now, and 48 hours without a sign are over:"
        )
        await self._system.send([stories.bystander])
        wrong = await self._heard(
            lambda moment: moment.rule == "abandoned" and moment.customer_id == cart.customer_id, "that the cart was abandoned"
        )
        self._show(wrong)
        self._tell("A reminder would go out now, “you forgot something”, to somebody who has bought already. At 10:30 the visitor logs in:")
        await self._system.send([story.login])
        await self._made_good(wrong, cart, order)
        self._tell("Whoever listens and keeps the highest revision of each moment, stops the reminder and counts one purchase.")

    async def _beginning(self, story: Story) -> list[Moment]:
        await self._system.send(story.before)
        moments = [await self._heard(partial(_is_caused_by, name), f"the moment that {name} causes") for name in story.names]
        for moment in moments:
            self._show(moment)
        return moments

    async def _made_good(self, wrong: Moment, cart: Moment, order: Moment) -> None:
        """The wrong statement, and that the order was a stranger's, are taken back; the visitor's purchase is stated."""
        for moment_id in dict.fromkeys((wrong.moment_id, order.moment_id)):
            self._show(await self._heard(partial(_takes_back, moment_id), "that a moment is taken back"))
        self._show(
            await self._heard(
                lambda moment: moment.customer_id == cart.customer_id and moment.rule == order.rule and moment.action == "assert",
                "the purchase",
            )
        )

    async def _heard(self, is_wanted: Callable[[Moment], bool], what: str) -> Moment:
        moment = await self._audience.until(Moment, is_wanted, what)
        self._system.check_alive()
        return moment

    def _headline(self, text: str) -> None:
        self._stage.say()
        self._stage.say(Text(text, style="bold"))

    def _tell(self, text: str) -> None:
        self._stage.say(Text(f"  {text}"))

    def _show(self, moment: Moment) -> None:
        self._stage.say(Text.assemble("    ", line(moment)))


def _is_caused_by(touchpoint: str, moment: Moment) -> bool:
    return touchpoint in moment.touchpoints and moment.action == "assert"


def _takes_back(moment_id: str, moment: Moment) -> bool:
    return moment.moment_id == moment_id and moment.action == "retract"

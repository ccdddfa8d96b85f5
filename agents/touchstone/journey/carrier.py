"""The voice on outputs that ask for consent: says there what may be carried, and takes back what may not be any more.

Each of these outputs has a book of its own, with revisions of its own: whoever reads that topic alone keeps the highest revision of each
moment, and believes what is true *and* consented to. It is kept like the main one (speaker.py), compared with it after every change.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from touchstone.journey.book import drop_final, enter, said_under
from touchstone.journey.component import Component
from touchstone.journey.consent import allowed
from touchstone.journey.policy import Journeys
from touchstone.journey.publish import ASSERT, RETRACT, Statement, differences
from touchstone.model.component import Person, SaidMoment
from touchstone.model.output import Carried, Moment, MomentContent
from touchstone.topology.compile import Output

CONSENT_WITHDRAWN = "consent_withdrawn"
"""What a retraction corrects where the moment is still true and only may not be carried any more."""


@dataclass(frozen=True, slots=True)
class Retold:
    """A customer id whose moments were compared with the truth. `person`: None where nobody has the id any more. `stated`: what was just
    said of them for all to hear, by moment id; `cause`: why they were compared.
    """

    customer_id: str
    person: Person | None
    truth: Mapping[str, MomentContent]
    stated: Mapping[str, Moment] = field(default_factory=dict)
    cause: str | None = None


class Carrier:
    """Gives what is to be said to `carry`; tells `withhold` of each moment that was just published and that an output may not carry."""

    def __init__(self, journeys: Journeys, carry: Callable[[Carried], None], withhold: Callable[[Output], None]) -> None:
        self._policies, self._outputs = journeys.consents, journeys.asking
        self._carry = carry
        self._withhold = withhold

    def add(self, component: Component, customer_id: str, person: Person, content: MomentContent, moment: Moment, wall_ms: int) -> None:
        """A moment was found by one step of the fold and published."""
        if not self._outputs:
            return
        retold = Retold(customer_id, person, {moment.moment_id: content}, {moment.moment_id: moment})
        for output in self._outputs:
            prefix = place_on(output, customer_id)
            before = component.get(prefix + moment.moment_id)
            said = {} if before is None else {moment.moment_id: before}
            for statement in self._differences(output, retold, said, content.occurred_at):
                self._say(component, output, prefix, statement, moment.corrects, wall_ms)

    def correct(self, component: Component, everyone: Iterable[Retold], horizon: int, wall_ms: int) -> None:
        """Compare what was said of these customer ids with what may be carried now; final moments leave the book.

        A moment that is carried on by another id, whose owner does not consent, is taken back for that reason.
        """
        retold = list(everyone)
        for output in self._outputs:
            refused = {
                _what_happened(content)
                for one in retold
                for name, content in one.truth.items()
                if output.wants(content) and name not in allowed(output, one.person, one.truth, self._policies)
            }
            for one in retold:
                prefix = place_on(output, one.customer_id)
                for statement in self._differences(output, one, said_under(component, prefix), horizon):
                    if statement.action == RETRACT:
                        corrects = CONSENT_WITHDRAWN if _what_happened(statement.content) in refused else one.cause
                    else:
                        heard = one.stated.get(statement.moment_id)
                        corrects = None if heard is None else heard.corrects
                    self._say(component, output, prefix, statement, corrects, wall_ms)
                drop_final(component, prefix, horizon)

    def _differences(self, output: Output, retold: Retold, said: Mapping[str, SaidMoment], horizon: int) -> list[Statement]:
        carried = allowed(output, retold.person, retold.truth, self._policies)
        for moment_id, moment in retold.stated.items():
            if moment.action == ASSERT and output.wants(moment) and moment_id not in carried:
                self._withhold(output)
        return differences(said, carried, horizon)

    def _say(self, component: Component, output: Output, prefix: str, statement: Statement, corrects: str | None, wall_ms: int) -> None:
        self._carry(Carried(output.name, enter(component, prefix, statement, wall_ms, corrects)))


def _what_happened(content: MomentContent) -> tuple[str, str, tuple[str, ...]]:
    """What a moment states, whoever's it is."""
    return content.journey, content.rule, content.touchpoints


def place_on(output: Output, customer_id: str) -> str:
    """How the names of rows begin that hold what was said of a customer on an output."""
    return f"o{customer_id}/{output.name}/"

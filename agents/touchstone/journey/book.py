"""The book of what was said: read what was said of somebody, enter a statement, drop what is final."""

from touchstone.journey.component import Component
from touchstone.journey.publish import Statement, say
from touchstone.model.component import SaidMoment
from touchstone.model.output import Moment


def said_under(component: Component, prefix: str) -> dict[str, SaidMoment]:
    """What was said under names that begin so, by moment id."""
    return {name[len(prefix) :]: row for name, row in component.rows(prefix)}


def enter(component: Component, prefix: str, statement: Statement, wall_ms: int, corrects: str | None) -> Moment:
    """Put a statement into the book; returns the record to publish."""
    name = prefix + statement.moment_id
    moment, row = say(statement, component.get(name), wall_ms, corrects)
    component.put(name, row)
    return moment


def drop_final(component: Component, prefix: str, horizon: int) -> None:
    """Moments older than the horizon are final: nobody asserts or retracts them any more."""
    for name, row in component.rows(prefix):
        if row.content.occurred_at < horizon:
            component.delete(name)

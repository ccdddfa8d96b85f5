"""The census counts every active customer once in each journey, in the phase that was said of her."""

from collections import Counter
from dataclasses import replace

import pytest

from touchstone.journey.census import census, recount
from touchstone.journey.fold import DORMANT
from touchstone.journey.speaker import BEFORE_THE_FIRST
from touchstone.model.component import JOURNEY_ROWS, SaidCustomer
from touchstone.model.output import Customer
from touchstone.pipeline import OutputRecord
from touchstone.simulate import Twin
from touchstone.state.memory import DictBackend
from touchstone.state.rows import RowStore
from touchstone.testing.generator import generate
from touchstone.topology.load import default_topology_path, load_topology


def said(status: str, phase: str) -> SaidCustomer:
    """What was said of a customer who stands there."""
    return SaidCustomer(1, status, "digest", "origin", is_nobody=False, phases={"purchase": phase})


def store() -> RowStore:
    """An empty store."""
    return RowStore(DictBackend(), JOURNEY_ROWS, None)


@pytest.mark.parametrize("partitions", [1, 3])
def test_the_census_agrees_with_what_readers_of_the_customers_topic_believe(partitions: int) -> None:
    """Generated touchpoints with merges, splits, disorder and moves between partitions: per phase as many as the topic's active customers."""
    topology = replace(load_topology(default_topology_path()), partitions=partitions)
    last: dict[str, Customer] = {}

    def hear(record: OutputRecord) -> None:
        if isinstance(record, Customer):
            last[record.customer_id] = record

    twin = Twin(topology, hear, partitions=partitions)
    lines = list(generate(1_500, seed=5).lines)
    for start in range(0, len(lines), 50):
        twin.feed(lines[start : start + 50])
    twin.pipeline.sealed()
    twin.pipeline.committed()

    believed = Counter(_phase(customer) for customer in last.values() if customer.status == "active")
    counted = {phase: int(customers) for (_, phase), customers in twin.pipeline.customers().items() if customers}
    assert counted == dict(believed)
    assert len(believed) > 3, "the story was to fill several phases"
    assert any(customer.status != "active" for customer in last.values()), "the story was to have merges"


def _phase(customer: Customer) -> str:
    if not customer.journeys:
        return BEFORE_THE_FIRST
    (standing,) = customer.journeys
    return DORMANT if standing["dormant"] else str(standing["phase"])


def test_an_undone_transaction_is_not_counted() -> None:
    """The figures are part of the transaction: rolled back with it, durable with it."""
    kept = store()
    recount(kept, None, said("active", "interest"))
    kept.seal()
    kept.commit(1)

    recount(kept, said("active", "interest"), said("active", "decision"))
    changed = census(kept)
    kept.rollback()

    assert changed == {"purchase": {"decision": 1}}
    assert census(kept) == {"purchase": {"interest": 1}}


def test_a_restore_brings_the_figures_back() -> None:
    """They travel with the changelog."""
    kept, restored = store(), store()
    recount(kept, None, said("active", "interest"))

    restored.load(kept.seal(), 1)

    assert census(restored) == {"purchase": {"interest": 1}}


def test_who_is_merged_or_moves_away_is_counted_no_more() -> None:
    """Only active customers count; a phase without any vanishes."""
    kept = store()
    for _ in range(3):
        recount(kept, None, said("active", "interest"))

    recount(kept, said("active", "interest"), said("merged", "interest"))
    recount(kept, said("active", "interest"), None)
    after_two = census(kept)
    recount(kept, said("active", "interest"), said("retired", "interest"))

    assert after_two == {"purchase": {"interest": 1}}
    assert census(kept) == {"purchase": {}}


def test_rows_that_come_without_figures_are_counted_once() -> None:
    """After a change of the number of partitions the rows are addressed anew, and every partition counts its own."""
    kept = store()
    kept.put("ada", "cada", said("active", "interest"))
    kept.put("bob", "cbob", said("merged", "interest"))

    before = census(kept)
    recount(kept, said("active", "interest"), said("active", "use"))
    kept.put("ada", "cada", said("active", "use"))

    assert before == {"purchase": {"interest": 1}}
    assert census(kept) == {"purchase": {"use": 1}}

"""Two people side by side, as a steward sees them."""

from collections.abc import Mapping

import pytest

from touchstone.cli.breakdown import said_once
from touchstone.matching.model import default_model
from touchstone.matching.score import Scorer
from touchstone.model.component import JOURNEY_ROWS, Closed, Described, Likeness, SaidCustomer
from touchstone.pipeline import JOURNEY
from touchstone.simulate import Twin
from touchstone.state.memory import DictBackend
from touchstone.state.rows import RowStore
from touchstone.stewardship.comparison import compare_sides
from touchstone.topology.load import default_topology_path, load_topology

ADA, CARD = "default/email:ada@x.org", "default/loyalty_id:L7"
SCORER = Scorer(default_model())
OLD = {"given": "ada", "family": "lovelace", "city": "london"}
NEW = {"given": "ada", "family": "lovelace", "birth_date": "18151210", "city": "london"}
OTHER = {"given": "ida", "family": "lovelace", "birth_date": "18151211", "phone": "442079460958"}


def likeness(records: tuple[str, str], score: float, *blocks: str) -> Likeness:
    """Of the address and the card."""
    return Likeness(ADA, CARD, records, score, 5, blocks, (5, 5))


@pytest.fixture
def twin() -> Twin:
    """Two who look alike in one component: the address was described twice, the card once."""
    twin = Twin(load_topology(default_topology_path()), lambda _: None)
    store = twin.stores[0][JOURNEY] = RowStore(DictBackend(), JOURNEY_ROWS, None)
    rows: Mapping[str, object] = {
        "dold": Described(ADA, "old", OLD, 1),
        "dnew": Described(ADA, "new", NEW, 2),
        "dcard": Described(CARD, "card", OTHER, 3),
        "lold": likeness(("old", "card"), -3.0, "names"),
        "lnew": likeness(("new", "card"), 2.0, "names", "birth_year"),
        "knames": Closed(),
        "cada": SaidCustomer(1, "active", "", ADA, is_nobody=False, members=(ADA, "default/cookie:c1")),
    }
    for name, row in rows.items():
        store.put(ADA, name, row)
    return twin


def test_the_likeliest_pair_of_records_is_shown_with_what_each_attribute_says(twin: Twin) -> None:
    """The values of both, and the bits that the scorer gives them; what only one side says weighs nothing."""
    found = compare_sides(twin, ADA, CARD, SCORER)

    assert (found.one.values, found.other.values) == (NEW, OTHER)
    assert found.explanation is not None
    assert {each.feature: (each.left, each.right) for each in found.explanation.evidence} == {
        "given": ("ada", "ida"),
        "family": ("lovelace", "lovelace"),
        "birth_date": ("18151210", "18151211"),
    }
    assert said_once(found.explanation, NEW, OTHER) == [("city", "london", ""), ("phone", "", "442079460958")]
    assert (found.one.described, found.other.described) == (2, 1)


def test_whose_they_are_is_shown(twin: Twin) -> None:
    """The customer and her other identifiers; nobody's where nothing was said."""
    found = compare_sides(twin, ADA, CARD, SCORER)

    assert (found.one.customer_id, found.one.members) == ("ada", frozenset({ADA, "default/cookie:c1"}))
    assert (found.other.customer_id, found.other.members) == (None, frozenset[str]())


def test_the_sides_can_be_asked_for_in_either_order(twin: Twin) -> None:
    """The same comparison, mirrored."""
    one, other = compare_sides(twin, ADA, CARD, SCORER), compare_sides(twin, CARD, ADA, SCORER)

    assert (one.one, one.other) == (other.other, other.one)
    assert one.explanation is not None
    assert other.explanation is not None
    assert one.explanation.score == pytest.approx(other.explanation.score)


def test_a_likeness_counts_while_one_of_its_blocks_is_open(twin: Twin) -> None:
    """Closing the last one ends it."""
    assert compare_sides(twin, ADA, CARD, SCORER).is_open

    twin.stores[0][JOURNEY].put(ADA, "kbirth_year", Closed())

    assert not compare_sides(twin, ADA, CARD, SCORER).is_open


def test_what_counts_goes_before_what_was_likelier_in_a_closed_block(twin: Twin) -> None:
    """The pair of records is shown by which the review was scored."""
    twin.stores[0][JOURNEY].put(ADA, "lclosed", likeness(("old", "card"), 9.0, "names"))

    assert compare_sides(twin, ADA, CARD, SCORER).one.values == NEW


def test_a_record_that_is_gone_cannot_be_compared(twin: Twin) -> None:
    """After an erasure there are two sides, and nothing to weigh."""
    twin.stores[0][JOURNEY].delete(ADA, "dcard")

    found = compare_sides(twin, ADA, CARD, SCORER)

    assert found.explanation is None
    assert found.other.values == {}

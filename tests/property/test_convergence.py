"""Laws of convergence: people, moments and customers are a function of the set of facts, over the real stages and stores."""

from random import Random

from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st

from tests.property.histories import draw_history
from tests.property.law import check, live

# Histories are drawn from a number, which is ten times faster than to let hypothesis draw them; `explore --show` makes one smaller.
_TIMES = 5


@settings(max_examples=_TIMES * (settings.default or settings()).max_examples, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(number=st.integers(0, (1 << 48) - 1))
def test_every_order_of_arrival_ends_in_the_same_truth(number: int) -> None:
    """People, moments and customers depend on the set of facts only, for any arrival, interleaving, partitioning, replay and crash."""
    history = draw_history(Random(number))
    note(f"python -m tests.property.explore --show {number}")

    system = live(history)

    check(history, system)

"""Laws of convergence: people, moments and customers are a function of the set of facts, over the real stages and stores."""

from random import Random

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.property.histories import draw_history
from tests.property.law import check, live


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(random=st.randoms(use_true_random=False))
def test_every_order_of_arrival_ends_in_the_same_truth(random: Random) -> None:
    """People, moments and customers depend on the set of facts only, for any arrival, interleaving, partitioning, replay and crash."""
    history = draw_history(random)
    note(repr(history))

    system = live(history)

    check(history, system)

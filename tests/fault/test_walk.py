"""A short walk with a fixed seed on one broker, and one on three: the part of `make chaos` that runs in `make test`."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from tests.fault.walk import CATALOGUE, Bag, Walk

ONE_BROKER = (
    "kill",
    "kill-wipe",
    "at:commit.before_end",
    "at:deliver.after_absorb",
    "at:restore.while_reading",
    "restore-rebalance",
    "freeze-session",
    "cut",
    "broker-kill",
    "flipped-bytes",
    "ahead",
    "foreign-lock",
    "disk-full",
    "day-ahead",
    "poison",
    "large",
)
THREE_BROKERS = ("broker-kill", "controller-kill", "kill")


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_a_walk_on_one_broker_violates_nothing(tmp_path: Path) -> None:
    """Each of these faults once, in an order that the seed decides; everything that is promised is checked afterwards."""
    walk = Walk(20_261, tmp_path, words=ONE_BROKER, faults_a_round=len(ONE_BROKER), tell=print)

    report = asyncio.run(walk.run(1_000, rounds=1))

    assert report.violations == []
    assert report.faults.total() == len(ONE_BROKER)
    assert report.aborted > 0, "no fault fell into an open transaction"


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_a_walk_on_three_brokers_violates_nothing(tmp_path: Path) -> None:
    """One of three brokers dies, then the one that leads the others, while workers work on."""
    walk = Walk(20_262, tmp_path, nodes=3, words=THREE_BROKERS, faults_a_round=len(THREE_BROKERS), tell=print)

    report = asyncio.run(walk.run(600, rounds=1))

    assert report.violations == []
    assert set(report.faults) == {"broker killed and restarted", "active controller killed and restarted", "kill -9"}


def test_a_bag_gives_everything_before_it_repeats() -> None:
    """No fault is left out by chance for long."""
    bag = Bag(list(CATALOGUE), Random(1))

    drawn = [bag.draw() for _ in range(2 * len(CATALOGUE))]

    assert sorted(drawn[: len(CATALOGUE)]) == sorted(drawn[len(CATALOGUE) :]) == sorted(CATALOGUE)

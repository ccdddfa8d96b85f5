"""What the one registry of metrics promises."""

import re
from pathlib import Path

import pytest

from touchstone.observe import metrics
from touchstone.observe.metrics import (
    BUILD,
    COMMIT_SECONDS,
    CONSUMED,
    DEAD_LETTERS,
    LABELS,
    LAG,
    METRICS,
    MOMENTS,
    OTHER,
    RESTORED,
    STATE,
    STATES,
    Counts,
    Metric,
)
from touchstone.observe.reference import reference
from touchstone.observe.registry import Registry

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"


def registry() -> Registry:
    """A registry for a topology with one channel, one journey and one phase."""
    return Registry(
        {"channel": ["web"], "journey": ["purchase"], "phase": ["decision"], "topic": ["touchpoints.web.v1"]}, {"version": "1.2.3"}
    )


def test_what_was_counted_appears_after_the_flush_and_is_not_counted_twice() -> None:
    """A flush moves the counts into the registry; a second one adds nothing."""
    shown, counts = registry(), Counts()
    counts.add(CONSUMED, "web", by=3)
    counts.add(CONSUMED, "web")

    shown.flush(counts)
    shown.flush(counts)

    assert shown.value(CONSUMED, "web") == 4
    assert counts.items() == []


def test_what_an_aborted_transaction_counted_is_forgotten() -> None:
    """After `clear` a flush has nothing to add."""
    shown, counts = registry(), Counts()
    counts.add(CONSUMED, "web")

    counts.clear()
    shown.flush(counts)

    assert shown.value(CONSUMED, "web") == 0


def test_a_value_outside_the_closed_set_is_shown_as_other() -> None:
    """A producer that invents channels and reasons makes one series, not thousands."""
    shown, counts = registry(), Counts()
    for number in range(100):
        counts.add(CONSUMED, f"invented-{number}")
        counts.add(DEAD_LETTERS, f"ada{number}@x.org")

    shown.flush(counts)

    assert shown.value(CONSUMED, OTHER) == 100
    assert b"invented" not in shown.exposition()[0]
    assert b"@" not in shown.exposition()[0]


def test_labels_are_given_in_the_order_of_the_declaration() -> None:
    """A moment is counted by journey, kind, phase and action."""
    shown, counts = registry(), Counts()

    counts.add(MOMENTS, "purchase", "transition", "decision", "assert", by=2)
    shown.flush(counts)

    assert b'touchstone_moments_total{action="assert",journey="purchase",kind="transition",phase="decision"} 2.0' in shown.exposition()[0]


def test_the_state_is_one_of_all() -> None:
    """Exactly one state is 1, the others are 0."""
    shown = registry()

    shown.set_state("restoring")

    assert [shown.value(STATE, state) for state in STATES] == [0, 0, 1, 0, 0, 0]


def test_gauges_and_histograms_show_what_they_were_told() -> None:
    """Lag is a gauge by topic, the time of a commit a histogram."""
    shown = registry()

    shown.set(LAG, 17, "touchpoints.web.v1")
    shown.observe(COMMIT_SECONDS, 0.02)

    assert shown.value(LAG, "touchpoints.web.v1") == 17
    assert b"touchstone_commit_seconds_count 1.0" in shown.exposition()[0]
    assert b'version="1.2.3"' in shown.exposition()[0]


def test_a_total_that_others_keep_is_taken_over_when_the_page_is_asked_for() -> None:
    """The runtime counts for itself; the counter follows its total and does not go back."""
    shown, kept = registry(), {"restored": 0}
    shown.before_each_page(lambda: shown.total(RESTORED, kept["restored"]))

    for total in (70, 100, 100, 20):
        kept["restored"] = total
        shown.exposition()

    assert shown.value(RESTORED) == 100


def test_two_registries_in_one_process_do_not_meet() -> None:
    """Workers started in one process each have their own numbers."""
    first, second, counts = registry(), registry(), Counts()
    counts.add(CONSUMED, "web")

    first.flush(counts)

    assert second.value(CONSUMED, "web") == 0


def test_the_page_follows_what_the_reader_accepts() -> None:
    """Prometheus may ask for OpenMetrics; a browser gets plain text."""
    shown = registry()

    assert shown.exposition("application/openmetrics-text; version=1.0.0")[1].startswith("application/openmetrics-text")
    assert shown.exposition("*/*")[1].startswith("text/plain")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_declaration_follows_the_conventions(metric: Metric) -> None:
    """Prefix, suffix by type, known labels, a meaning that ends and a question that asks."""
    assert re.fullmatch(r"touchstone(_[a-z]+)+", metric.name)
    assert metric.name.endswith("_total") == (metric.type == "counter")
    assert (metric.buckets != ()) == (metric.type == "histogram")
    assert set(metric.labels) <= set(LABELS)
    assert metric.meaning.endswith(".")
    assert metric.question.endswith("?")


def test_every_declared_metric_is_in_the_registry_once() -> None:
    """No constant is forgotten in `METRICS`, and no name is used twice."""
    declared = [value for value in vars(metrics).values() if isinstance(value, Metric)]

    assert declared == list(METRICS)
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_every_name_of_ours_on_the_page_is_declared() -> None:
    """Nothing with our prefix is shown that was not declared."""
    shown = registry()
    shown.observe(COMMIT_SECONDS, 1)

    names = set(re.findall(rb"^# TYPE (touchstone_\S+)", shown.exposition()[0], re.MULTILINE))

    assert names == {metric.name.encode() for metric in METRICS}
    assert BUILD.name.encode() in names


def test_the_reference_page_is_fresh() -> None:
    """`python -m touchstone.observe.reference > docs/reference/metrics.md` was run after the last change."""
    assert PAGE.read_text(encoding="utf-8") == reference()

"""The metrics of one worker while it runs: what was counted goes in, the page for Prometheus comes out."""

import sys
from collections.abc import Callable, Collection, Iterable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

from touchstone.observe.metrics import (
    BLOCKS,
    BUILD,
    CAUSES,
    LABELS,
    METRICS,
    OTHER,
    REVIEW_STATUSES,
    STATE,
    STATES,
    VERDICTS,
    Counts,
    Metric,
)

_FIXED: Mapping[str, frozenset[str]] = {
    "channel": frozenset({"unknown", "commands"}),
    "kind": frozenset(
        {"unknown", "transition", "regression", "timeout", "reentry", "signal"}
        | {"linked", "merged", "split", "shared", "unshared", "conflict", "refused", "limited"}
    ),
    "phase": frozenset({"dormant", "none"}),
    "action": frozenset({"assert", "retract"}),
    "believed": frozenset({"sent_at", "received_at"}),
    "cause": frozenset(CAUSES),
    "block": frozenset(BLOCKS),
    "verdict": frozenset(VERDICTS),
    "status": frozenset(REVIEW_STATUSES),
    "state": frozenset(STATES),
}


class Registry:
    """The metrics of one worker, ready to be shown.

    Args:
        values: for each label that depends on the topology or the contracts (channel, reason, kind, journey, phase, output, topic)
            the values it may take, besides the fixed ones of this module.
        build: the labels of `touchstone_build_info` other than `python`.
    """

    def __init__(self, values: Mapping[str, Collection[str]], build: Mapping[str, str] | None = None) -> None:
        # Without this every counter has a second series with the time of its creation, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus_client has no annotation there
        self._values = {label: _FIXED.get(label, frozenset()) | frozenset(values.get(label, ())) for label in LABELS}
        self._refresh: list[Callable[[], None]] = []
        self._collector = CollectorRegistry()
        self._counters = {m: Counter(m.name, m.meaning, m.labels, registry=self._collector) for m in METRICS if m.type == "counter"}
        self._gauges = {m: Gauge(m.name, m.meaning, m.labels, registry=self._collector) for m in METRICS if m.type == "gauge"}
        self._histograms = {
            m: Histogram(m.name, m.meaning, m.labels, registry=self._collector, buckets=m.buckets) for m in METRICS if m.type == "histogram"
        }
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._collector)
        told = {"python": ".".join(map(str, sys.version_info[:3]))} | dict(build or {})
        self._gauges[BUILD].labels(*(told.get(label, "") for label in BUILD.labels)).set(1)
        self.set_state("starting")

    def flush(self, counts: Counts) -> None:
        """Add what was counted to the counters and start counting anew; for after a commit."""
        for metric, labels, count in counts.items():
            counter = self._counters[metric]
            (counter.labels(*self._closed(metric, labels)) if metric.labels else counter).inc(count)
        counts.clear()

    def total(self, metric: Metric, total: float, *labels: str) -> None:
        """Bring a counter up to a total that somebody else keeps since the start of the process; it never goes back."""
        counter = self._counters[metric]
        child = counter.labels(*self._closed(metric, labels)) if metric.labels else counter
        child.inc(max(0.0, total - self.value(metric, *labels)))

    def before_each_page(self, refresh: Callable[[], None]) -> None:
        """Have this called whenever the page is asked for: for figures that others keep."""
        self._refresh.append(refresh)

    def observe(self, metric: Metric, value: float) -> None:
        """Note one value in a histogram, for example the seconds of a commit."""
        self._histograms[metric].observe(value)

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a gauge to what is true now."""
        gauge = self._gauges[metric]
        (gauge.labels(*self._closed(metric, labels)) if metric.labels else gauge).set(value)

    def replace(self, metric: Metric, values: Mapping[tuple[str, ...], float]) -> None:
        """Set a gauge to exactly these values, by its labels; series that are not among them vanish."""
        self._gauges[metric].clear()
        for labels, value in values.items():
            self.set(metric, value, *labels)

    def begin(self, metric: Metric, values: Iterable[str]) -> None:
        """Show a counter with one label from the start, with 0: a rate over a series that is not there yet would miss its first count."""
        for value in values:
            self._counters[metric].labels(*self._closed(metric, (value,)))

    def set_state(self, state: str) -> None:
        """Say what the worker is doing now (one of `STATES`)."""
        for each in STATES:
            self._gauges[STATE].labels(each).set(each == state)

    def value(self, metric: Metric, *labels: str) -> float:
        """What a counter or gauge shows now; 0 where nothing was said yet."""
        return self._collector.get_sample_value(metric.name, dict(zip(metric.labels, labels, strict=True))) or 0.0

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """The page for Prometheus in the format that the Accept header asks for: (body, content type)."""
        for refresh in self._refresh:
            refresh()
        encode, content_type = choose_encoder(accept)
        return encode(self._collector), content_type

    def _closed(self, metric: Metric, labels: tuple[str, ...]) -> list[str]:
        return [value if value in self._values[label] else OTHER for label, value in zip(metric.labels, labels, strict=True)]

"""The figures of data quality as metrics: what `touchstone quality --metrics FILE` writes for Prometheus' textfile collector."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from touchstone.observe.metrics import Metric


class AttributeQuality(NamedTuple):
    """How good an attribute of the golden record is; None where there is nothing to judge by."""

    attribute: str
    completeness: float | None
    validity: float | None
    agreement: float | None
    age_days: float | None


COMPLETENESS = Metric(
    "touchstone_attribute_completeness_ratio",
    "gauge",
    "share",
    ("attribute",),
    "Share of the active customers whose golden record has the attribute.",
    "Do we know enough of our customers, and does it get better?",
)
VALIDITY = Metric(
    "touchstone_attribute_validity_ratio",
    "gauge",
    "share",
    ("attribute",),
    "Share of the golden records' values that can be right, by their form.",
    "Does a source fill an attribute with rubbish?",
)
AGREEMENT = Metric(
    "touchstone_attribute_agreement_ratio",
    "gauge",
    "share",
    ("attribute",),
    "Of the customers of whom several sources state the attribute, the share in which all agree.",
    "Do our systems tell the same story?",
)
AGE = Metric(
    "touchstone_attribute_age_days",
    "gauge",
    "days",
    ("attribute",),
    "Median age of what the golden records state.",
    "How old is what we go by?",
)
CUSTOMERS_JUDGED = Metric(
    "touchstone_quality_customers",
    "gauge",
    "customers",
    (),
    "Active customers that the figures of data quality were computed from.",
    "Were the figures computed from all customers, or from a sample?",
)
QUALITY_METRICS = (COMPLETENESS, VALIDITY, AGREEMENT, AGE, CUSTOMERS_JUDGED)
"""Not shown by workers: they are figures of a whole, computed when somebody asks."""


def exposition(rows: Iterable[AttributeQuality], customers: int, attributes: Collection[str]) -> bytes:
    """The page for Prometheus. Only `attributes`, the names that the topology knows, become labels: what sources call theirs is not ours."""
    registry = CollectorRegistry()
    gauges = {metric: Gauge(metric.name, metric.meaning, metric.labels, registry=registry) for metric in QUALITY_METRICS}
    gauges[CUSTOMERS_JUDGED].set(customers)
    for row in rows:
        if row.attribute in attributes:
            for metric, value in zip((COMPLETENESS, VALIDITY, AGREEMENT, AGE), row[1:], strict=True):
                if value is not None:
                    gauges[metric].labels(row.attribute).set(value)
    return generate_latest(registry)

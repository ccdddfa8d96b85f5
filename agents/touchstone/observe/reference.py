"""The reference page of the metrics, made from their declarations: `python -m touchstone.observe.reference`."""

import sys
from collections.abc import Iterable

from touchstone.observe.metrics import LABELS, METRICS, OTHER, Metric
from touchstone.observe.quality import QUALITY_METRICS

_INTRODUCTION = """\
# Metrics

A worker shows these under `/metrics`; beside it stand `/health/live` (the process answers) and `/health/ready` (it is running; 503
while it starts, restores or drains). This page is generated from `observe/metrics.py` by `python -m touchstone.observe.reference`; a test
fails when it is stale.

Counters grow when a transaction commits, so they follow the topics; what an aborted transaction did is not counted. The usual
metrics of the process and of Python (`process_*`, `python_*`) come beside them.
"""


def reference() -> str:
    """The page as Markdown."""
    labels = [f"| `{name}` | {values} |" for name, values in LABELS.items()]
    return "\n".join(
        [
            _INTRODUCTION,
            *_table(METRICS),
            "",
            "## Data quality",
            "",
            "Not a worker's: `touchstone quality --metrics FILE` writes them when it is asked to, for Prometheus' textfile collector.",
            "`attribute` is one of the attributes that the topology names; of others there are no series.",
            "",
            *_table(QUALITY_METRICS),
            "",
            "## Labels",
            "",
            f"All are closed sets; a value outside its set is shown as `{OTHER}`.",
            "",
            "| label | values |",
            "|---|---|",
            *labels,
            "",
        ]
    )


def _table(metrics: Iterable[Metric]) -> list[str]:
    return [
        "| name | type | unit | labels | meaning | question it answers |",
        "|---|---|---|---|---|---|",
        *(
            f"| `{metric.name}` | {metric.type} | {metric.unit} | {', '.join(metric.labels) or '–'} | {metric.meaning} | {metric.question} |"
            for metric in metrics
        ),
    ]


if __name__ == "__main__":
    sys.stdout.write(reference())

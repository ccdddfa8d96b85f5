"""The reference page of the metrics, made from their declarations: `python -m touchstone.observe.reference`."""

import sys

from touchstone.observe.metrics import LABELS, METRICS, OTHER

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
    rows = [
        f"| `{metric.name}` | {metric.type} | {metric.unit} | {', '.join(metric.labels) or '–'} | {metric.meaning} | {metric.question} |"
        for metric in METRICS
    ]
    labels = [f"| `{name}` | {values} |" for name, values in LABELS.items()]
    return "\n".join(
        [
            _INTRODUCTION,
            "| name | type | unit | labels | meaning | question it answers |",
            "|---|---|---|---|---|---|",
            *rows,
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


if __name__ == "__main__":
    sys.stdout.write(reference())

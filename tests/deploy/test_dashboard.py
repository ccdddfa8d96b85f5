"""The dashboard is fresh, asks only for metrics that exist, and leaves none of ours unseen."""

import json

from deploy.grafana import dashboard
from tests.deploy.test_alerts import FOREIGN, names_in
from touchstone.observe.metrics import BUILD, DISK_SIZE, METRICS

HELPERS = {BUILD.name, DISK_SIZE.name}
"""Declared for joins and ratios of alerts; nothing to look at."""


def test_the_dashboard_is_what_the_code_says() -> None:
    """`python -m deploy.grafana.dashboard > deploy/grafana/touchstone.json` was not forgotten."""
    assert dashboard.DASHBOARD.read_text() == dashboard.build()


def test_panels_ask_only_for_metrics_that_are_declared() -> None:
    """A renamed metric does not leave an empty panel behind."""
    asked = {name for _, expression in dashboard.expressions() for name in names_in(expression)}

    assert asked <= {metric.name for metric in METRICS} | FOREIGN | {"process_cpu_seconds_total"}


def test_every_metric_is_seen_somewhere() -> None:
    """What nobody looks at need not be counted."""
    asked = {name for _, expression in dashboard.expressions() for name in names_in(expression)}

    assert {metric.name for metric in METRICS} - asked - HELPERS == set()


def test_every_panel_says_what_is_shown_and_has_a_place_of_its_own() -> None:
    """No panel without words, no two with one id."""
    panels = json.loads(dashboard.build())["panels"]

    assert all(panel.get("description") for panel in panels if panel["type"] != "row")
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)

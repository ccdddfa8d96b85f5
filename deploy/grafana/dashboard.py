"""The dashboard as code: `python -m deploy.grafana.dashboard > deploy/grafana/touchstone.json` writes what Grafana provisions.

Every panel answers a question of whoever runs Touchstone or depends on it; its description says what is normal. Every expression is run
against a real Prometheus by the tests.
"""

import itertools
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

DASHBOARD = Path(__file__).with_name("touchstone.json")
SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
_HEIGHT, _WIDTH = 8, 8
"""Three panels beside each other: Grafana's grid has 24 columns."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A question, how it is answered (expression -> legend), and what is normal."""

    title: str
    unit: str
    description: str
    queries: dict[str, str]
    is_figure: bool = False


ROWS: dict[str, tuple[Panel, ...]] = {
    "In short": (
        Panel(
            "Workers at work",
            "short",
            "Workers that run, against those that are scraped. Normal: equal.",
            {
                'sum(touchstone_worker_state{state="running"})': "running",
                'count(up{job="touchstone"})': "expected",
            },
            is_figure=True,
        ),
        Panel(
            "Records waiting",
            "short",
            "Records between the end of the topics and the workers. Normal: near 0.",
            {"sum(touchstone_lag_records)": "records"},
            is_figure=True,
        ),
        Panel(
            "Customers",
            "short",
            "Golden records that are active: each customer is counted once in every journey. Normal: grows slowly.",
            {"sum by (journey) (touchstone_customers)": "{{journey}}"},
            is_figure=True,
        ),
    ),
    "Traffic": (
        Panel(
            "Records read, by channel",
            "cps",
            "What the channels deliver, refused records included. A channel that falls to 0 has stopped delivering.",
            {"sum by (channel) (rate(touchstone_consumed_records_total[$__rate_interval]))": "{{channel}}"},
        ),
        Panel(
            "Lag, by topic",
            "short",
            "Records that wait. A lag that grows for long needs more workers; one in a single channel holds all deadlines back.",
            {"sum by (topic) (touchstone_lag_records)": "{{topic}}"},
        ),
        Panel(
            "How far the clock hangs back",
            "s",
            "Now minus the clock of the journeys. Normal with `clock: wall`: 1 to 2 s. With `clock: event` it says nothing.",
            {"max(time() - touchstone_clock_timestamp_seconds)": "seconds"},
        ),
    ),
    "Customers and moments": (
        Panel(
            "Customers, by journey and phase",
            "short",
            "Where customers stand, `none` before the first phase, `dormant` after a long silence.",
            {"sum by (journey, phase) (touchstone_customers)": "{{journey}} {{phase}}"},
        ),
        Panel(
            "Moments, by kind",
            "cps",
            "What is said: transitions, regressions, timeouts, re-entries, signals.",
            {'sum by (kind) (rate(touchstone_moments_total{action="assert"}[$__rate_interval]))': "{{kind}}"},
        ),
        Panel(
            "Moments, by phase reached",
            "cps",
            "Where customers arrive.",
            {'sum by (journey, phase) (rate(touchstone_moments_total{action="assert"}[$__rate_interval]))': "{{journey}} {{phase}}"},
        ),
        Panel(
            "Corrections, by cause",
            "cps",
            "What of the said was put right, and why. Normal: a few per cent of the moments, by late data and merges.",
            {"sum by (cause) (rate(touchstone_corrections_total[$__rate_interval]))": "{{cause}}"},
        ),
        Panel(
            "Withheld for want of consent",
            "cps",
            "Moments that an output with a purpose did not get. A jump: a source that lost its consents, or a purpose that nobody is asked for.",
            {"sum by (output) (rate(touchstone_withheld_moments_total[$__rate_interval]))": "{{output}}"},
        ),
    ),
    "Who is who": (
        Panel(
            "Changes of identity",
            "cps",
            "Linked, merged, split, shared… Many `shared` at once: a placeholder that should be blocked.",
            {"sum by (kind) (rate(touchstone_identity_changes_total[$__rate_interval]))": "{{kind}}"},
        ),
        Panel(
            "Merges",
            "short",
            "People who turned out to be one, per hour. A jump: an identifier that unites strangers.",
            {'sum(increase(touchstone_identity_changes_total{kind="merged"}[1h]))': "merged per hour"},
        ),
        Panel(
            "Pairs that look alike",
            "cps",
            "Of all pairs weighed those that are one person, and those for a steward. Nothing here and below without `matching`.",
            {
                "sum by (verdict) (rate(touchstone_likenesses_total[$__rate_interval]))": "{{verdict}}",
                "sum(rate(touchstone_weighed_pairs_total[$__rate_interval]))": "weighed",
            },
        ),
        Panel(
            "Records compared, and blocks too large for it",
            "cps",
            "What comes to open blocks is compared, what comes to closed ones is not. Many closings at once: a placeholder among names or addresses.",
            {
                "sum by (block) (rate(touchstone_compared_records_total[$__rate_interval]))": "{{block}}",
                "sum(rate(touchstone_closed_blocks_total[$__rate_interval]))": "blocks closed",
            },
        ),
        Panel(
            "Reviews, by status",
            "short",
            "Per hour. More `open` than the others together for days: stewards do not keep up, or `review` is set too low.",
            {"sum by (status) (increase(touchstone_reviews_total[1h]))": "{{status}} per hour"},
        ),
        Panel(
            "Time spent comparing",
            "percentunit",
            "Share of a second that a worker compares records. Above a half: more workers, or finer blocks.",
            {"rate(touchstone_comparing_seconds_total[$__rate_interval])": "{{instance}}"},
        ),
    ),
    "What could not be used": (
        Panel(
            "Dead letters, by reason",
            "cps",
            "Records that were refused. Normal: below 0.1 % of what is read.",
            {"sum by (reason) (rate(touchstone_dead_letters_total[$__rate_interval]))": "{{reason}}"},
        ),
        Panel(
            "Identifiers left out",
            "cps",
            "Placeholders, unknown kinds, unusable values: they cost recognition.",
            {"sum by (kind, reason) (rate(touchstone_ignored_identifiers_total[$__rate_interval]))": "{{kind}} {{reason}}"},
        ),
        Panel(
            "Late, skewed and repeated touchpoints",
            "cps",
            "Late ones cause corrections, repeated ones only cost; skewed ones come from devices whose clock is wrong; suppressed ones are of people "
            "who were forgotten.",
            {
                "sum by (channel) (rate(touchstone_late_touchpoints_total[$__rate_interval]))": "late {{channel}}",
                "sum by (channel) (rate(touchstone_suppressed_touchpoints_total[$__rate_interval]))": "suppressed {{channel}}",
                "sum by (channel) (rate(touchstone_skewed_touchpoints_total[$__rate_interval]))": "skewed {{channel}}",
                "sum(rate(touchstone_duplicate_touchpoints_total[$__rate_interval]))": "repeated",
                "sum(rate(touchstone_limited_touchpoints_total[$__rate_interval]))": "over a limit",
            },
        ),
    ),
    "Work": (
        Panel(
            "Time of a commit",
            "s",
            "From the start of a commit to the end of the transaction: the broker's share of the delay.",
            {
                "histogram_quantile(0.5, sum by (le) (rate(touchstone_commit_seconds_bucket[$__rate_interval])))": "half",
                "histogram_quantile(0.99, sum by (le) (rate(touchstone_commit_seconds_bucket[$__rate_interval])))": "99 %",
            },
        ),
        Panel(
            "Time of a batch",
            "s",
            "A batch in the stages, without the commit: our share of the delay.",
            {
                "histogram_quantile(0.5, sum by (le) (rate(touchstone_batch_seconds_bucket[$__rate_interval])))": "half",
                "histogram_quantile(0.99, sum by (le) (rate(touchstone_batch_seconds_bucket[$__rate_interval])))": "99 %",
            },
        ),
        Panel(
            "Transactions",
            "cps",
            "Committed, and thrown away. Normal: several a second while records come; none thrown away.",
            {
                "sum by (instance) (rate(touchstone_transactions_total[$__rate_interval]))": "{{instance}}",
                "sum(rate(touchstone_aborted_transactions_total[$__rate_interval]))": "aborted",
            },
        ),
        Panel(
            "Messages in memory and records out",
            "cps",
            "What stays inside a worker, and what the readers of the outputs have to read.",
            {
                "sum(rate(touchstone_local_messages_total[$__rate_interval]))": "in memory",
                "sum by (topic) (rate(touchstone_output_records_total[$__rate_interval]))": "{{topic}}",
            },
        ),
    ),
    "Workers": (
        Panel(
            "Processor",
            "percentunit",
            "Share of a core. A worker uses one at most.",
            {'rate(process_cpu_seconds_total{job="touchstone"}[$__rate_interval])': "{{instance}}"},
        ),
        Panel(
            "Memory",
            "bytes",
            "Resident memory, and the limit past which the worker is killed. Normal: level after the first hours.",
            {
                'process_resident_memory_bytes{job="touchstone"}': "{{instance}}",
                "min(touchstone_memory_limit_bytes)": "limit",
            },
        ),
        Panel(
            "Disk",
            "bytes",
            "Size of the state, and what is free on its disk.",
            {"touchstone_state_bytes": "state {{instance}}", "touchstone_disk_free_bytes": "free {{instance}}"},
        ),
        Panel(
            "Restore",
            "short",
            "Changelog records still to be read, and what warm copies lack. Normal: 0; otherwise falling.",
            {
                "touchstone_restore_remaining_records": "{{instance}}",
                "touchstone_standby_records_behind": "standby {{instance}}",
            },
        ),
        Panel(
            "Restored records",
            "cps",
            "How fast a restore is.",
            {"rate(touchstone_restored_records_total[$__rate_interval])": "{{instance}}"},
        ),
        Panel(
            "Partitions and rebalances",
            "short",
            "How the work is spread, and how often it changes hands in an hour.",
            {
                "touchstone_assigned_partitions": "{{instance}}",
                "sum(increase(touchstone_rebalances_total[1h]))": "rebalances per hour",
            },
        ),
    ),
}


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression of the dashboard: (title of its panel, expression)."""
    for panels in ROWS.values():
        for panel in panels:
            for expression in panel.queries:
                yield panel.title, expression


def build() -> str:
    """The dashboard as JSON."""
    board = (
        dashboard.Dashboard("Touchstone")
        .uid("touchstone")
        .description("Touchpoints in, moments of truth out. Generated from deploy/grafana/dashboard.py.")
        .tags(["touchstone"])
        .time("now-1h", "now")
        .refresh("30s")
        .timezone("browser")
        .readonly()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    numbers = itertools.count(1)
    for title, panels in ROWS.items():
        board.with_row(dashboard.Row(title).id(next(numbers)))
        for panel in panels:
            board.with_panel((_figure(panel) if panel.is_figure else _curves(panel)).id(next(numbers)))
    plain = json.loads(json.dumps(board.build(), cls=JSONEncoder))
    return json.dumps(_without_nothing(plain), indent=2, sort_keys=True) + "\n"


def _without_nothing(value: Any) -> Any:
    """Without keys that have no value: Grafana takes its defaults for what is not there, not for null."""
    if isinstance(value, dict):
        return {key: _without_nothing(each) for key, each in value.items() if each is not None}
    return [_without_nothing(each) for each in value] if isinstance(value, list) else value


def _figure(panel: Panel) -> stat.Panel:
    built = stat.Panel().title(panel.title).description(panel.description).unit(panel.unit)
    built.datasource(SOURCE).height(_HEIGHT // 2).span(_WIDTH)
    for query in _queries(panel):
        built.with_target(query)
    return built


def _curves(panel: Panel) -> timeseries.Panel:
    built = timeseries.Panel().title(panel.title).description(panel.description).unit(panel.unit)
    built.datasource(SOURCE).height(_HEIGHT).span(_WIDTH).min(0).fill_opacity(10)
    for query in _queries(panel):
        built.with_target(query)
    return built


def _queries(panel: Panel) -> Iterator[prometheus.Dataquery]:
    for number, (expression, legend) in enumerate(panel.queries.items()):
        yield prometheus.Dataquery().expr(expression).legend_format(legend).ref_id("ABCDEF"[number])


if __name__ == "__main__":
    sys.stdout.write(build())
